// The load on the operating position against what ISA-18.2 says one person can bear.

import { get } from "./api.mjs";
import { priorityText } from "./alarms.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { kpiDesk } from "./kpi_desk.mjs";
import { headline, kpiPanel, table } from "./kpi_panel.mjs";
import { deviceLink, link, percent, records, seconds } from "./kpi_words.mjs";
import { mark, STATE_SHAPES } from "./shapes.mjs";
import { say } from "./texts.mjs";

const none = () => say("device.no_value");
const figure = (value, digits = 1) => (value === null ? none() : number(value, digits));

export async function mount(element, scope) {
  await kpiPanel(element, scope, say("kpi.area_load"), load, (found) => {
    const all = (words, more) => link(records("alarms", { state: "all", from: kpiDesk.period.from_at, to: kpiDesk.period.to_at, ...more }), words);
    const { targets } = found;
    const rows = [
      row(say("kpi.per_10_min"), figure(found.per_10_min, 2), found.per_10_min, targets.per_10_min, `≤ ${targets.per_10_min.target}`),
      row(say("kpi.per_10_min_most"), figure(found.per_10_min_most, 0), null, {}, ""),
      row(say("kpi.per_hour"), figure(found.per_hour, 1), found.per_hour, targets.per_hour, `≤ ${targets.per_hour.target}`),
      row(say("kpi.flood_share"), percent(found.flood_share), found.flood_share, targets.flood_share, `< ${percent(targets.flood_share.target, 0)}`, say("kpi.floods", { count: number(found.floods) })),
      row(say("kpi.busiest_share"), percent(found.busiest_share), found.busiest_share, targets.busiest_share, `< ${percent(targets.busiest_share.target, 0)}`),
      row(say("kpi.over_24_h"), link(records("alarms", { state: "open" }), number(found.active_over_24_h)), found.active_over_24_h, targets.active_over_24_h, `< ${targets.active_over_24_h.target}`, found.active_over_24_h === null ? say("kpi.not_then") : ""),
      row(say("kpi.chattering"), number(found.chattering.length), found.chattering.length, targets.chattering, "0"),
      ...["P1", "P2", "P3"].map((priority) => {
        const own = found.priorities?.[priority] ?? null;
        return row(say("kpi.mix", { priority: priorityText(priority) }), all(percent(own, 0), { priority }), null, {}, `≈ ${percent(targets.priorities[priority], 0)}`);
      }),
      row(say("kpi.raise_to_ack"), seconds(found.raise_to_ack.median_s), null, {}, "", `${say("kpi.p95")} ${seconds(found.raise_to_ack.p95_s)} · n = ${number(found.raise_to_ack.count)}`),
      row(say("kpi.raise_to_case"), seconds(found.raise_to_case.median_s), null, {}, "", `${say("kpi.p95")} ${seconds(found.raise_to_case.p95_s)} · n = ${number(found.raise_to_case.count)}`),
      row(say("kpi.nuisance"), percent(found.nuisance_rate), null, {}, ""),
      row(say("kpi.shelved"), link(records("alarms", { state: "open", suppression: "shelved" }), number(found.shelved_now)), null, {}, "", found.shelved_now === null ? say("kpi.not_then") : say("kpi.shelved_more", { ending: number(found.shelves_ending_soon), renewed: number(found.shelves_renewed) })),
    ];
    const columns = [
      { title: say("kpi.figure"), cell: ({ what }) => what },
      { title: say("kpi.measured"), numeric: true, cell: ({ value }) => value },
      { title: say("kpi.target"), numeric: true, cell: ({ target }) => target },
      { title: say("kpi.verdict"), cell: ({ verdict }) => verdict },
    ];
    return [
      headline(all(number(found.activations), {}), say("kpi.activations"), found.hidden ? say("kpi.hidden", { count: number(found.hidden) }) : ""),
      el("p", { class: "quiet kpi-rule" }, say("kpi.load_scope")),
      table(say("kpi.load_targets"), columns, rows),
      table(
        say("kpi.busiest"),
        [
          { title: say("kpi.point"), cell: ({ point }) => point },
          { title: say("kpi.device"), cell: ({ point }) => deviceOf(point) },
          { title: say("kpi.activations"), numeric: true, cell: ({ count }) => number(count) },
        ],
        found.busiest,
      ),
    ];
  });
}

const load = () => get("alarms/load", { from: kpiDesk.period.from_at, to: kpiDesk.period.to_at });

function deviceOf(point) {
  const id = point.split("/")[0];
  return id.includes(":") ? id : deviceLink(id);
}

/** One line; the verdict has a shape and a word, since alarm colours are for alarms. */
function row(what, value, measured, target, aim, more = "") {
  let verdict = more;
  if (measured !== null && measured !== undefined && target.target !== undefined) {
    const strict = target.red === undefined && target.target > 0;
    const well = strict ? measured < target.target : measured <= target.target;
    const far = target.red !== undefined && measured >= target.red;
    const key = well ? "well" : far ? "far" : "over";
    verdict = el("span", { class: `kpi-verdict is-${key}` }, mark(STATE_SHAPES[well ? "ACKED" : "UNACK"]), say(`kpi.verdict_${key}`), more && ` · ${more}`);
  }
  return { what, value, target: aim, verdict };
}

// Bridges: overloaded vehicles out of all that passed, by day, street and bridge; and plates that came overloaded again.

import { get } from "./api.mjs";
import { deviceDetail } from "./city.mjs";
import { el } from "./dom.mjs";
import { moment, number } from "./format.mjs";
import { dayChart } from "./kpi_chart.mjs";
import { kpiDesk } from "./kpi_desk.mjs";
import { headline, kpiPanel, table } from "./kpi_panel.mjs";
import { deviceLink, exactPercent, link, ratioOf, records, streetLink, streetNames } from "./kpi_words.mjs";
import { named, say } from "./texts.mjs";

const KIND = "bridge_wim";

export async function mount(element, scope) {
  const street = await streetNames();
  let rules = "";
  const over = (row, more) => {
    const { from_at, to_at } = kpiDesk.period;
    const href = records("alarms", { state: "all", rule: rules, kind: KIND, from: from_at, to: to_at, street: kpiDesk.street, ...more });
    return link(href, number(row.overload.numerator));
  };
  const columns = (first, more) => [
    first,
    { title: say("kpi.overloaded"), numeric: true, cell: (row) => over(row, more(row)) },
    { title: say("kpi.passages"), numeric: true, cell: (row) => number(row.overload.denominator) },
    { title: say("kpi.rate"), numeric: true, cell: (row) => exactPercent(row.overload, 2) },
  ];
  const load = async (asked) => {
    const found = await get(`kpi/${KIND}`, asked);
    rules = found.rules.join(",");
    return found;
  };
  await kpiPanel(element, scope, say("kpi.area_bridge_wim"), load, (found, drawing) => [
    headline(exactPercent(found.total.overload, 2), say("kpi.overload_rate", { pct: number(found.at_least_pct) }), over(found.total, {}), ` / ${number(found.total.overload.denominator)}`),
    dayChart(drawing, {
      label: say("kpi.overload_days"),
      unit: "%",
      digits: 1,
      days: found.days.map(({ day, overload }) => ({ day, value: overload.value === null ? null : overload.value * 100, words: `${exactPercent(overload, 2)} (${ratioOf(overload)})` })),
    }),
    table(say("kpi.by_bridge"), columns({ title: say("kpi.bridge"), cell: (row) => deviceLink(row.device, name(row.device)) }, (row) => ({ device: row.device })), found.bridges),
    table(say("kpi.by_street"), Object.assign(columns({ title: say("kpi.street"), cell: (row) => streetLink(row.street, street(row.street)) }, (row) => ({ street: row.street })), { open: false }), found.streets),
    plates(found.plates),
  ]);
}

function name(id) {
  const words = el("span", null, id);
  deviceDetail(id).then((device) => (words.textContent = named(device.name, id)), () => {});
  return words;
}

function plates(rows) {
  if (!rows.length) return el("p", { class: "quiet" }, say("kpi.no_plates"));
  return table(
    say("kpi.plates"),
    [
      { title: say("kpi.plate"), cell: (row) => el("code", { title: row.plate }, row.plate.slice(0, 8)) },
      { title: say("kpi.times"), numeric: true, cell: (row) => number(row.times) },
      { title: say("kpi.last_at"), numeric: true, cell: (row) => moment(row.last_at, Date.now()) },
      { title: say("kpi.bridge"), cell: (row) => row.devices.flatMap((id, i) => [i ? " · " : "", deviceLink(id, name(id))]) },
    ],
    rows,
  );
}

// Gas: the last hour of the detectors with the highest concentration, below all the limits they must keep; and, when the
// scene is theirs, the highest in words.

import { ChartHead, emptyWords } from "./chart_head.mjs";
import { kinds, places, site } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { fieldValue, time, unitOf, withUnit } from "./format.mjs";
import { valuesOf } from "./kind_headlines.mjs";
import { LineChart } from "./line_chart.mjs";
import { limitsOf, rankedTrend } from "./ranked_trend.mjs";
import { live } from "./live.mjs";
import { stage } from "./stage.mjs";
import { named, say } from "./texts.mjs";

const WINDOW_MS = 60 * 60_000;
const COUNT = 3;
const LISTED = 7;

export async function mount(panel, scope) {
  const [table, known, city] = await Promise.all([kinds(), places(), site()]);
  const kind = table.get("gas_alarm");
  const field = kind?.field("conc_pct_lel");
  if (!field) return;
  const head = new ChartHead(panel, kind, scope);
  const chart = new LineChart(panel, `${named(kind.name)} ${named(field.name)}`, scope);
  const rows = el("ol", { class: "chart-rows only-front" });
  const empty = el("p", { class: "chart-empty" });
  panel.append(rows, empty);
  const ids = [...known.values()].filter((p) => p.kind === "gas_alarm").map((p) => p.id);
  const street = (id) => named(city.street.get(known.get(id)?.street)?.name, id);
  const limits = limitsOf(field);
  rankedTrend(scope, field.key, WINDOW_MS, COUNT, () => valuesOf(ids, field.key), (chosen, trends) => {
    // In front there is room to say both which device it is and where; a small chart says which.
    const front = panel.classList.contains("is-front");
    const lines = chosen.map(({ id, value }) => ({ name: id, place: front ? street(id) : "", now: fieldValue(field, value), points: trends.points(id) }));
    panel.dataset.lines = chosen.map(({ id }) => id).join(" ");
    const level = reached(limits, chosen[0]?.value);
    head.show(`${say("wall.highest")} · ${say("wall.last_60_min")}`, chosen.length ? withUnit(field, chosen[0].value) : "", level?.priority);
    panel.classList.toggle("is-empty", live.ready && !chosen.length);
    setText(empty, live.ready && !chosen.length ? emptyWords("wall.no_gas") : "");
    const highest = Math.max(...limits.map((limit) => limit.value));
    chart.draw({ lines, limits, from: live.now() - WINDOW_MS, to: live.now(), low: 0, high: highest * 1.15, gapMs: kind.stale_after_s * 1000, caption: unitOf(field) });
    if (rows.offsetParent) list(rows, { field, limits, street, readings: valuesOf(ids, field.key) });
  }, () => stage.alarm?.device ?? null);
}

const reached = (limits, value) => limits.filter((limit) => value >= limit.value).pop();

function list(rows, { field, limits, street, readings }) {
  const shown = readings.sort((a, b) => b.value - a.value || (a.id < b.id ? -1 : 1)).slice(0, LISTED);
  const key = shown.map(({ id, value, at }) => `${id} ${value} ${at}`).join();
  if (rows.dataset.key === key) return;
  rows.dataset.key = key;
  rows.replaceChildren(
    ...shown.map(({ id, value, at }) => {
      const level = reached(limits, value);
      return el(
        "li",
        null,
        el("span", { class: "numeric" }, time(at)),
        el("span", { class: "row-name" }, street(id)),
        el("span", { class: "quiet" }, id),
        el("b", { class: `numeric${level ? ` tone ${level.priority}` : ""}` }, `${level ? `${level.priority} ` : ""}${withUnit(field, value)}`),
      );
    }),
  );
}

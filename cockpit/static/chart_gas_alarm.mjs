// Gas: the detectors with the highest concentration, and the limits they must stay below.

import { ChartHead } from "./chart_head.mjs";
import { kinds, places, site } from "./city.mjs";
import { fieldValue, unitOf, withUnit } from "./format.mjs";
import { valuesOf } from "./kind_headlines.mjs";
import { LineChart } from "./line_chart.mjs";
import { limitsOf, rankedTrend } from "./ranked_trend.mjs";
import { live } from "./live.mjs";
import { named, say } from "./texts.mjs";

const WINDOW_MS = 30 * 60_000;
const COUNT = 3;

export async function mount(panel, scope) {
  const [table, known, city] = await Promise.all([kinds(), places(), site()]);
  const kind = table.get("gas_alarm");
  const field = kind?.field("conc_pct_lel");
  if (!field) return;
  const head = new ChartHead(panel, kind, scope);
  const chart = new LineChart(panel, `${named(kind.name)} ${named(field.name)}`, scope);
  const ids = [...known.values()].filter((p) => p.kind === "gas_alarm").map((p) => p.id);
  const street = (id) => named(city.street.get(known.get(id)?.street)?.name, id);
  rankedTrend(scope, field.key, WINDOW_MS, COUNT, () => valuesOf(ids, field.key), (chosen, trends) => {
    const lines = chosen.map(({ id, value }) => ({ name: street(id), now: fieldValue(field, value), points: trends.points(id) }));
    head.show(`${named(field.name)} ${unitOf(field)} · ${say("wall.last_30_min")}`, chosen.length ? withUnit(field, chosen[0].value) : "");
    chart.draw({ lines, limits: limitsOf(field), from: live.now() - WINDOW_MS, to: live.now(), low: 0, gapMs: kind.stale_after_s * 1000 });
  });
}

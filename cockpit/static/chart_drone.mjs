// Drones in the air: height above take-off, and the battery that is left.

import { ChartHead } from "./chart_head.mjs";
import { deviceDetail, kinds, places } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { withUnit } from "./format.mjs";
import { airborne } from "./kind_headlines.mjs";
import { LineChart } from "./line_chart.mjs";
import { live } from "./live.mjs";
import { limitsOf, rankedTrend } from "./ranked_trend.mjs";
import { named, say } from "./texts.mjs";

const WINDOW_MS = 10 * 60_000;
const COUNT = 4;

export async function mount(panel, scope) {
  const [table, known] = await Promise.all([kinds(), places()]);
  const kind = table.get("drone");
  const height = kind?.field("alt_rel_m");
  const battery = kind?.field("batt_pct");
  if (!height) return;
  const head = new ChartHead(panel, kind, scope);
  const chart = new LineChart(panel, `${named(kind.name)} ${named(height.name)}`, scope);
  const empty = el("p", { class: "chart-empty" });
  panel.append(empty);
  const ids = [...known.values()].filter((p) => p.kind === "drone").map((p) => p.id);
  const names = new Map();
  const name = (id) => {
    if (!names.has(id)) {
      names.set(id, id);
      deviceDetail(id).then((device) => names.set(id, named(device.name, id)), () => names.delete(id));
    }
    return names.get(id) ?? id;
  };
  const flying = () => airborne(ids).map(({ id }) => ({ id, value: live.value(id, height.key) ?? 0 }));
  rankedTrend(scope, height.key, WINDOW_MS, COUNT, flying, (chosen, trends) => {
    const count = airborne(ids).length;
    head.show(`${say("wall.altitude_battery")} · ${say("wall.last_10_min")}`, say("wall.airborne", { count }));
    setText(empty, count || !live.ready ? "" : say("wall.no_airborne"));
    panel.classList.toggle("is-empty", live.ready && !count);
    const lines = chosen.map(({ id, value }) => {
      const left = live.value(id, battery?.key);
      return { name: name(id), now: left === undefined ? withUnit(height, Math.round(value)) : `${Math.round(value)} m · ${withUnit(battery, left)}`, points: trends.points(id) };
    });
    chart.draw({ lines, limits: limitsOf(height), from: live.now() - WINDOW_MS, to: live.now(), low: 0, gapMs: kind.stale_after_s * 1000 });
  });
}

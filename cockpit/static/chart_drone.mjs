// Drones: how much of the patrol routes was flown today, street by street; and, when the scene is theirs, how high those
// in the air fly and what battery is left.

import { drawBarRows } from "./bar_rows.mjs";
import { Sheet } from "./canvas.mjs";
import { ChartHead, emptyWords } from "./chart_head.mjs";
import { deviceDetail, kinds, places, site } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { number, time, withUnit } from "./format.mjs";
import { airborne } from "./kind_headlines.mjs";
import { exactPercent } from "./kpi_words.mjs";
import { LineChart } from "./line_chart.mjs";
import { live } from "./live.mjs";
import { limitsOf, rankedTrend } from "./ranked_trend.mjs";
import { named, say } from "./texts.mjs";
import { wallFigures } from "./wall_figures.mjs";

const WINDOW_MS = 60 * 60_000;
const COUNT = 4;

export async function mount(panel, scope) {
  const [table, known, city] = await Promise.all([kinds(), places(), site()]);
  const kind = table.get("drone");
  const height = kind?.field("alt_rel_m");
  if (!height) return;
  const ids = [...known.values()].filter((p) => p.kind === "drone").map((p) => p.id);
  const head = new ChartHead(panel, kind, scope);
  const words = el("p", { class: "chart-words" });
  panel.append(words);
  const sheet = new Sheet(panel, `${named(kind.name)} ${say("wall.coverage")}`);
  const empty = el("p", { class: "chart-empty" });
  const draw = () => {
    const figures = wallFigures.of("drone");
    const whole = figures?.total.coverage;
    head.show(figures ? say("wall.coverage_today", { time: time(figures.at) }) : say("wall.coverage"), whole?.denominator ? exactPercent(whole) : "");
    const flown = figures?.total.flown;
    const count = number(airborne(ids).length);
    setText(words, whole?.denominator ? say("wall.coverage_of", { km: number(whole.numerator, 1), planned: number(whole.denominator, 1), flown: number(flown.numerator), routes: number(flown.denominator), count }) : say("wall.airborne", { count }));
    const streets = (figures?.streets ?? []).filter((row) => row.coverage.denominator).sort((a, b) => b.coverage.value - a.coverage.value);
    panel.classList.toggle("is-empty", live.ready && !streets.length);
    setText(empty, live.ready && !streets.length ? emptyWords("wall.no_coverage") : "");
    const row = ({ street, coverage }) => ({ name: named(city.street.get(street)?.name, street), share: coverage.value, text: `${number(coverage.numerator, 1)} / ${number(coverage.denominator)} ${say("unit.km")}` });
    if (sheet.begin()) drawBarRows(sheet, streets.map(row), { full: "--data", empty: "--line" });
  };
  scope.resized(sheet.box, draw);
  scope.every(2000, draw);
  scope.listen(wallFigures, "change", draw);
  wallFigures.follow("drone", scope);
  mountHeights(panel, scope, { kind, height, ids });
  panel.append(empty);
}

function mountHeights(panel, scope, { kind, height, ids }) {
  const battery = kind.field("batt_pct");
  const box = el("div", { class: "chart-more only-front" });
  panel.append(box);
  const chart = new LineChart(box, `${named(kind.name)} ${named(height.name)}`, scope);
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
    const lines = chosen.map(({ id, value }) => {
      const left = live.value(id, battery?.key);
      return { name: name(id), now: [withUnit(height, Math.round(value)), left !== undefined && withUnit(battery, left)].filter(Boolean).join(" · "), points: trends.points(id) };
    });
    const caption = lines.length ? `${say("wall.altitude_battery")} · ${say("wall.last_60_min")}` : emptyWords("wall.no_airborne");
    chart.draw({ lines, limits: limitsOf(height), from: live.now() - WINDOW_MS, to: live.now(), low: 0, gapMs: kind.stale_after_s * 1000, caption });
  });
}

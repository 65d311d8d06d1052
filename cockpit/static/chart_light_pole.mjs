// Light poles: how many of the lamps that should burn do, street by street the darkest first, and the worst air.

import { Sheet } from "./canvas.mjs";
import { ChartHead } from "./chart_head.mjs";
import { kinds, places, site } from "./city.mjs";
import { number, unitOf } from "./format.mjs";
import { lampCount, valuesOf } from "./kind_headlines.mjs";
import { LineChart } from "./line_chart.mjs";
import { live } from "./live.mjs";
import { limitsOf, rankedTrend } from "./ranked_trend.mjs";
import { named, say } from "./texts.mjs";
import { el } from "./dom.mjs";

const WINDOW_MS = 60 * 60_000;

export async function mount(panel, scope) {
  const [table, known, city] = await Promise.all([kinds(), places(), site()]);
  const kind = table.get("light_pole");
  const air = kind?.field("pm25_ugm3");
  if (!kind) return;
  const head = new ChartHead(panel, kind, scope);
  const body = el("div", { class: "chart-split" });
  panel.append(body);
  const sheet = new Sheet(body, `${named(kind.name)} ${say("wall.lit_rate")}`);
  const chart = air ? new LineChart(body, `${named(kind.name)} ${named(air.name)}`, scope) : null;
  const poles = [...known.values()].filter((p) => p.kind === "light_pole");
  const ids = poles.map((p) => p.id);
  const byStreet = Map.groupBy ? Map.groupBy(poles, (p) => p.street) : group(poles);
  const draw = () => {
    const { due, lit } = lampCount(ids);
    head.show(due ? say("wall.lit_of", { due: number(due), lit: number(lit) }) : say("wall.lamps_off"), due ? `${number((lit / due) * 100, 1)} %` : "");
    panel.classList.toggle("is-day", !due);
    const streets = [...byStreet].map(([key, own]) => ({ name: named(city.street.get(key)?.name, key), ...lampCount(own.map((p) => p.id)) }));
    darkest(sheet, streets.filter((s) => s.due));
  };
  scope.resized(sheet.box, draw);
  scope.every(2000, draw);
  scope.listen(live, "snapshot", draw);
  if (!chart) return;
  rankedTrend(scope, air.key, WINDOW_MS, 2, () => valuesOf(ids, air.key), (chosen, trends) => {
    const lines = chosen.map(({ id, value }) => ({ name: named(city.street.get(known.get(id)?.street)?.name, id), now: number(value), points: trends.points(id) }));
    chart.draw({ lines, limits: limitsOf(air), from: live.now() - WINDOW_MS, to: live.now(), low: 0, gapMs: kind.stale_after_s * 1000, caption: `${named(air.name)} ${unitOf(air)}` });
  });
}

function group(poles) {
  const found = new Map();
  for (const pole of poles) found.set(pole.street, [...(found.get(pole.street) ?? []), pole]);
  return found;
}

function darkest(sheet, streets) {
  const pen = sheet.begin();
  if (!pen || !streets.length) return;
  const em = sheet.unit;
  const row = 1.55 * em;
  const rows = streets.sort((a, b) => a.lit / a.due - b.lit / b.due).slice(0, Math.max(1, Math.floor(sheet.height / row)));
  sheet.type(0.95);
  const label = Math.min(sheet.width * 0.5, Math.max(...rows.map((s) => pen.measureText(s.name).width)) + 0.6 * em);
  const width = sheet.width - label - 3.9 * em;
  rows.forEach((street, i) => {
    const y = i * row + 0.3 * em;
    const share = street.lit / street.due;
    sheet.text(sheet.fitted(street.name, label - 0.5 * em, 0.95), 0, y + 0.72 * em, { size: 0.95, colour: "--ink" });
    pen.fillStyle = sheet.colour("--unlit");
    pen.fillRect(label, y, width, 0.85 * em);
    pen.fillStyle = sheet.colour("--lit");
    pen.fillRect(label, y, width * share, 0.85 * em);
    sheet.text(`${number(share * 100, share < 1 ? 1 : 0)}%`, sheet.width, y + 0.74 * em, { size: 0.95, align: "right", weight: 600, colour: "--ink" });
  });
}

// One figure for each day: bars from nought, or points where only a part of the scale matters; with what is aimed at.

import { el, rem, svg } from "./dom.mjs";
import { niceStep } from "./canvas.mjs";
import { number } from "./format.mjs";
import { say } from "./texts.mjs";

const DAY_LABEL_EM = 3.4;

/**
 * @param chart {label, unit, days: [{day, value, words}], points, low, high, digits, targets: [{value, words}]};
 *   value null: nothing is known of that day
 */
export function dayChart(scope, chart) {
  const box = el("div", { class: "kpi-chart" });
  const known = chart.days.filter(({ value }) => value !== null);
  const spoken = known.map(({ day, words }) => `${day} ${words}`).join(", ");
  const image = svg("svg", { role: "img", "aria-label": `${chart.label}: ${spoken || say("kpi.nothing")}` });
  box.append(image);
  if (!known.length) box.append(el("p", { class: "chart-empty" }, say("kpi.nothing")));
  scope.resized(box, () => draw(box, image, chart, known));
  return el("figure", { class: "kpi-figure" }, el("figcaption", { class: "quiet" }, chart.label), box);
}

function draw(box, image, chart, known) {
  const [width, height] = [box.clientWidth, box.clientHeight];
  if (width < 40 || height < 40) return;
  const em = rem() * 0.8125;
  image.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const values = known.map(({ value }) => value);
  const targets = chart.targets ?? [];
  const low = chart.points ? Math.min(chart.low ?? Infinity, ...values, ...targets.map(({ value }) => value)) : 0;
  const most = Math.max(chart.high ?? -Infinity, ...values, ...(chart.points ? [] : targets.map(({ value }) => value)));
  const span = (Number.isFinite(most) ? most : 1) - (Number.isFinite(low) ? low : 0) || 1;
  const step = niceStep(span, height / (3.2 * em));
  const bottom = Math.floor((Number.isFinite(low) ? low : 0) / step + 1e-9) * step;
  const top = chart.high ?? Math.max(bottom + step, Math.ceil(most / step - 1e-9) * step || step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const text = (x, y, words, anchor, more = "") => svg("text", { x, y, "text-anchor": anchor, "font-size": em, class: more }, words);
  const left = Math.max(...[bottom, top].map((value) => number(value, digits).length)) * em * 0.62 + em * 0.8;
  const area = { left, right: width - em * 0.3, top: em * 1.7, bottom: height - em * 1.7 };
  const y = (value) => area.bottom - ((value - bottom) / (top - bottom)) * (area.bottom - area.top);
  const slot = (area.right - area.left) / Math.max(1, chart.days.length);
  const x = (index) => area.left + slot * (index + 0.5);
  const parts = [text(0, em, chart.unit, "start")];
  for (let value = bottom; value <= top + step / 2; value += step) {
    parts.push(svg("line", { x1: area.left, x2: area.right, y1: y(value), y2: y(value), class: "grid" }));
    parts.push(text(area.left - em * 0.4, y(value) + em * 0.35, number(value, digits), "end"));
  }
  const wide = slot > em * 3.6;
  const every = Math.ceil((DAY_LABEL_EM * em) / slot);
  const path = [];
  chart.days.forEach(({ day, value, words }, index) => {
    if ((chart.days.length - 1 - index) % every === 0) parts.push(text(Math.min(x(index), width - em * 1.6), height - em * 0.3, day.slice(5), "middle"));
    if (value === null) {
      parts.push(text(x(index), area.bottom - em * 0.3, say("device.no_value"), "middle"));
      path.push(null);
      return;
    }
    const title = svg("title", null, `${day} ${words}`);
    if (chart.points) {
      path.push([x(index), y(value)]);
      parts.push(svg("circle", { cx: x(index), cy: y(value), r: em * 0.32, class: "dot" }, title));
    } else {
      const thick = Math.min(slot * 0.72, em * 4);
      parts.push(svg("rect", { x: x(index) - thick / 2, width: thick, y: y(value), height: Math.max(1, area.bottom - y(value)), class: "bar" }, title));
    }
    if (wide) parts.push(text(x(index), Math.max(em, y(value) - em * 0.5), number(value, chart.digits ?? 0), "middle", "value"));
  });
  let pen = "";
  path.forEach((at, index) => {
    if (at) pen += `${path[index - 1] ? "L" : "M"}${at[0].toFixed(1)} ${at[1].toFixed(1)}`;
  });
  if (pen) parts.push(svg("path", { d: pen, class: "course" }));
  for (const { value, words } of targets) {
    if (value < bottom || value > top) continue;
    parts.push(svg("line", { x1: area.left, x2: area.right, y1: y(value), y2: y(value), class: "target" }));
    parts.push(text(area.left + em * 0.3, y(value) - em * 0.3, words, "start", "target-words"));
  }
  image.replaceChildren(...parts);
}

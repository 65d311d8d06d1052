// Lines over time with limits drawn across them; each line is named at its end, so no legend is needed.

import { niceStep, Sheet } from "./canvas.mjs";
import { minute, number } from "./format.mjs";

const SERIES = ["--data", "--data-2", "--data-4", "--data-3"];
const MOST_STEPS = 7;
const TICKS_MS = [60_000, 120_000, 300_000, 600_000, 1_200_000, 1_800_000, 3_600_000];

export class LineChart {
  constructor(container, label, scope) {
    this.sheet = new Sheet(container, label);
    scope.resized(this.sheet.box, () => this.last && this.draw(this.last));
  }

  /** Draw {lines: [{name, points, now}], limits: [{value, priority, text}], from, to, gapMs, low, high, caption}. */
  draw(chart) {
    this.last = chart;
    // For whoever looks at the drawing with other means than eyes.
    this.sheet.canvas.dataset.points = chart.lines.reduce((sum, line) => sum + line.points.length, 0);
    const sheet = this.sheet;
    const pen = sheet.begin();
    if (!pen) return;
    const em = sheet.unit;
    const small = 1;
    const [low, high] = extent(chart);
    const step = niceStep(high - low, Math.min(MOST_STEPS, sheet.height / (2.6 * em)));
    // As high as it has to be: up to the next round number, limits of a small chart would lie on each other.
    const top = high;
    const bottom = Math.floor(low / step) * step;
    const digits = step < 1 ? 1 : 0;
    sheet.type(small);
    const left = pen.measureText(number(top, digits)).width + 0.5 * em;
    sheet.type(1, 700);
    const names = chart.lines.flatMap((line) => [line.name, line.place ?? "", line.now ?? ""].map((words) => pen.measureText(words).width));
    const right = Math.min(sheet.width * 0.4, Math.max(0, ...names) + 0.8 * em);
    const box = { left, right: sheet.width - right, top: (chart.caption ? 1.7 : 0.7) * em, bottom: sheet.height - 1.6 * em };
    if (chart.caption) sheet.text(chart.caption, 0, 0.85 * em, { size: small, weight: 600, colour: "--ink" });
    const x = (at) => box.left + ((at - chart.from) / (chart.to - chart.from)) * (box.right - box.left);
    const y = (value) => box.bottom - ((value - bottom) / (top - bottom || 1)) * (box.bottom - box.top);

    for (let value = bottom; value <= top; value += step) {
      sheet.line(box.left, y(value), box.right, y(value), "--line", 1);
      sheet.text(number(value, digits), box.left - 0.4 * em, y(value), { size: small, align: "right", base: "middle" });
    }
    const tick = TICKS_MS.find((ms) => (chart.to - chart.from) / ms <= (box.right - box.left) / (4.5 * em)) ?? 3_600_000;
    for (let at = Math.ceil(chart.from / tick) * tick; at <= chart.to; at += tick) {
      sheet.line(x(at), box.bottom, x(at), box.bottom + 0.25 * em, "--line-strong", 1);
      // The names at the right end have the foot for themselves.
      if (x(at) > box.right - em) continue;
      sheet.text(minute(at), x(at), sheet.height - 0.25 * em, { size: small, align: "center" });
    }
    const limits = (chart.limits ?? []).filter((limit) => limit.value <= top && limit.value >= bottom);
    for (const limit of limits) sheet.line(box.left, y(limit.value), box.right, y(limit.value), colourOf(limit), em * 0.1, [em * 0.5, em * 0.35]);
    chart.lines.forEach((line, i) => stroke(sheet, line, x, y, SERIES[i % SERIES.length], chart.gapMs ?? Infinity));
    nameLimits(sheet, limits, box, y);
    nameEnds(sheet, chart.lines, box, y);
  }
}

const colourOf = (limit) => `--${limit.priority.toLowerCase()}`;

/** The words of limits, each on its line; where lines stand close, the words stand side by side. */
function nameLimits(sheet, limits, box, y) {
  const em = sheet.unit;
  const taken = [];
  for (const limit of limits) {
    const at = y(limit.value);
    sheet.type(1, 600);
    const width = sheet.pen.measureText(limit.text).width;
    const near = taken.filter((other) => Math.abs(other.at - at) < 1.2 * em);
    const left = Math.max(box.left + 0.3 * em, ...near.map((other) => other.right + 0.8 * em));
    if (left + width > box.right) continue;
    taken.push({ at, left, right: left + width, text: limit.text });
    // No line goes through the words of another.
    sheet.pen.fillStyle = sheet.colour("--panel");
    sheet.pen.fillRect(left - 0.15 * em, at - 1.1 * em, width + 0.3 * em, em);
    sheet.text(limit.text, left, at - 0.2 * em, { size: 1, weight: 600, colour: colourOf(limit) });
  }
  sheet.canvas.dataset.limits = JSON.stringify(taken.map(({ at, left, right, text }) => ({ at: Math.round(at), left: Math.round(left), right: Math.round(right), text })));
}

function extent({ lines, limits = [], low, high }) {
  const values = lines.flatMap((line) => line.points.map((point) => point[1]));
  const first = limits.length ? [limits[0].value] : [];
  const most = Math.max(high ?? -Infinity, ...values, ...first);
  const least = Math.min(low ?? Infinity, ...values);
  // The next limit is drawn too as soon as the values come near it.
  const reached = limits.filter((limit) => limit.value <= most * 1.6).map((limit) => limit.value);
  const top = Math.max(most, ...reached);
  if (!Number.isFinite(top) || !Number.isFinite(least)) return [0, 1];
  return top - least < 1e-9 ? [least - 1, top + 1] : [least, top + (top - least) * 0.06];
}

function stroke(sheet, line, x, y, colour, gapMs) {
  const { pen } = sheet;
  pen.strokeStyle = sheet.colour(colour);
  pen.lineWidth = sheet.unit * 0.14;
  pen.lineJoin = "round";
  pen.beginPath();
  let before = null;
  for (const [at, value] of line.points) {
    if (before === null || at - before > gapMs) pen.moveTo(x(at), y(value));
    else pen.lineTo(x(at), y(value));
    before = at;
  }
  pen.stroke();
  const last = line.points[line.points.length - 1];
  if (last) {
    pen.fillStyle = sheet.colour(colour);
    pen.beginPath();
    pen.arc(x(last[0]), y(last[1]), sheet.unit * 0.2, 0, 7);
    pen.fill();
  }
}

/** Names, places and present values at the right edge, pushed apart so that none covers another. */
function nameEnds(sheet, lines, box, y) {
  const em = sheet.unit;
  const placed = lines.some((line) => line.place);
  const room = (placed ? 3.6 : 2.5) * em;
  const most = Math.max(1, Math.floor(sheet.height / room));
  const ends = lines
    .map((line, i) => ({ line, colour: SERIES[i % SERIES.length], y: y(line.points[line.points.length - 1]?.[1] ?? 0) }))
    .filter(({ line }) => line.points.length)
    .slice(0, most)
    .sort((a, b) => a.y - b.y);
  let floor = 0.75 * em;
  for (const end of ends) {
    end.y = Math.max(end.y, floor);
    floor = end.y + room;
  }
  let ceiling = sheet.height - (placed ? 2.6 : 1.5) * em;
  for (const end of [...ends].reverse()) {
    end.y = Math.min(end.y, ceiling);
    ceiling = end.y - room;
  }
  for (const { line, colour, y: at } of ends) {
    sheet.text(line.now ?? "", box.right + 0.6 * em, at + 0.15 * em, { size: 1, weight: 700, colour });
    [line.name, line.place].filter(Boolean).forEach((words, i) => {
      sheet.text(sheet.fitted(words, sheet.width - box.right - 0.6 * em), box.right + 0.6 * em, at + (1.2 + 1.1 * i) * em, { colour: "--quiet" });
    });
  }
}

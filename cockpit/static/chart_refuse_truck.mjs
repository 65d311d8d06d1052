// Refuse: what was collected today by the hour, beside the same day of last year, or what is nearest to it; and, when
// the scene is theirs, how full the trucks are.

import { niceStep, Sheet } from "./canvas.mjs";
import { ChartHead, emptyWords } from "./chart_head.mjs";
import { kinds, places } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { number, time } from "./format.mjs";
import { valuesOf } from "./kind_headlines.mjs";
import { live } from "./live.mjs";
import { named, say } from "./texts.mjs";
import { comparison, cumulated } from "./tonnage.mjs";
import { wallFigures } from "./wall_figures.mjs";

const HOUR_MS = 3_600_000;
const DAY_H = 24;
const STEP = 10;
const STEPS = 14;
const YEAR_DAYS = 366;

export async function mount(panel, scope) {
  const [table, known] = await Promise.all([kinds(), places()]);
  const kind = table.get("refuse_truck");
  const field = kind?.field("load_pct");
  if (!field) return;
  const head = new ChartHead(panel, kind, scope);
  const words = el("p", { class: "chart-words" });
  panel.append(words);
  const sheet = new Sheet(panel, `${named(kind.name)} ${say("wall.tonnage")}`);
  const more = el("div", { class: "chart-more only-front" }, el("h3", null, say("wall.load_share")));
  panel.append(more);
  const loads = new Sheet(more, `${named(kind.name)} ${say("wall.load_share")}`);
  const empty = el("p", { class: "chart-empty" });
  panel.append(empty);
  const ids = [...known.values()].filter((p) => p.kind === "refuse_truck").map((p) => p.id);
  const levels = field.limits[0]?.levels ?? [];
  const draw = () => {
    const figures = wallFigures.of("refuse_truck");
    panel.classList.toggle("is-empty", !figures);
    setText(empty, figures || !live.ready ? "" : emptyWords("wall.no_tonnage"));
    if (figures) {
      const found = comparison(figures, hourNow(figures));
      head.show(say("wall.tonnage_today", { time: time(figures.at) }), `${number(found.today, 1)} ${say("unit.tonne")}`);
      panel.dataset.basis = figures.against.basis ?? "none";
      setText(words, against(figures, found));
      course(sheet, figures);
    } else head.show(say("wall.tonnage"), "");
    if (more.offsetParent) bars(loads, valuesOf(ids, field.key).map((r) => r.value), levels);
  };
  scope.resized(sheet.box, draw);
  scope.resized(loads.box, draw);
  scope.every(2000, draw);
  scope.listen(wallFigures, "change", draw);
  wallFigures.follow("refuse_truck", scope);
}

/** Hours of the day that were over when the figures were made, with the part of the one that ran. */
function hourNow(figures) {
  const ran = (Date.parse(figures.at) % HOUR_MS) / HOUR_MS;
  return Math.max(0, figures.hours.length - 1) + ran;
}

function against(figures, { change, other }) {
  const { basis, day } = figures.against;
  if (!basis) return say(figures.kept_days < YEAR_DAYS ? "wall.against_none_kept" : "wall.against_none", { year: figures.last_year, days: number(figures.kept_days) });
  const words = { day, change: change === null ? "" : say("wall.change", { pct: `${change >= 0 ? "+" : "−"}${number(Math.abs(change * 100), 1)}` }), other: number(other, 1) };
  return say(`wall.against_${basis}`, { ...words, year: figures.last_year });
}

function course(sheet, figures) {
  const pen = sheet.begin();
  if (!pen) return;
  const em = sheet.unit;
  const today = cumulated(figures.hours);
  const other = cumulated(figures.against.hours);
  const most = Math.max(1, today[today.length - 1] ?? 0, other[other.length - 1] ?? 0);
  const step = niceStep(most, sheet.height / (2.8 * em));
  const top = Math.ceil(most / step) * step;
  const digits = step < 1 ? 1 : 0;
  sheet.type(1);
  const left = pen.measureText(number(top, digits)).width + 0.6 * em;
  const box = { left, right: sheet.width - 0.8 * em, top: 1.5 * em, bottom: sheet.height - 1.7 * em };
  const x = (hour) => box.left + (hour / DAY_H) * (box.right - box.left);
  const y = (value) => box.bottom - (value / top) * (box.bottom - box.top);
  sheet.text(say("unit.tonne"), 0, 0.9 * em);
  for (let value = 0; value <= top + step / 2; value += step) {
    sheet.line(box.left, y(value), box.right, y(value), "--line", 1);
    sheet.text(number(value, digits), box.left - 0.4 * em, y(value), { align: "right", base: "middle" });
  }
  for (let hour = 0; hour <= DAY_H; hour += 6) sheet.text(`${String(hour).padStart(2, "0")}:00`, x(hour), sheet.height - 0.2 * em, { align: hour === 0 ? "left" : hour === DAY_H ? "right" : "center" });
  const draw = (points, colour, dash, end) => {
    pen.strokeStyle = sheet.colour(colour);
    pen.lineWidth = em * 0.16;
    pen.setLineDash(dash);
    pen.beginPath();
    points.forEach((value, hour) => (hour ? pen.lineTo(x(Math.min(hour, end)), y(value)) : pen.moveTo(x(0), y(value))));
    pen.stroke();
    pen.setLineDash([]);
  };
  const key = [];
  if (other.length > 1) {
    draw(other, "--data-2", [em * 0.5, em * 0.35], DAY_H);
    key.push([say(`wall.line_${figures.against.basis}`, { day: figures.against.day.slice(5) }), "--data-2"]);
  }
  draw(today, "--data", [], hourNow(figures));
  key.push([say("wall.today_line"), "--data"]);
  let right = box.right;
  for (const [text, colour] of key) {
    sheet.text(text, right, 0.9 * em, { align: "right", weight: 700, colour });
    sheet.type(1, 700);
    right -= pen.measureText(text).width + em;
  }
}

function bars(sheet, shares, levels) {
  const pen = sheet.begin();
  if (!pen) return;
  const em = sheet.unit;
  const counts = new Array(STEPS).fill(0);
  for (const share of shares) counts[Math.min(STEPS - 1, Math.max(0, Math.floor(share / STEP)))] += 1;
  const box = { left: 0.4 * em, right: sheet.width - 0.4 * em, top: 2.4 * em, bottom: sheet.height - 1.6 * em };
  const width = (box.right - box.left) / STEPS;
  const most = Math.max(4, ...counts);
  counts.forEach((count, i) => {
    const reached = levels.filter((level) => level.value <= i * STEP).pop();
    const x = box.left + i * width;
    const height = (count / most) * (box.bottom - box.top);
    pen.fillStyle = sheet.colour(reached ? `--${reached.priority.toLowerCase()}` : "--data");
    pen.fillRect(x + width * 0.12, box.bottom - height, width * 0.76, height);
    if (count) sheet.text(number(count), x + width / 2, box.bottom - height - 0.25 * em, { align: "center", weight: 600, colour: "--ink" });
    if (i % 2 === 0) sheet.text(`${i * STEP}${i === 12 ? " %" : ""}`, x, sheet.height - 0.25 * em, { align: i ? "center" : "left" });
  });
  sheet.line(box.left, box.bottom, box.right, box.bottom, "--line-strong", 1);
  const full = box.left + 10 * width;
  sheet.line(full, box.top - 0.9 * em, full, box.bottom, "--quiet", 1, [em * 0.3, em * 0.3]);
  sheet.text(say("wall.rated"), full, box.top - 1.2 * em, { align: "center" });
}

// The alarms that a draft would let vanish, appear or change, each with what its device measured around its beginning.

import { shortPriority } from "./alarms.mjs";
import { el, svg } from "./dom.mjs";
import { alarmFigure, moment, number, time, unitOf } from "./format.mjs";
import { live } from "./live.mjs";
import { named, say } from "./texts.mjs";

const SHOWN = 100;
const OPEN = new Set(["vanish", "appear", "missed"]);
const [WIDTH, HEIGHT, EDGE] = [100, 24, 2];

/** The city of today as it was when the alarm began. */
export const asItWas = (item) => ({ href: `device/${encodeURIComponent(item.device)}?at=${encodeURIComponent(item.at)}` });

/** One list; `place` says where the device of an alarm is looked at. */
export function itemList(key, found, place) {
  const items = found.items.slice(0, SHOWN);
  const head = el("summary", null, say(`rules.${key}`, { count: number(found.count) }));
  if (!items.length) return el("p", { class: "quiet rules-nothing" }, head.textContent);
  return el(
    "details",
    { class: `rules-items is-${key}`, open: OPEN.has(key) },
    head,
    el("ul", null, items.map((item) => line(item, place))),
    found.count > items.length && el("p", { class: "quiet" }, say("rules.more", { count: number(found.count - items.length) })),
  );
}

function line(item, place) {
  const now = shortPriority(item.priority);
  return el(
    "li",
    null,
    el("span", { class: `rules-priority priority-${item.priority}` }, item.was ? `${shortPriority(item.was)} → ${now}` : now),
    el("a", place(item), item.device),
    el("span", null, named(item.rule_name)),
    el("b", { class: "numeric" }, alarmFigure(item)),
    el("time", { class: "quiet numeric" }, moment(item.at, live.now())),
    item.readings?.length > 0 && readings(item),
  );
}

function readings(item) {
  const unit = unitOf({ unit_label: item.readings_unit });
  const figures = item.readings.filter((each) => typeof each.value === "number");
  // As exact as the most exact of them, so that they can be compared.
  const digits = Math.max(0, ...figures.map(({ value }) => [0, 1].find((n) => Number(value.toFixed(n)) === value) ?? 2));
  const word = (value) => {
    const code = item.codes?.[String(value)];
    if (code) return named(code);
    return typeof value === "number" ? number(value, digits) : String(value);
  };
  const rest = item.readings_of - item.readings.length;
  return el(
    "details",
    { class: "rules-readings" },
    el("summary", null, figures.length > 1 && curve(item, figures), el("span", { class: "quiet numeric" }, say("rules.readings", { count: number(item.readings_of) }))),
    el(
      "ol",
      { class: "numeric" },
      item.readings.map((each) =>
        el("li", { class: each.at === item.at ? "is-begin" : null }, el("time", { class: "quiet" }, time(each.at)), ` ${word(each.value)} ${unit}`.trimEnd(), each.quality > 0 && el("abbr", { title: say("rules.doubtful") }, " ?")),
      ),
      rest > 0 && el("li", { class: "quiet" }, say("rules.more_readings", { count: number(rest) })),
    ),
  );
}

/** A small curve of the readings, with a line where the alarm begins. */
function curve(item, figures) {
  const [from, to] = [Date.parse(figures[0].at), Date.parse(figures.at(-1).at)];
  const values = figures.map((each) => each.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (at) => EDGE + ((WIDTH - 2 * EDGE) * (Date.parse(at) - from)) / Math.max(1, to - from);
  const y = (value) => (high === low ? HEIGHT / 2 : HEIGHT - EDGE - ((HEIGHT - 2 * EDGE) * (value - low)) / (high - low));
  const begin = Math.min(WIDTH - EDGE, Math.max(EDGE, x(item.at)));
  return svg(
    "svg",
    { class: "rules-curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("line", { x1: begin, x2: begin, y1: 0, y2: HEIGHT }),
    svg("polyline", { points: figures.map((each) => `${x(each.at).toFixed(1)},${y(each.value).toFixed(1)}`).join(" ") }),
  );
}

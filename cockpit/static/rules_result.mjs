// What a back-test found: bars of alarms by priority and by day under both rules, the load on the officer, the lists.

import { el } from "./dom.mjs";
import { moment, number } from "./format.mjs";
import { live } from "./live.mjs";
import { named, say } from "./texts.mjs";

const PRIORITIES = ["P1", "P2", "P3", "P4", "health"];
const SIDES = ["before", "after"];
const MOST_DAYS = 31;
const SHOWN = 100;
// ISA-18.2: what one operator can bear, and where it is too much.
const LOAD = [
  ["per_10_min", 1, 2, false],
  ["per_hour", 6, 12, false],
  ["flood_share", 0.01, 0.01, true],
  ["busiest_share", 0.05, 0.05, true],
];

export function resultParts(result) {
  return [
    el("div", { class: "rules-plots" }, byPriority(result), byDay(result)),
    load(result),
    ...["vanish", "appear", "moved"].map((key) => list(key, result[key])),
    result.verdicts.missed_items.length ? list("missed", { count: result.verdicts.missed, items: result.verdicts.missed_items }) : null,
  ].filter(Boolean);
}

function byPriority(result) {
  const most = Math.max(1, ...SIDES.flatMap((side) => PRIORITIES.map((each) => result[side].priorities[each])));
  const row = (priority) =>
    el(
      "div",
      { class: "rules-bars" },
      el("span", { class: `rules-priority priority-${priority}` }, say(`priority.${priority}`)),
      SIDES.map((side) => {
        const count = result[side].priorities[priority];
        return el(
          "span",
          { class: `rules-bar is-${side}` },
          el("i", { style: `inline-size: ${(70 * count) / most}%` }),
          el("b", { class: "numeric" }, number(count)),
        );
      }),
    );
  return el("figure", { class: "rules-plot" }, el("figcaption", null, say("rules.by_priority"), legend()), PRIORITIES.map(row));
}

function byDay(result) {
  const days = result.by_day.slice(-MOST_DAYS);
  const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
  const most = Math.max(1, ...days.flatMap((day) => SIDES.map((side) => sum(day[side]))));
  const column = (day) =>
    el(
      "div",
      { class: "rules-day", title: `${day.day}: ${number(sum(day.before))} → ${number(sum(day.after))}` },
      SIDES.map((side) => el("i", { class: `is-${side}`, style: `block-size: ${(100 * sum(day[side])) / most}%` })),
      el("span", { class: "quiet numeric" }, day.day.slice(5)),
    );
  // What a few minutes held says nothing about a day.
  const [key, figure] = result.days < 1 ? ["rules.in_span", "activations"] : ["rules.per_day", "per_day"];
  const text = SIDES.map((side) => number(result[side][figure], figure === "per_day" ? 1 : 0)).join(" → ");
  return el(
    "figure",
    { class: "rules-plot" },
    el("figcaption", null, say(key, { figures: text })),
    days.length ? el("div", { class: "rules-days" }, days.map(column)) : el("p", { class: "quiet" }, say("rules.no_alarms")),
  );
}

const legend = () => el("span", { class: "rules-legend" }, SIDES.map((side) => el("span", { class: `is-${side}` }, el("i"), say(`rules.${side}`))));

function load(result) {
  const cell = (side, key, red, share) => {
    const value = result[side][key];
    const text = value === null ? say("device.no_value") : share ? `${number(100 * value, 1)} %` : number(value, 1);
    // Too much is said by a mark, too, not by colour alone.
    return el("td", { class: value > red ? "numeric is-much" : "numeric" }, value > red ? `▲ ${text}` : text);
  };
  return el(
    "table",
    { class: "rules-load" },
    el("caption", null, say("rules.load")),
    el("thead", null, el("tr", null, ["figure", "before", "after", "target"].map((key) => el("th", { scope: "col" }, say(`rules.${key}`))))),
    el(
      "tbody",
      null,
      LOAD.map(([key, target, red, share]) =>
        el("tr", null, el("th", { scope: "row" }, say(`rules.load_${key}`)), SIDES.map((side) => cell(side, key, red, share)), el("td", { class: "numeric quiet" }, share ? `< ${number(100 * target)} %` : `~ ${number(target)}`)),
      ),
      el("tr", null, el("th", { scope: "row" }, say("rules.load_chattering")), SIDES.map((side) => el("td", { class: "numeric" }, number(result[side].chattering.length))), el("td", { class: "numeric quiet" }, number(0))),
    ),
  );
}

function list(key, found) {
  const items = found.items.slice(0, SHOWN);
  const head = el("summary", null, say(`rules.${key}`, { count: number(found.count) }));
  if (!items.length) return el("p", { class: "quiet rules-nothing" }, head.textContent);
  return el(
    "details",
    { class: `rules-items is-${key}`, open: key === "vanish" || key === "appear" || key === "missed" },
    head,
    el("ul", null, items.map(line)),
    found.count > items.length && el("p", { class: "quiet" }, say("rules.more", { count: number(found.count - items.length) })),
  );
}

function line(item) {
  const value = item.value === null ? "" : `${number(item.value, 1)} ${item.unit === "1" ? "" : item.unit}`;
  return el(
    "li",
    null,
    el("span", { class: `rules-priority priority-${item.priority}` }, item.was ? `${item.was} → ${item.priority}` : item.priority),
    el("a", { href: `device/${encodeURIComponent(item.device)}` }, item.device),
    el("span", null, named(item.rule_name)),
    el("b", { class: "numeric" }, value),
    el("time", { class: "quiet numeric" }, moment(item.at, live.now())),
  );
}

// Alarms by day under both rules: two columns a day, each stacked by priority, the worst at the foot.

import { shortPriority } from "./alarms.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { say } from "./texts.mjs";
import { PRIORITIES } from "./urgency.mjs";

export const SIDES = ["before", "after"];
const MOST_DAYS = 31;

export function dayColumns(result) {
  const days = result.by_day.slice(-MOST_DAYS);
  const most = Math.max(1, ...days.flatMap((day) => SIDES.map((side) => sum(day[side]))));
  // What a few minutes held says nothing about a day.
  const [key, figure] = result.days < 1 ? ["rules.in_span", "activations"] : ["rules.per_day", "per_day"];
  const text = SIDES.map((side) => number(result[side][figure], figure === "per_day" ? 1 : 0)).join(" → ");
  const there = PRIORITIES.filter((priority) => days.some((day) => SIDES.some((side) => day[side][priority])));
  return el(
    "figure",
    { class: "rules-plot" },
    el("figcaption", null, say(key, { figures: text }), el("span", { class: "rules-legend" }, there.map((each) => el("span", { class: `rules-part priority-${each}` }, el("i"), shortPriority(each))))),
    days.length ? el("div", { class: "rules-days" }, days.map((day) => column(day, most))) : el("p", { class: "quiet" }, say("rules.no_alarms")),
  );
}

const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
const parts = (counts) => PRIORITIES.filter((priority) => counts[priority]);

function column(day, most) {
  const words = SIDES.map((side) => `${say(`rules.${side}`)} ${number(sum(day[side]))}${told(day[side])}`);
  const stack = (side) =>
    el(
      "span",
      { class: `rules-stack is-${side}` },
      parts(day[side]).map((priority) => el("i", { class: `rules-part priority-${priority}`, style: `block-size: ${(100 * day[side][priority]) / most}%` })),
    );
  return el("div", { class: "rules-day", role: "img", "aria-label": [day.day, ...words].join(", "), title: [day.day, ...words].join("\n") }, SIDES.map(stack), el("span", { class: "quiet numeric" }, day.day.slice(5)));
}

function told(counts) {
  const each = parts(counts).map((priority) => `${shortPriority(priority)} ${number(counts[priority])}`);
  return each.length ? ` (${each.join(" · ")})` : "";
}

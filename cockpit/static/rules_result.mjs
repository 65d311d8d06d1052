// What a back-test found: bars of alarms by priority and by day under both rules, the load on the officer, the lists.

import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { dayColumns, SIDES } from "./rules_days.mjs";
import { asItWas, itemList } from "./rules_items.mjs";
import { named, say } from "./texts.mjs";
import { PRIORITIES } from "./urgency.mjs";

// ISA-18.2: what one operator can bear, and where it is too much.
const LOAD = [
  ["per_10_min", 1, 2, false],
  ["per_hour", 6, 12, false],
  ["flood_share", 0.01, 0.01, true],
  ["busiest_share", 0.05, 0.05, true],
];

/** `place` says where the device of an alarm is looked at. */
export function resultParts(result, place = asItWas) {
  const missed = { count: result.verdicts.missed, items: result.verdicts.missed_items };
  return [
    notJudged(result),
    el("div", { class: "rules-plots" }, byPriority(result), dayColumns(result)),
    load(result),
    ...["vanish", "appear", "moved"].map((key) => itemList(key, result[key], place)),
    missed.items.length ? itemList("missed", missed, place) : null,
  ].filter(Boolean);
}

/** What history cannot judge of the draft, or nothing. */
export function notJudged(result) {
  const left = result?.not_judged ?? [];
  if (!left.length) return null;
  return el("p", { class: "problem" }, say("rules.not_judged", { rules: left.map((each) => `${named(each.name)} (${each.rule})`).join(say("rules.between")) }));
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

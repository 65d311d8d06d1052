// The common course of a chart of "the worst few": choose them now and then, follow their history, draw once a second.

import { fieldValue } from "./format.mjs";
import { live } from "./live.mjs";
import { stage } from "./stage.mjs";
import { Trends } from "./trends.mjs";

const CHOOSE_MS = 15_000;
const DRAW_MS = 1_000;

/**
 * @param readings function giving the present [{id, value}] of all candidates
 * @param draw called with the chosen readings, worst first, and their Trends
 * @param wanted function giving a device that is shown in any case, or null
 */
export function rankedTrend(scope, field, windowMs, count, readings, draw, wanted = () => null) {
  const trends = new Trends(field, windowMs, scope);
  let chosen = [];
  const choose = () => {
    const worst = readings().sort((a, b) => b.value - a.value || (a.id < b.id ? -1 : 1));
    const ids = worst.map((reading) => reading.id);
    const own = wanted();
    chosen = [...(ids.includes(own) ? [own] : []), ...ids.filter((id) => id !== own)].slice(0, count);
    trends.follow(chosen);
  };
  // An alarm may be here a moment before the reading that raised it.
  const late = () => {
    const own = wanted();
    return own && !chosen.includes(own) && readings().some(({ id }) => id === own);
  };
  const redraw = () => {
    if (late()) choose();
    const now = chosen.flatMap((id) => {
      const value = live.value(id, field);
      return Number.isFinite(value) ? [{ id, value }] : [];
    });
    draw(now.sort((a, b) => b.value - a.value), trends);
  };
  const both = () => {
    choose();
    redraw();
  };
  if (live.ready) both();
  scope.listen(live, "snapshot", both);
  scope.listen(stage, "scene", both);
  scope.every(CHOOSE_MS, choose);
  scope.every(DRAW_MS, redraw);
}

/** The limits of a field as lines to draw, mildest first. */
export function limitsOf(field) {
  const limit = field.limits.find((l) => l.sense !== "state" && l.of_values);
  return (limit?.levels ?? []).map((level) => ({
    value: level.value,
    priority: level.priority,
    text: `${level.priority} ${fieldValue(field, level.value)}`,
  }));
}

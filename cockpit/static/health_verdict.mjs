// Whether an equation holds, as shape and words; only a real difference has the colour of an urgent alarm.

import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { mark, PRIORITY_SHAPES, STATE_SHAPES } from "./shapes.mjs";
import { say } from "./texts.mjs";

export function verdict({ state, by }) {
  if (state === "even") return el("span", { class: "verdict is-even" }, mark(STATE_SHAPES.ACKED), say("health.even"));
  if (state === "moving") return el("span", { class: "verdict is-moving" }, say("health.moving", { count: number(by) }));
  return el("span", { class: "verdict is-off" }, mark(PRIORITY_SHAPES.P1), say("health.off", { count: number(by) }));
}

/** A part that is well, or what is wrong with it. */
export function wellness(well, words) {
  return el("span", { class: `wellness ${well ? "is-well" : "is-ill"}` }, mark(well ? STATE_SHAPES.ACKED : PRIORITY_SHAPES.health), words);
}

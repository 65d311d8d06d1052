// Lamps in words: what is wanted of them, how they stand to it, and how old what they say is.

import { el } from "./dom.mjs";
import { duration, number } from "./format.mjs";
import { live } from "./live.mjs";
import { session } from "./session.mjs";
import { say } from "./texts.mjs";

export const STANDINGS = ["waiting", "following", "obeyed", "not_obeyed", "refused", "timed_out", "expired"];

/** Officers and leaders switch lamps; who is not logged in may try and is asked then. */
export function maySwitch() {
  const now = session();
  return !now?.user || ["officer", "leader"].some((role) => (now.roles ?? []).includes(role));
}

/** "off", "dim to 40 %", "back to its schedule": what an order or a command wants. */
export function wantedText(dim) {
  if (dim === null || dim === undefined) return say("lamps.want_auto");
  if (dim === 0) return say("lamps.want_off");
  return dim === 100 ? say("lamps.want_on") : say("lamps.want_dim", { pct: number(dim) });
}

export const percent = (value) => (value === null || value === undefined ? say("device.no_value") : `${number(value)} %`);

export const age = (at) => (at ? say("lamps.age", { age: duration(live.now() - Date.parse(at)) }) : say("lamps.never"));

/** What leaks: lamps by their numbers, a whole circuit by its name. */
export const leakText = (leaking) => leaking.map((key) => (key.startsWith("circuit:") ? say("lamps.to_circuit", { circuit: key.slice(8) }) : key)).join(", ");

export function standingTag(word, count = null) {
  const text = count === null ? say(`lamps.standing_${word}`) : `${say(`lamps.standing_${word}`)} ${number(count)}`;
  return el("span", { class: `tag lamp-standing lamp-${word}` }, text);
}

/** The actual brightness as a bar, and below it the commanded one. */
export function levelBar(actual, wanted) {
  const shines = el("progress", { class: "lamp-level", max: "100", "aria-label": say("lamps.actual") });
  const goal = el("meter", { class: "lamp-goal", min: "0", max: "100", "aria-label": say("lamps.commanded") });
  const show = (now, told) => {
    shines.value = now ?? 0;
    goal.value = told ?? 0;
    goal.hidden = told === null || told === undefined;
  };
  show(actual, wanted);
  return { element: el("span", { class: "lamp-bars" }, shines, goal), show };
}

// The badge every page carries: live, connecting, no data since when, or alarms that may be missing since when.

import { el } from "./dom.mjs";
import { time } from "./format.mjs";
import { live } from "./live.mjs";
import { KIND_SHAPES, mark } from "./shapes.mjs";
import { say } from "./texts.mjs";

export function mount(element, scope) {
  const show = () => {
    const absent = live.summary?.watchdog;
    const state = live.stale || absent ? "stale" : live.ready ? "live" : "connecting";
    element.className = `live-badge is-${state}`;
    let words = say(`shell.${state}`);
    if (live.stale) words = say("shell.stale_since", { time: time(live.lastAt()) });
    else if (absent) words = say("shell.watchdog_since", { time: time(absent.since) });
    element.replaceChildren(mark(state === "stale" ? KIND_SHAPES.square : KIND_SHAPES.circle), el("span", null, words));
  };
  show();
  for (const type of ["state", "summary"]) scope.listen(live, type, show);
}

// The badge every page carries: live, connecting, or no data since when.

import { el } from "./dom.mjs";
import { time } from "./format.mjs";
import { live } from "./live.mjs";
import { KIND_SHAPES, mark } from "./shapes.mjs";
import { say } from "./texts.mjs";

export function mount(element, scope) {
  const show = () => {
    const state = live.stale ? "stale" : live.ready ? "live" : "connecting";
    element.className = `live-badge is-${state}`;
    const words = live.stale ? say("shell.stale_since", { time: time(live.lastAt()) }) : say(`shell.${state}`);
    element.replaceChildren(mark(live.stale ? KIND_SHAPES.square : KIND_SHAPES.circle), el("span", null, words));
  };
  show();
  scope.listen(live, "state", show);
}

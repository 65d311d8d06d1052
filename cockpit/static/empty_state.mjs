// What a list of alarms says when it is empty: that nothing is open, of how many devices, and as of when.

import { el } from "./dom.mjs";
import { number, time } from "./format.mjs";
import { live } from "./live.mjs";
import { mark, STATE_SHAPES } from "./shapes.mjs";
import { say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

export function nothingOpen() {
  const kinds = Object.values(live.summary?.kinds ?? {});
  const devices = number(kinds.reduce((sum, kind) => sum + kind.total, 0));
  const words = timeWindow.past ? "alarm.none_then" : "alarm.none_detail";
  const detail = live.ready ? say(words, { devices, time: time(live.now()) }) : say("shell.loading");
  return el(
    "div",
    { class: "nothing-open" },
    live.ready && mark(STATE_SHAPES.ACKED),
    el("strong", null, live.ready ? say("alarm.none") : ""),
    el("span", null, detail),
  );
}

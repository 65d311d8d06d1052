// The badge every page carries: live, connecting, no data since when, or alarms that stand still or may be missing.

import { el } from "./dom.mjs";
import { day, number, time } from "./format.mjs";
import { live } from "./live.mjs";
import { KIND_SHAPES, mark } from "./shapes.mjs";
import { say, settings } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

const PLAYED_MS = 500;

export function mount(element, scope) {
  if (timeWindow.past) {
    element.className = "live-badge is-past";
    return element.replaceChildren(mark(KIND_SHAPES.square), el("span", null, say("past.title")));
  }
  const show = () => {
    const absent = live.summary?.watchdog;
    const going = settings.replay || settings.drill ? "replay" : "live";
    const stalled = live.summary?.alarms_stalled;
    const state = live.stale || stalled || absent ? "stale" : live.ready ? going : "connecting";
    element.className = `live-badge is-${state}`;
    let words = state === "replay" ? (settings.drill ? drilled() : played()) : say(`shell.${state}`);
    if (live.stale) words = say("shell.stale_since", { time: time(live.lastAt()) });
    else if (stalled) words = say("shell.alarms_stalled_since", { time: time(stalled.since) });
    else if (absent) words = say("shell.watchdog_since", { time: time(absent.since) });
    element.replaceChildren(mark(state === "stale" ? KIND_SHAPES.square : KIND_SHAPES.circle), el("span", null, words));
  };
  show();
  if (settings.replay || settings.drill) scope.every(PLAYED_MS, show);
  for (const type of ["state", "summary"]) scope.listen(live, type, show);
}

/** "REPLAY ×10, day and time of the recording". */
function played() {
  const { speed = 1, paused = false, over = false } = live.replay ?? {};
  const pace = over ? say("shell.replay_over") : paused ? say("shell.replay_paused") : speed ? `×${number(speed, speed % 1 ? 1 : 0)}` : say("shell.replay_max");
  return say("shell.replay_at", { pace, time: `${day(live.now())} ${time(live.now())}` });
}

/** "DRILL, time of its own clock": its speed is that of life. */
function drilled() {
  return live.replay?.over ? say("drill.over") : say("drill.at", { time: time(live.now()) });
}

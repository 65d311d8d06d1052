// On the live desk, while an exercise runs: what it is, how its desk stands, and the way there; never among the real alarms.

import { address } from "./api.mjs";
import { priorityText } from "./alarms.mjs";
import { el } from "./dom.mjs";
import { leads } from "./drill_start.mjs";
import { drillWatch, endDrill } from "./drill_watch.mjs";
import { duration, number, time } from "./format.mjs";
import { sessions } from "./session.mjs";
import { priorityBadge } from "./shapes.mjs";
import { named, say, settings } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

export function mount(element, scope) {
  if (timeWindow.past || settings.drill || settings.replay) return;
  let last = "";
  const show = () => {
    const drill = drillWatch.drill;
    const told = JSON.stringify([drill, leads()]);
    if (told === last) return;
    last = told;
    element.hidden = !drill;
    // A button that has the focus keeps it: figures change each second.
    const focused = document.activeElement?.dataset?.act;
    element.replaceChildren(...(drill ? lane(drill) : []));
    if (focused) element.querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
  };
  show();
  scope.listen(drillWatch, "change", show);
  scope.listen(sessions, "change", show);
  scope.every(1_000, () => drillWatch.tick());
  drillWatch.tick();
}

function lane(drill) {
  return [
    el("p", { class: "drill-lane-head" }, el("strong", { class: "drill-tag" }, say("drill.mark")), el("b", null, named(drill.name)), el("span", { class: "quiet" }, `${say("drill.led_by", { name: drill.led_by })} · ${say("drill.since", { time: time(drill.started_at) })}`)),
    el("p", { class: "drill-lane-figures numeric" }, figures(drill)),
    el(
      "p",
      { class: "button-row" },
      drill.city && el("a", { class: "button primary", "data-act": "to-drill", href: address(`${drill.city.slice(1)}duty?lang=${settings.language}`) }, say("drill.go")),
      leads() && drill.state !== "elsewhere" && el("button", { type: "button", "data-act": "end-drill", onclick: () => endDrill(drill) }, say("drill.end")),
    ),
  ];
}

function figures(drill) {
  const now = drill.standing;
  if (!now) return [el("span", { class: "quiet" }, say(drill.state === "elsewhere" ? "drill.elsewhere" : "drill.preparing"))];
  return [
    now.worst && priorityBadge(now.worst, priorityText(now.worst)),
    el("span", null, say("drill.open", { count: number(now.open) })),
    el("span", null, say("drill.unacked", { count: number(now.unacked) })),
    now.oldest_unacked_at && el("span", null, say("drill.oldest", { time: time(now.oldest_unacked_at), since: duration(now.oldest_unacked_s * 1000) })),
    !drill.at_this_hour && el("span", null, say("drill.played_at", { time: time(now.at) })),
    el("span", { class: "quiet" }, say("drill.left", { time: duration(now.left_s * 1000) })),
  ];
}

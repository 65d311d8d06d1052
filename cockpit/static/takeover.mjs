// An urgent alarm takes the wall: a banner with what, where, since when and who is called, and the map flies there.
//
// Held while the alarm is active and nobody has acknowledged it; one that was over when it was born (a truck that has
// passed) holds the wall for two minutes. Several take turns. Afterwards they go on flashing in the ticker.

import { alarmWords, priorityText } from "./alarms.mjs";
import { el, setText } from "./dom.mjs";
import { duration, time } from "./format.mjs";
import { live } from "./live.mjs";
import { stage } from "./stage.mjs";
import { priorityBadge } from "./shapes.mjs";
import { named, say } from "./texts.mjs";
import { byUrgency } from "./urgency.mjs";

const TURN_MS = 10_000;
const PASSED_MS = 120_000;

function takesOver(alarm, now) {
  if (alarm.priority !== "P1") return false;
  if (alarm.state === "UNACK") return true;
  return alarm.state === "RTN_UNACK" && now - Date.parse(alarm.raised_at) < PASSED_MS;
}

export async function mount(element, scope) {
  const words = await alarmWords();
  const since = el("b", { class: "numeric" });
  const present = el("span", { class: "numeric" });
  let turn = 0;
  const show = () => {
    const urgent = [...live.alarms.values()].filter((alarm) => takesOver(alarm, live.now())).sort(byUrgency);
    const alarm = urgent.length ? urgent[turn % urgent.length] : null;
    element.className = alarm ? `takeover is-shown ${alarm.priority} is-${alarm.state}` : "takeover";
    if (!alarm) {
      element.replaceChildren();
      return stage.focus(null);
    }
    const more = [urgent.length > 1 && say("wall.p1_more", { index: (turn % urgent.length) + 1, count: urgent.length }), say("scene.held")];
    const who = alarm.responsible;
    element.replaceChildren(
      el("p", { class: "takeover-top" }, priorityBadge(alarm.priority, priorityText(alarm.priority)), el("span", null, more.filter(Boolean).join(" · "))),
      el("p", { class: "takeover-what" }, `${words.what(alarm)} ${words.value(alarm)}`),
      el("p", { class: "takeover-place" }, `${words.street(alarm)} · ${words.device(alarm)}`),
      el(
        "p",
        { class: "takeover-who" },
        el("span", null, `${time(alarm.raised_at)} · ${say("alarm.since")} `, since, present),
        el("span", null, who ? `${named(who.name)} ${who.phone ?? ""}` : say("alarm.no_responsible")),
      ),
    );
    // The map looks for the place that the banner leaves free: the banner stands first.
    stage.focus(alarm);
    tick();
  };
  const tick = () => {
    if (!stage.alarm) return;
    setText(since, duration(live.now() - Date.parse(stage.alarm.raised_at)));
    const value = words.present(stage.alarm);
    setText(present, value ? ` · ${say("alarm.present", { value })}` : "");
  };
  scope.listen(live, "snapshot", show);
  scope.listen(live, "alarm", show);
  scope.every(1000, tick);
  scope.every(TURN_MS, () => {
    turn += 1;
    show();
  });
  scope.add(() => stage.focus(null));
  show();
}

// Over the alarm list: how many are open and not acknowledged, messages nobody took, the filter, the sound, the keys.

import { address } from "./api.mjs";
import { priorityText } from "./alarms.mjs";
import { desk } from "./desk.mjs";
import { el, setText } from "./dom.mjs";
import { helpDialog } from "./duty_help.mjs";
import { number } from "./format.mjs";
import { live } from "./live.mjs";
import { priorityBadge } from "./shapes.mjs";
import { sound } from "./sound.mjs";
import { say } from "./texts.mjs";
import { isUnacked, PRIORITIES } from "./urgency.mjs";

export function mount(element, scope) {
  const open = el("b");
  const unacked = el("b");
  const counts = new Map(PRIORITIES.map((priority) => [priority, el("b")]));
  const chips = PRIORITIES.map((priority) => el("li", null, priorityBadge(priority, priorityText(priority)), counts.get(priority)));
  const filter = el("button", { type: "button", "aria-pressed": "false", onclick: () => desk.filter(!desk.unackedOnly) }, say("duty.only_unacked"));
  const noise = el("button", { type: "button", onclick: () => sound.toggle() });
  const help = el("button", { type: "button", class: "plain", onclick: helpDialog }, "? ", say("duty.help"));
  const dead = el("b", { class: "numeric" });
  const letters = el("a", { class: "badge duty-dead", href: address("health#notices"), hidden: true }, say("duty.dead_letters"), dead);
  element.append(
    el("p", { class: "duty-counts" }, say("count.unacked"), unacked, say("count.open"), open),
    el("ul", { class: "duty-chips" }, chips),
    letters,
    el("div", { class: "duty-buttons" }, filter, noise, help),
  );
  const show = () => {
    const alarms = [...live.alarms.values()];
    setText(open, number(alarms.length));
    setText(unacked, number(alarms.filter(isUnacked).length));
    for (const [priority, count] of counts) {
      const own = alarms.filter((alarm) => alarm.priority === priority).length;
      setText(count, number(own));
      count.parentElement.classList.toggle("is-zero", !own);
    }
  };
  const showLetters = () => {
    const count = live.summary?.notices?.dead ?? 0;
    letters.hidden = !count;
    setText(dead, number(count));
  };
  const showSound = () => {
    setText(noise, say(`duty.sound_${sound.state}`));
    noise.setAttribute("aria-pressed", String(sound.state === "on"));
  };
  show();
  showLetters();
  showSound();
  scope.listen(live, "summary", showLetters);
  for (const type of ["snapshot", "alarm"]) scope.listen(live, type, show);
  scope.listen(sound, "change", showSound);
  scope.listen(desk, "filter", () => filter.setAttribute("aria-pressed", String(desk.unackedOnly)));
}

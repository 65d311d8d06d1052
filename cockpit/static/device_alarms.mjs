// The alarms of one device, open and closed, newest first.

import { address, get } from "./api.mjs";
import { alarmWords, priorityText } from "./alarms.mjs";
import { el } from "./dom.mjs";
import { duration, moment } from "./format.mjs";
import { live } from "./live.mjs";
import { priorityBadge, stateMark } from "./shapes.mjs";
import { say } from "./texts.mjs";
import { isUnacked } from "./urgency.mjs";

const MOST = 50;

export async function mount(element, scope) {
  const id = element.dataset.device;
  const words = await alarmWords();
  let [asked, shown] = [0, 0];
  const show = async () => {
    const turn = ++asked;
    const { items } = await get("alarms", { device: id, state: "all", limit: MOST });
    // An answer that was overtaken by a newer one is dropped.
    if (turn < shown || !scope.open) return;
    shown = turn;
    if (!items.length) return element.replaceChildren(el("p", { class: "quiet" }, say("device.no_alarms")));
    const newest = items.sort((a, b) => Date.parse(b.raised_at) - Date.parse(a.raised_at));
    element.replaceChildren(el("ol", { class: "alarm-list" }, newest.map((alarm) => line(alarm, words))));
  };
  const again = () => show().catch(() => undefined);
  // What changes while the first answer is on its way must not be missed.
  scope.listen(live, "alarm", ({ detail }) => detail.alarm.device === id && again());
  scope.listen(live, "snapshot", again);
  await show();
}

function line(alarm, words) {
  const end = alarm.returned_at ?? alarm.closed_at;
  const lasted = end ? duration(Date.parse(end) - Date.parse(alarm.raised_at)) : "";
  const acked = alarm.acked_by && !isUnacked(alarm) ? say("alarm.acked_by", { name: alarm.acked_by, time: moment(alarm.acked_at, live.now()) }) : say("alarm.not_acked");
  return el(
    "li",
    { class: `${alarm.priority} is-${alarm.state}` },
    priorityBadge(alarm.priority, priorityText(alarm.priority)),
    el("span", null, el("a", { href: address(`duty?alarm=${encodeURIComponent(alarm.id)}`) }, el("b", null, words.what(alarm))), ` ${words.value(alarm)}`),
    el("span", { class: "numeric quiet" }, [moment(alarm.raised_at, live.now()), lasted].filter(Boolean).join(" · ")),
    el("span", { class: "state" }, stateMark(alarm.state), say(`state.${alarm.state}`)),
    el("span", { class: "quiet" }, acked),
  );
}

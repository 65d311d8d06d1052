// Acts that wait for a second person: who asked for what and why, how long it still stands, yes or no.

import { actDialog } from "./act_dialog.mjs";
import { get, post } from "./api.mjs";
import { alarmWords } from "./alarms.mjs";
import { desk } from "./desk.mjs";
import { el, setText } from "./dom.mjs";
import { duration } from "./format.mjs";
import { areaInput } from "./inputs.mjs";
import { live } from "./live.mjs";
import { session, sessions } from "./session.mjs";
import { has, say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";
import { toast } from "./toast.mjs";

const LOOK_MS = 10_000;

export async function mount(element, scope) {
  if (timeWindow.past) return (element.hidden = true);
  const words = await alarmWords();
  let items = [];
  let clocks = [];
  const draw = () => {
    clocks = [];
    element.hidden = !items.length;
    element.replaceChildren(el("h2", { class: "visually-hidden" }, say("duty.requests")), el("ul", { class: "requests" }, items.map((item) => line(item, words, clocks, look))));
    tick();
  };
  let [asked, shown] = [0, 0];
  const look = async () => {
    const turn = ++asked;
    const found = await get("requests").catch(() => null);
    // An answer that was overtaken by a newer one is dropped.
    if (turn < shown || !scope.open || !found) return;
    shown = turn;
    items = found.items;
    draw();
  };
  const tick = () => {
    for (const [span, until] of clocks) setText(span, duration(until - live.now()));
    if (clocks.some(([, until]) => until < live.now())) look();
  };
  look();
  scope.listen(live, "alarm", look);
  scope.listen(live, "snapshot", look);
  scope.listen(sessions, "change", draw);
  scope.every(LOOK_MS, look);
  scope.every(1000, tick);
}

function line(item, words, clocks, look) {
  const alarm = item.occurrence ? live.alarms.get(item.occurrence) : null;
  const left = el("b", { class: "numeric" });
  clocks.push([left, Date.parse(item.expires_at)]);
  const act = has(`duty.act_${item.act}`) ? say(`duty.act_${item.act}`) : item.act;
  const subject = alarm ? `${words.what(alarm)} · ${words.device(alarm)}` : item.subject;
  const own = session()?.user === item.asked_by;
  const answer = (agree) => settle(item, agree, `${act} · ${subject}`, look);
  return el(
    "li",
    null,
    el("span", { class: "request-what" }, el("b", null, say("duty.request", { name: item.asked_by, act })), " ", alarm ? el("button", { type: "button", class: "plain", onclick: () => desk.show(alarm) }, subject) : subject),
    el("span", { class: "quiet" }, item.reason),
    el("span", null, say("duty.request_left"), " ", left),
    own
      ? el("span", { class: "quiet" }, say("duty.request_own"))
      : el("span", { class: "button-row" }, el("button", { type: "button", onclick: () => answer(true) }, say("duty.agree")), el("button", { type: "button", onclick: () => answer(false) }, say("duty.decline"))),
  );
}

function settle(item, agree, what, look) {
  const title = say(agree ? "duty.agree" : "duty.decline");
  actDialog({
    title,
    what,
    ask: say("duty.ask_settle", { name: item.asked_by, reason: item.reason }),
    fields: { comment: areaInput(say("duty.in_note"), false) },
    send: async ({ key, comment }) => {
      const outcome = await post(`requests/${encodeURIComponent(item.id)}/${agree ? "agree" : "decline"}`, { idempotency_key: key, comment });
      if (outcome.alarm) live.change(outcome.alarm);
      toast(say("duty.act_done", { act: title, what }));
      look();
    },
  });
}

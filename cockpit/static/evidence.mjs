// The evidence of the chosen alarm: what was measured, against which rule, where, since when, and who is called.

import { acknowledgeChosen } from "./duty.mjs";
import { address } from "./api.mjs";
import { alarmWords, priorityText } from "./alarms.mjs";
import { actor, cameraText, person } from "./contacts.mjs";
import { desk } from "./desk.mjs";
import { ACT_KEYS, actsOn, beginAct } from "./desk_acts.mjs";
import { el, setText } from "./dom.mjs";
import { duration, moment } from "./format.mjs";
import { live } from "./live.mjs";
import { rawDialog, readsRaw } from "./raw_messages.mjs";
import { priorityBadge, stateMark } from "./shapes.mjs";
import { sessions } from "./session.mjs";
import { say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";
import { isUnacked } from "./urgency.mjs";

export async function mount(element, scope) {
  const words = await alarmWords();
  const panel = document.getElementById("evidence-panel");
  const since = el("span", { class: "numeric" });
  const present = el("span", { class: "numeric" });
  let drawn = null;

  const show = () => {
    panel.classList.toggle("is-open", desk.opened);
    const { alarm } = desk;
    if (!alarm) {
      drawn = null;
      document.getElementById("evidence-chart").hidden = true;
      if (desk.missing) return element.replaceChildren(absent(desk.missing));
      return element.replaceChildren(
        el("div", { class: "evidence-empty" }, el("strong", null, say("duty.choose")), el("span", { class: "quiet" }, say(timeWindow.past ? "past.no_acts" : "duty.choose_keys"))),
      );
    }
    element.replaceChildren(...facts(alarm, words, since, present).filter(Boolean));
    tick();
    // A new curve for another alarm, or when this one is raised anew; not for every change of its value.
    const key = `${alarm.id} ${alarm.activations ?? ""} ${alarm.level_peak}`;
    if (key !== drawn) {
      drawn = key;
      window.dash_clientside.set_props("evidence-alarm", { data: alarm });
    }
  };
  const tick = () => {
    const { alarm } = desk;
    if (!alarm) return;
    setText(since, duration(live.now() - Date.parse(alarm.raised_at)));
    const value = words.present(alarm);
    setText(present, value ? ` · ${say("alarm.present", { value })}` : "");
  };
  show();
  scope.listen(desk, "choose", show);
  scope.listen(live, "snapshot", show);
  scope.listen(sessions, "change", show);
  scope.listen(live, "alarm", ({ detail }) => detail.alarm.id === desk.chosen && show());
  scope.every(1000, tick);
}

function facts(alarm, words, since, present) {
  const limits = words.limits(alarm);
  const who = alarm.responsible;
  const row = (key, ...value) => [el("dt", null, say(`alarm.${key}`)), el("dd", null, ...value)];
  const when = (at) => moment(at, live.now());
  const rows = [
    row("value", el("b", { class: "numeric" }, words.value(alarm) || say("device.no_value")), present, el("span", { class: "quiet" }, ` ${quality(alarm)}`)),
    row("level_now", say("alarm.level", { level: alarm.level_now }), " · ", say("alarm.peak"), ` ${alarm.level_peak}`),
    limits && row("limits", limits.text),
    row("raised", when(alarm.raised_at), ...(alarm.state === "CLOSED" ? [] : [` · ${say("alarm.since")} `, since])),
    alarm.returned_at && row("returned", when(alarm.returned_at)),
    alarm.closed_at && row("closed", when(alarm.closed_at)),
    row("rule", say("alarm.rule_text", { name: words.what(alarm), version: alarm.rule_version })),
    limits && row("source", limits.source, el("span", { class: "quiet" }, ` · ${say("alarm.grade", { grade: limits.grade })}`)),
    row("responsible", ...(who ? person(who) : [say("alarm.no_responsible")])),
    alarm.grid_officer && row("grid_officer", ...person(alarm.grid_officer)),
    alarm.camera && row("camera", cameraText(alarm.camera)),
    alarm.suppressed && row("hidden", hiddenText(alarm)),
    alarm.decision && row("decision", say(`duty.decide_${alarm.decision}`), alarm.decided_by ? ` · ${actor(alarm.decided_by)} ${when(alarm.decided_at)}` : ""),
    alarm.case && row("case", el("a", { href: address(`cases?case=${encodeURIComponent(alarm.case)}`) }, alarm.case)),
    alarm.verdict && row("verdict", say("duty.decide_false_alarm"), ` · ${alarm.verdict_by} ${when(alarm.verdict_at)}`),
    alarm.activations > 1 && row("activations", String(alarm.activations)),
  ];
  return [
    el(
      "header",
      { class: `evidence-head ${alarm.priority} is-${alarm.state}` },
      el("p", null, priorityBadge(alarm.priority, priorityText(alarm.priority)), el("span", { class: "state" }, stateMark(alarm.state), say(`state.${alarm.state}`))),
      el("h2", null, words.what(alarm)),
      el("p", null, `${words.street(alarm)} · `, el("a", { href: address(`device/${encodeURIComponent(alarm.device)}`) }, words.device(alarm))),
    ),
    acknowledgement(alarm, words),
    otherActs(alarm, words),
    el("dl", { class: "facts" }, rows.filter(Boolean).flat()),
    pack(alarm),
  ];
}

function otherActs(alarm, words) {
  const acts = actsOn(alarm).map((act) =>
    el("button", { type: "button", "data-act": act, onclick: () => beginAct(act, alarm, words) }, `${say(`duty.act_${act}`)} (${ACT_KEYS[act]})`),
  );
  return acts.length ? el("div", { class: "button-row evidence-acts" }, acts) : null;
}

/** The whole of it to take away; raw messages are in it, so it is for those who may see these. */
function pack(alarm) {
  if (!readsRaw()) return null;
  const href = address(`api/v1/alarms/${encodeURIComponent(alarm.id)}/evidence`);
  const raw = el("button", { type: "button", onclick: () => rawDialog(alarm.device, alarm.raised_at) }, say("raw.button"));
  return el("p", { class: "evidence-pack" }, raw, el("a", { href, download: "" }, say("pack.link")));
}

function hiddenText(alarm) {
  const { until, by, reason } = alarm.suppressed;
  const parts = [say(`duty.view_${alarm.suppression}`), until && say("duty.until", { time: moment(until, live.now()) }), by, reason];
  return parts.filter(Boolean).join(" · ");
}

function quality(alarm) {
  return alarm.quality && alarm.quality !== "good" ? say(`quality.${alarm.quality}`) : "";
}

const closing = () => el("button", { type: "button", class: "evidence-close", onclick: () => desk.choose(desk.chosen, { open: false }) }, say("shell.close"));

function absent(sentence) {
  return el("div", { class: "evidence-empty" }, el("strong", { class: "problem", role: "alert" }, sentence), el("span", { class: "quiet" }, say("duty.absent")), closing());
}

function acknowledgement(alarm, words) {
  const close = closing();
  if (timeWindow.past) return el("div", { class: "evidence-act" }, el("p", { class: "quiet" }, say("past.no_acts")), close);
  if (!isUnacked(alarm)) {
    if (!alarm.acked_by) return el("div", { class: "evidence-act" }, el("p", { class: "quiet" }, say("alarm.not_acked")), close);
    const by = say("alarm.acked_by", { name: alarm.acked_by ?? "", time: moment(alarm.acked_at, live.now()) });
    return el("div", { class: "evidence-act" }, el("p", { class: "quiet" }, by), close);
  }
  const note = el("input", { id: "ack-comment", class: "note", placeholder: say("duty.note"), "aria-label": say("duty.note"), maxlength: "500" });
  const act = el("button", { type: "button", class: "primary", onclick: () => acknowledgeChosen(words) }, say("duty.acknowledge_key"));
  return el("div", { class: "evidence-act" }, note, el("div", { class: "button-row" }, act, close));
}

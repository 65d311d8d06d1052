// What an officer may do about an alarm beside acknowledging it: comment, shelve, decide, reset; and its words.

import { actDialog } from "./act_dialog.mjs";
import { post, Refused } from "./api.mjs";
import { areaInput, selectInput } from "./inputs.mjs";
import { live } from "./live.mjs";
import { session } from "./session.mjs";
import { shiftEnd } from "./shifts.mjs";
import { say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";
import { toast } from "./toast.mjs";
import { isUnacked } from "./urgency.mjs";

const REASONS = ["works", "handled", "chatter", "weather"];
const DURATIONS_MIN = [30, 60, 120, 240, 480];
const USUAL_MIN = 60;
const DECISIONS = ["case", "observe", "device_fault", "merge", "false_alarm"];

/** The key of each act on the keyboard. */
export const ACT_KEYS = { comment: "c", shelve: "s", unshelve: "s", decide: "d", reset: "r" };

/** Which acts make sense on an alarm for whoever is logged in; the server has the last word. */
export function actsOn(alarm) {
  const roles = session()?.user ? session().roles : ["officer", "leader"];
  if (!roles.some((role) => role === "officer" || role === "leader")) return [];
  if (timeWindow.past || alarm.state === "CLOSED") return [];
  const found = ["comment"];
  if (alarm.suppression === "shelved") found.push("unshelve");
  else if (alarm.suppression === "none" && alarm.priority !== "P1" && (alarm.priority !== "P2" || roles.includes("leader"))) found.push("shelve");
  if (!alarm.case && (!alarm.decision || alarm.decision === "observe")) found.push("decide");
  if (alarm.state === "LATCHED" && !alarm.pending) found.push("reset");
  return found;
}

/** The act behind a key, or null when it makes no sense on this alarm. */
export const actOf = (key, alarm) => actsOn(alarm).find((act) => ACT_KEYS[act] === key) ?? null;

export function beginAct(act, alarm, words) {
  const what = `${words.what(alarm)} ${words.value(alarm)} · ${words.street(alarm)} · ${words.device(alarm)}`;
  const send = async (path, body) => {
    const outcome = await post(`alarms/${encodeURIComponent(alarm.id)}/${path}`, body);
    if (outcome.alarm) live.change(outcome.alarm);
    toast(outcome.request ? say("duty.asked", { act: say(`duty.act_${act}`) }) : say("duty.act_done", { act: say(`duty.act_${act}`), what: words.what(alarm) }));
  };
  const begun = { title: say(`duty.act_${act}`), what, ask: say(`duty.ask_${act}`) };
  const dialogs = {
    comment: () => ({
      fields: { comment: areaInput(say("duty.in_comment"), true) },
      send: ({ key, comment }) => send("comment", { idempotency_key: key, comment }),
    }),
    shelve: () => shelving(send),
    unshelve: () => ({
      fields: { reason: areaInput(say("duty.in_note"), false) },
      send: ({ key, reason }) => send("unshelve", { idempotency_key: key, reason }),
    }),
    decide: () => deciding(alarm, send),
    reset: () => ({
      fields: { reason: areaInput(say("duty.in_reason"), true) },
      send: ({ key, reason }) => send("reset", { idempotency_key: key, reason }),
    }),
  };
  actDialog({ ...begun, ...dialogs[act]() });
}

const reasonMissing = () => new Refused(422, null, say("duty.why_reason"));

function shelving(send) {
  const left = (shiftEnd(live.now()) - live.now()) / 60_000;
  const fitting = DURATIONS_MIN.filter((min) => min <= left).map((min) => [String(min), say("duty.minutes", { min })]);
  const usual = left < USUAL_MIN ? "" : String(USUAL_MIN);
  const hours = selectInput(say("duty.in_duration"), [...fitting, ["", say("duty.till_shift_end")]], usual);
  return {
    choices: [...REASONS.map((key) => ({ key, text: say(`duty.reason_${key}`), direct: true })), { key: "other", text: say("duty.reason_other"), direct: false }],
    fields: { minutes: hours, words: areaInput(say("duty.in_note"), false) },
    send: ({ choice, key, minutes, words }) => {
      const reason = [choice === "other" ? "" : say(`duty.reason_${choice}`), words].filter(Boolean).join(" · ");
      if (!reason) throw reasonMissing();
      return send("shelve", { idempotency_key: key, reason, duration_s: minutes ? Number(minutes) * 60 : null });
    },
  };
}

function deciding(alarm, send) {
  return {
    choices: DECISIONS.map((key) => ({ key, text: say(`duty.decide_${key}`), direct: key !== "false_alarm" })),
    fields: { comment: areaInput(say("duty.in_note"), false) },
    send: ({ choice, key, comment }) => {
      if (choice === "false_alarm" && !comment) throw reasonMissing();
      const body = { idempotency_key: key, decision: choice, comment };
      // Deciding about an alarm that nobody has acknowledged is both, at the level that was displayed. The list may be a
      // moment behind what is known of it.
      return isUnacked(live.alarms.get(alarm.id) ?? alarm) ? send("ack", { ...body, seen_level: alarm.level_now }) : send("decision", body);
    },
  };
}

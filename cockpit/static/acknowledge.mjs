// Acknowledging one alarm: what the officer saw is what is sent, and every outcome is told in words.

import { post } from "./api.mjs";
import { moment } from "./format.mjs";
import { live } from "./live.mjs";
import { logIn } from "./session.mjs";
import { say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";
import { toast } from "./toast.mjs";

const underway = new Set();
// Refusals that are foreseen, in the reader's language; any other is told by its code.
const REASONS = { level_changed: "duty.level_changed", occurrence_closed: "duty.gone" };

// What may stand about an alarm that another officer was first at.
const DECIDED = {
  case: "duty.decided_case",
  merge: "duty.decided_merge",
  false_alarm: "duty.decided_false_alarm",
  observe: "duty.decided_observe",
  device_fault: "duty.decided_device_fault",
};

function told(outcome, what) {
  if (outcome.result !== "already_acked") return say("duty.done", { what });
  const first = say("duty.already", { by: outcome.by, at: moment(outcome.at, live.now()), what });
  const decided = DECIDED[outcome.alarm?.decision];
  return decided ? say("duty.already_decided", { first, decision: say(decided) }) : first;
}

function reason(error) {
  const known = REASONS[error.problem?.type] ?? (error.problem?.code === "role_missing" ? "duty.no_role" : null);
  if (known) return say(known);
  return error.status ? error.message : say("login.unreachable");
}

/** A random key without crypto.randomUUID, which a page over plain http on the city's network does not have. */
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Acknowledge an alarm as it is displayed.
 *
 * @param alarm the record whose level stands on the screen at this moment
 * @param what the words for the notice
 * @returns true when it is acknowledged, by this officer or by another
 */
export async function acknowledge(alarm, what, comment = "") {
  if (timeWindow.past) return toast(say("past.no_acts")), false;
  // A second press while the first is on its way is the same wish.
  if (underway.has(alarm.id)) return false;
  underway.add(alarm.id);
  const wish = { seen_level: alarm.level_now, idempotency_key: freshKey(), ...(comment ? { comment } : {}) };
  try {
    return await send(alarm.id, wish, what, true);
  } finally {
    underway.delete(alarm.id);
  }
}

async function send(id, wish, what, mayLogIn) {
  try {
    const outcome = await post(`alarms/${encodeURIComponent(id)}/ack`, wish);
    if (outcome.alarm) live.change(outcome.alarm);
    toast(told(outcome, what));
    return true;
  } catch (error) {
    if (error.status === 401 && mayLogIn) {
      if (await logIn(say("login.why"))) return send(id, wish, what, false);
      return false;
    }
    // A level that has risen: show it now, so that the next press is about what is true.
    if (error.problem?.alarm) live.change(error.problem.alarm);
    toast(say("duty.failed", { detail: reason(error) }), { problem: true });
    return false;
  }
}

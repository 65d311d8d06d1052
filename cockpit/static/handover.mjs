// The change of shifts: what is open now, what the shift had to do, the notes of the last shifts, and a new note.

import { actDialog } from "./act_dialog.mjs";
import { priorityText } from "./alarms.mjs";
import { get, post } from "./api.mjs";
import { el } from "./dom.mjs";
import { day, duration, minute, moment, number } from "./format.mjs";
import { areaInput } from "./inputs.mjs";
import { live } from "./live.mjs";
import { session } from "./session.mjs";
import { priorityBadge } from "./shapes.mjs";
import { say } from "./texts.mjs";
import { toast } from "./toast.mjs";
import { PRIORITIES } from "./urgency.mjs";

const SHOWN = 6;

export async function handoverDialog() {
  if (document.querySelector("dialog[open]")) return;
  let found;
  try {
    found = await get("handovers", { limit: SHOWN });
  } catch (error) {
    return toast(say("shell.failed", { detail: error.message }), { problem: true });
  }
  const dialog = el(
    "dialog",
    { class: "wide handover", "aria-label": say("duty.handover") },
    el(
      "div",
      { class: "stack" },
      el("h2", null, say("duty.handover")),
      el("p", { class: "quiet" }, say("duty.shift", { from: shiftText(found.shift.from), to: minute(found.shift.to) })),
      figures(found.shift),
      el("div", { class: "button-row" }, el("button", { type: "button", class: "primary", onclick: () => write(dialog, found.shift) }, say("duty.handover_write")), el("button", { type: "button", onclick: () => dialog.close() }, say("shell.close"))),
      el("h3", null, say("duty.handover_notes")),
      found.items.length ? el("ol", { class: "handover-notes" }, found.items.map((item) => note(item, () => dialog.close()))) : el("p", { class: "quiet" }, say("duty.handover_none")),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

const shiftText = (at) => `${day(at)} ${minute(at)}`;

/** What is open and what was done, as pairs of a word and a figure. */
function figures(facts) {
  const rows = [
    ...PRIORITIES.filter((priority) => facts.open[priority]).map((priority) => [priorityBadge(priority, priorityText(priority)), number(facts.open[priority])]),
    [say("count.unacked"), number(facts.unacked)],
    ...Object.entries(facts.hidden).map(([kind, count]) => [say(`duty.view_${kind}`), number(count)]),
    [say("duty.requests"), number(facts.waiting)],
    ...["red", "amber", "green", "reported"].map((colour) => [say(`duty.cases_${colour}`), number(facts.cases[colour])]),
    [say("duty.shift_raised"), number(facts.activations)],
    [say("duty.shift_answered"), number(facts.answered)],
    [say("duty.shift_median"), facts.median_s === null ? say("device.no_value") : duration(facts.median_s * 1000)],
  ];
  return el("dl", { class: "handover-figures" }, rows.map(([word, figure]) => el("div", null, el("dt", null, word), el("dd", { class: "numeric" }, figure))));
}

function note(item, close) {
  const taken = item.accepted_by
    ? el("span", { class: "quiet" }, say("duty.handover_taken", { name: item.accepted_by, time: moment(item.accepted_at, live.now()) }))
    : session()?.user === item.written_by
      ? el("span", { class: "quiet" }, say("duty.handover_open"))
      : el("button", { type: "button", onclick: () => takeOver(item, close) }, say("duty.handover_take"));
  const open = Object.values(item.facts.open).reduce((sum, count) => sum + count, 0);
  return el(
    "li",
    null,
    el("p", { class: "quiet" }, `${moment(item.written_at, live.now())} · ${item.written_by} · ${say("duty.handover_then", { open: number(open), unacked: number(item.facts.unacked), cases: number(item.facts.cases.red) })}`),
    el("p", { class: "handover-text" }, item.note),
    el("p", null, taken),
  );
}

function write(dialog, facts) {
  dialog.close();
  actDialog({
    title: say("duty.handover_write"),
    what: say("duty.handover_with", { unacked: number(facts.unacked), alarms: number(facts.alarms.length) }),
    ask: say("duty.handover_ask"),
    fields: { note: areaInput(say("duty.handover_note"), true) },
    submit: say("duty.handover_submit"),
    send: async ({ key, note }) => {
      await post("handovers", { idempotency_key: key, note });
      toast(say("duty.handover_done"));
    },
  });
}

function takeOver(item, close) {
  close();
  actDialog({
    title: say("duty.handover_take"),
    what: `${item.written_by} · ${moment(item.written_at, live.now())}`,
    ask: item.note,
    send: async ({ key }) => {
      await post(`handovers/${encodeURIComponent(item.id)}/accept`, { idempotency_key: key });
      toast(say("duty.handover_taken_done"));
    },
  });
}

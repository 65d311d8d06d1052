// What may be done about a case by whoever is logged in: a button for each act, a dialog that says what it takes.

import { freshKey } from "./acknowledge.mjs";
import { get, post } from "./api.mjs";
import { caseDesk } from "./case_desk.mjs";
import { site } from "./city.mjs";
import { el } from "./dom.mjs";
import { className } from "./case_words.mjs";
import { areaInput, selectInput, textInput } from "./inputs.mjs";
import { logIn, session } from "./session.mjs";
import { named, say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";
import { toast } from "./toast.mjs";

const NEXT = ["register", "dispatch", "accept", "done", "verify", "force_close", "resume"];
const PATHS = { rework: "verify", force_request: "force-close", force_close: "force-close/approve" };
const REASONED = new Set(["void", "return", "rework", "suspend", "extend", "force_request"]);
const PICTURED = new Set(["done", "comment", "verify", "rework"]);
// Refusals that are foreseen, in the reader's language; any other is told by its code.
const FORESEEN = new Set(["state", "changed", "overdue", "same_person", "expired", "alarm_active"]);

export function actButtons(item) {
  if (timeWindow.past) return el("div", { class: "case-acts" }, el("p", { class: "quiet" }, say("past.no_acts")));
  if (!session()?.user) {
    const enter = async () => (await logIn(say("cases.log_in_act"))) && caseDesk.refresh();
    return el("div", { class: "case-acts" }, el("button", { type: "button", onclick: enter }, say("cases.log_in_act")));
  }
  const first = NEXT.find((act) => item.acts.includes(act));
  const order = [first, ...item.acts.filter((act) => act !== first)].filter(Boolean);
  const buttons = order.map((act) =>
    el("button", { type: "button", class: act === first ? "primary" : "", "data-act": act, onclick: () => actDialog(item, act) }, say(`cases.act_${act}`)),
  );
  return el("div", { class: "case-acts" }, buttons.length ? buttons : el("p", { class: "quiet" }, say("cases.no_acts")));
}

async function actDialog(item, act) {
  const fields = await inputs(item, act);
  // One key for one dialog: pressing again after a broken connection is the same wish.
  const key = freshKey();
  const problem = el("p", { class: "problem", role: "alert" });
  const send = el("button", { type: "submit", class: "primary" }, say(`cases.act_${act}`));
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", null, say(`cases.act_${act}`)),
    el("p", { class: "quiet" }, `${className(item)} · ${item.id}`),
    el("p", null, say(`cases.ask_${act}`)),
    Object.values(fields).map((field) => field.element),
    problem,
    el("div", { class: "button-row" }, send, el("button", { type: "button", onclick: () => dialog.close() }, say("login.cancel"))),
  );
  const dialog = el("dialog", { class: "case-dialog", "aria-label": say(`cases.act_${act}`) }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    const told = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value()]));
    const body = { idempotency_key: key, seen_version: item.version, ...told };
    if (act === "verify" || act === "rework") body.passed = act === "verify";
    problem.textContent = await attempt(item, act, body, dialog);
    send.disabled = false;
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  (form.querySelector("textarea, input, select") ?? send).focus();
}

/** Do it; returns the words for what went wrong, or nothing. */
async function attempt(item, act, body, dialog) {
  try {
    const found = await post(`cases/${encodeURIComponent(item.id)}/${PATHS[act] ?? act}`, body);
    toast(say("cases.done", { act: say(`cases.act_${act}`), id: item.id }));
    dialog.close();
    caseDesk.take(found);
    return "";
  } catch (error) {
    if (error.status === 409) caseDesk.refresh();
    if (error.status === 401) {
      dialog.close();
      if (await logIn(say("cases.log_in_act"))) caseDesk.refresh();
      return "";
    }
    return reason(error);
  }
}

export function reason(error) {
  if (!error.status) return say("login.unreachable");
  const word = String(error.problem?.type ?? "").replace("case_", "");
  if (FORESEEN.has(word)) return say(`cases.why_${word}`);
  return error.problem?.code === "role_missing" ? say("cases.no_role") : error.message;
}

async function inputs(item, act) {
  const found = {};
  if (act === "register") Object.assign(found, await classInputs(item));
  if (act === "dispatch") found.unit = await unitInput(item);
  if (act === "extend") found.hours = hoursInput();
  if (act === "link") found.alarm = textInput(say("cases.in_alarm"), { required: true, maxlength: 40 });
  if (REASONED.has(act)) found.reason = areaInput(say("cases.in_reason"), true);
  else found.comment = areaInput(say(act === "comment" ? "cases.in_comment" : "cases.in_note"), false);
  if (PICTURED.has(act)) {
    const picture = textInput(say("cases.in_picture"), { maxlength: 300 });
    found.pictures = { element: picture.element, value: () => (picture.value() ? [picture.value()] : []) };
  }
  return found;
}

async function classInputs(item) {
  const { items } = await get("cases/classes");
  const severe = el("input", { type: "checkbox", checked: item.severe });
  return {
    sub_class: selectInput(say("cases.in_class"), items.map((row) => [row.key, `${named(row.name)} · ${hoursText(row)}`]), item.sub_class),
    severe: { element: el("label", { class: "check" }, severe, say("cases.severe")), value: () => severe.checked },
  };
}

/** "48 h, severe 24 h": what a sub-class allows. */
export function hoursText(row) {
  const own = say("cases.hours", { h: row.hours });
  return row.severe_hours === null ? own : `${own} / ${say("cases.severe_hours", { h: row.severe_hours })}`;
}

async function unitInput(item) {
  const { units } = await site();
  const options = (units ?? []).map((unit) => [unit.key, named(unit.name)]);
  return selectInput(say("cases.in_unit"), options, item.unit?.key ?? options[0]?.[0]);
}

function hoursInput() {
  const input = el("input", { type: "number", min: "0.5", max: "720", step: "0.5", value: "24", required: true });
  return { element: el("label", null, say("cases.in_hours"), input), value: () => Number(input.value) };
}

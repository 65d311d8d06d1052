// A dialog in which an officer confirms an act: numbered choices for the keyboard, what else it takes, what went wrong.

import { freshKey } from "./acknowledge.mjs";
import { el } from "./dom.mjs";
import { live } from "./live.mjs";
import { logIn } from "./session.mjs";
import { say } from "./texts.mjs";

// Refusals that are foreseen, in the reader's language; any other is told by its code.
const FORESEEN = {
  level_changed: "duty.level_changed",
  occurrence_closed: "duty.gone",
  wrong_state: "duty.why_state",
  same_person: "duty.why_same_person",
  second_person_pending: "duty.why_pending",
  request_expired: "duty.why_expired",
};

function refusalText(error) {
  const known = FORESEEN[error.problem?.type] ?? (error.problem?.code === "role_missing" ? "duty.no_role" : null);
  if (known) return say(known);
  return error.status ? error.message : say("login.unreachable");
}

/**
 * Ask for what an act takes and carry it out.
 *
 * @param wish title, what (the alarm in words), ask (a sentence), choices [{key, text, direct}], fields {name: input},
 *   submit (the words of the button), send (body => promise). A digit picks a choice; of a direct one it is the act.
 */
export function actDialog({ title, what, ask, choices = [], fields = {}, submit, send }) {
  if (document.querySelector("dialog[open]")) return;
  // One key for one dialog: pressing again after a broken connection is the same wish.
  const key = freshKey();
  const problem = el("p", { class: "problem", role: "alert" });
  const button = el("button", { type: "submit", class: "primary" }, submit ?? title);
  const options = choices.map((choice, i) => option(choice, i, choices.length));
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", null, title),
    el("p", { class: "quiet" }, what),
    el("p", null, ask),
    options.length ? el("fieldset", { class: "act-choices" }, el("legend", { class: "visually-hidden" }, ask), options) : null,
    Object.values(fields).map((field) => field.element),
    problem,
    el("div", { class: "button-row" }, button, el("button", { type: "button", onclick: () => dialog.close() }, say("login.cancel"))),
  );
  const dialog = el("dialog", { class: "case-dialog act-dialog", "aria-label": title }, form);
  const chosen = () => form.querySelector("input[type=radio]:checked")?.value ?? null;
  const carryOut = async (mayLogIn) => {
    const told = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value()]));
    try {
      await send({ choice: chosen(), key, ...told });
      dialog.close();
    } catch (error) {
      if (error.status === 401 && mayLogIn && (await logIn(say("login.why_act")))) return carryOut(false);
      if (error.problem?.alarm) live.change(error.problem.alarm);
      problem.textContent = refusalText(error);
    }
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.textContent = "";
    await carryOut(true);
    button.disabled = false;
  });
  dialog.addEventListener("keydown", (event) => {
    // Enter within an input method only takes the word; with Shift it is a new line.
    if (event.key === "Enter" && event.target.closest("textarea") && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      return form.requestSubmit();
    }
    const typing = event.target.closest("textarea, select, input:not([type=radio])");
    const choice = typing || event.ctrlKey || event.altKey || event.metaKey ? null : choices[Number(event.key) - 1];
    if (!choice || event.repeat) return;
    event.preventDefault();
    form.querySelector(`input[value="${choice.key}"]`).checked = true;
    if (choice.direct) form.requestSubmit();
    else form.querySelector("textarea, input:not([type=radio])")?.focus();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  (form.querySelector("input, textarea, select") ?? button).focus();
}

function option(choice, i, count) {
  const input = el("input", { type: "radio", name: "choice", value: choice.key, required: true });
  return el("label", { class: "act-choice" }, input, count > 1 ? el("kbd", null, String(i + 1)) : null, el("span", null, choice.text));
}

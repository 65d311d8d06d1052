// Switching a lamp or a circuit: the dialog that says what will happen, and the answer to another person's request.

import { actDialog } from "./act_dialog.mjs";
import { post } from "./api.mjs";
import { el } from "./dom.mjs";
import { duration, number } from "./format.mjs";
import { areaInput, selectInput } from "./inputs.mjs";
import { wantedText } from "./lamp_words.mjs";
import { live } from "./live.mjs";
import { session } from "./session.mjs";
import { say } from "./texts.mjs";
import { toast } from "./toast.mjs";

const CHOICES = ["on", "off", "dim", "auto"];
const HOURS = [1, 2, 4, 8, 12];
const STEP = 5;
const WHY = {
  alarm_active: "lamps.why_leak",
  second_person_pending: "lamps.why_pending",
  same_person: "lamps.why_same_person",
  request_expired: "lamps.why_expired",
  wrong_state: "lamps.why_state",
};

/**
 * Ask what shall be done with a lamp or a circuit, and order it.
 *
 * @param wish scope (lamp or circuit), subject, lamps (how many), dim (where the slider stands), done (called afterwards)
 */
export function switchDialog({ scope, subject, lamps, dim, done }) {
  const slider = el("input", { type: "range", min: String(STEP), max: "95", step: String(STEP), value: String(Math.min(95, Math.max(STEP, dim || 50))) });
  const output = el("output", { class: "numeric" });
  const level = { element: el("label", { class: "lamp-slider" }, say("lamps.in_dim"), slider, output), value: () => Number(slider.value) };
  const span = selectInput(say("lamps.in_span"), [["", say("lamps.span_schedule")], ...HOURS.map((h) => [String(h * 3600), say("lamps.span_hours", { h })])], "");
  const sure = el("input", { type: "checkbox", required: true });
  const sentence = el("span");
  const confirm = { element: el("label", { class: "check lamp-sure" }, sure, sentence), value: () => sure.checked };
  const send = async ({ choice, key, level: pct, span: seconds, reason }) => {
    const body = { idempotency_key: key, reason, ...(choice === "auto" ? { auto: true } : { dim_pct: { on: 100, off: 0 }[choice] ?? pct }) };
    if (choice !== "auto" && seconds) body.for_s = Number(seconds);
    const found = await inWords(() => post(`${scope}s/${encodeURIComponent(subject)}/switch`, body));
    toast(say(`lamps.done_${found.result}`, { what: subject }));
    done?.(found);
  };
  actDialog({
    title: say(`lamps.switch_${scope}`),
    what: scope === "lamp" ? subject : say("lamps.subject", { subject, lamps: number(lamps) }),
    ask: say(`lamps.ask_${scope}`),
    choices: CHOICES.map((key) => ({ key, text: say(`lamps.choice_${key}`) })),
    fields: { level, span, reason: areaInput(say("lamps.in_reason"), true), confirm },
    submit: say(`lamps.submit_${scope}`),
    send,
  });
  const form = document.querySelector(".act-dialog form");
  if (!form) return;
  const show = () => {
    const choice = form.querySelector("input[name=choice]:checked")?.value ?? "";
    output.textContent = say("lamps.pct", { pct: slider.value });
    level.element.hidden = choice !== "dim";
    span.element.hidden = choice === "auto";
    const what = choice ? wantedText({ on: 100, off: 0, dim: Number(slider.value), auto: null }[choice]) : say("device.no_value");
    sentence.textContent = say(`lamps.sure_${scope}`, { subject, lamps: number(lamps), what });
  };
  form.addEventListener("input", (event) => {
    // Whatever is changed wants a confirmation of its own.
    if (event.target !== sure && event.target.tagName !== "TEXTAREA") sure.checked = false;
    show();
  });
  form.querySelector("fieldset")?.addEventListener("change", show);
  show();
}

/** Who asks for what, until when, and the buttons of a second person who may; of whoever asked one to take it back. */
export function requestBanner(order, done, may) {
  const own = session()?.user === order.asked_by;
  const left = Math.max(0, Date.parse(order.expires_at) - live.now());
  const words = say("lamps.asks", { who: order.asked_by, what: wantedText(order.dim_pct), lamps: number(order.lamps) });
  const buttons = own
    ? [button(order, "decline", "lamps.take_back", done)]
    : [button(order, "approve", "lamps.approve", done), button(order, "decline", "lamps.decline", done)];
  return el(
    "div",
    { class: "lamp-request" },
    el("p", null, el("b", null, words), el("span", null, ` “${order.reason}” `), el("span", { class: "quiet numeric lamp-left" }, say("lamps.left", { left: duration(left) }))),
    may && el("div", { class: "button-row" }, buttons),
  );
}

function button(order, act, words, done) {
  const onclick = () => settleDialog(order, act, say(words), done);
  return el("button", { type: "button", class: act === "approve" ? "primary" : null, "data-act": act, onclick }, say(words));
}

function settleDialog(order, act, title, done) {
  const what = { subject: order.subject, lamps: number(order.lamps), what: wantedText(order.dim_pct) };
  const comment = areaInput(say("lamps.in_comment"), false);
  actDialog({
    title,
    what: say("lamps.subject", what),
    ask: say(`lamps.ask_${act}`, { ...what, who: order.asked_by }),
    fields: { comment },
    submit: title,
    send: async ({ key, comment: told }) => {
      const found = await inWords(() => post(`lamp-orders/${encodeURIComponent(order.id)}/${act}`, { idempotency_key: key, comment: told }));
      toast(say(`lamps.done_${found.result}`, { what: order.subject }));
      done?.(found);
    },
  });
}

/** Do it; a refusal that is foreseen speaks the reader's language. */
async function inWords(work) {
  try {
    return await work();
  } catch (error) {
    const key = WHY[error.problem?.type] ?? (error.problem?.code === "role_missing" ? "lamps.no_role" : null);
    if (key && error.status !== 401) Object.assign(error, { message: say(key), problem: null, status: 409 });
    throw error;
  }
}

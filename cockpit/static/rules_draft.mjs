// Making a draft of a rule in force: other numbers for everybody or for one device, why, and by which source.

import { post } from "./api.mjs";
import { areaInput, selectInput, textInput } from "./inputs.mjs";
import { el } from "./dom.mjs";
import { unitOf } from "./format.mjs";
import { rulesDesk } from "./rules_desk.mjs";
import { dialog } from "./rules_detail.mjs";
import { logIn, session } from "./session.mjs";
import { named, say } from "./texts.mjs";
import { toast } from "./toast.mjs";
import { PRIORITIES } from "./urgency.mjs";

const SCOPES = ["kind", "street", "circuit", "device"];

export async function draftDialog(item) {
  if (!session()?.user && !(await logIn(say("rules.log_in")))) return;
  const figure = (label, value) => textInput(label, { type: "number", step: "any", value: String(value), required: true });
  const values = item.levels.map((level) => figure(`${say("rules.level", { level: level.level })} (${unitOf({ unit_label: item.unit_name })})`, level.value));
  const priorities = item.levels.map((level) => selectInput(say("rules.col_priority"), PRIORITIES.map((each) => [each, say(`priority.${each}`)]), level.priority));
  const numbers = { deadband: figure(say("rules.col_deadband"), item.deadband), on_s: figure(say("rules.on_s"), item.on_s), off_s: figure(say("rules.off_s"), item.off_s) };
  const scope = selectInput(say("rules.col_for_whom"), SCOPES.map((each) => [each, say(`rules.scope_${each}`)]), item.scope);
  const name = textInput(say("rules.scope_name"), { maxlength: "64", value: item.scope === "kind" ? "" : item.of });
  const source = textInput(say("rules.source"), { maxlength: "200", required: true });
  const edition = textInput(say("rules.edition"), { maxlength: "120" });
  const grade = selectInput(say("rules.grade"), ["A", "B", "C"].map((each) => [each, say(`rules.grade_${each}`)]), "C");
  const reason = areaInput(say("rules.in_reason"), true);
  const words = [
    el("p", { class: "quiet" }, `${named(item.kind_name)} · ${named(item.name)} · ${item.rule}`, item.capped && ` · ${say("rules.capped")}`),
    ...values.map((value, i) => el("div", { class: "pair" }, value.element, priorities[i].element)),
    el("div", { class: "pair" }, numbers.deadband.element, numbers.on_s.element, numbers.off_s.element),
    el("div", { class: "pair" }, scope.element, name.element),
    el("div", { class: "pair" }, source.element, edition.element, grade.element),
    reason.element,
  ];
  const show = () => (name.element.hidden = scope.value() === "kind");
  scope.control.addEventListener("change", show);
  show();
  const change = () => {
    const found = {};
    const told = values.map((value) => Number(value.value()));
    const called = priorities.map((priority) => priority.value());
    // Only what differs is said: the rest stays with what it was.
    if (told.some((value, i) => value !== item.levels[i].value)) found.levels = told;
    if (called.some((priority, i) => priority !== item.levels[i].priority)) found.priorities = called;
    for (const [key, input] of Object.entries(numbers)) if (Number(input.value()) !== item[key]) found[key] = Number(input.value());
    return found;
  };
  dialog("draft", words, (key) => send(item, scope.value(), name.value(), change(), { idempotency_key: key, reason: reason.value(), source: source.value(), edition: edition.value(), grade: grade.value() }), true);
}

async function send(item, scope, name, change, words) {
  const about = { kind: item.kind, field: item.field, ...(item.limit ? { limit: item.limit } : {}) };
  const table = item.limit ? { [item.limit]: change } : change;
  const body = scope === "kind" ? { limits: { [item.kind]: { [item.field]: table } } } : { limits_for: [{ [scope]: name, ...about, ...change }] };
  try {
    const found = await post("rules/revisions", { ...words, ...body });
    toast(say("rules.done_draft", { number: found.number }));
    rulesDesk.choose(found.number);
    return "";
  } catch (error) {
    return error.status ? error.message : say("login.unreachable");
  }
}

// One revision: why it was made, what it changes, what its back-test says, and what may be done with it.

import { freshKey } from "./acknowledge.mjs";
import { post } from "./api.mjs";
import { areaInput, textInput } from "./inputs.mjs";
import { el } from "./dom.mjs";
import { moment, number } from "./format.mjs";
import { live } from "./live.mjs";
import { faultsText, problemText } from "./problem_words.mjs";
import { changes } from "./rules_changes.mjs";
import { rulesDesk } from "./rules_desk.mjs";
import { notJudged, resultParts } from "./rules_result.mjs";
import { stateTag } from "./rules_revisions.mjs";
import { logIn, session, sessions } from "./session.mjs";
import { say } from "./texts.mjs";
import { clockGiven } from "./time_window.mjs";
import { toast } from "./toast.mjs";

const SPANS_H = [1, 24, 168, 720];
const SOURCES = ["journal", "history"];
// A month of messages is hours of work, one of history minutes.
const JOURNAL_MOST_H = 168;
let source = "journal";

export function mount(element, scope) {
  let last = "";
  const show = () => {
    const item = rulesDesk.detail;
    const told = JSON.stringify([item, session()?.user, rulesDesk.ready]);
    // What stands still is not drawn anew: a list that is being read keeps its place.
    if (told === last) return;
    last = told;
    element.replaceChildren(...(item ? content(item) : [el("p", { class: "quiet" }, say(rulesDesk.ready ? "rules.choose" : "shell.loading"))]));
  };
  show();
  scope.listen(rulesDesk, "change", show);
  scope.listen(sessions, "change", show);
}

function content(item) {
  return [
    el("header", { class: "rules-head" }, el("h2", null, say("rules.number", { number: item.number })), stateTag(item.state)),
    el("p", null, item.reason),
    el(
      "dl",
      { class: "rules-facts" },
      fact("rules.source", `${item.source} ${item.edition}`.trim()),
      fact("rules.grade", say(`rules.grade_${item.grade}`)),
      fact("rules.author", `${item.author} · ${moment(item.created_at, live.now())}`),
      fact("rules.approver", item.approved_by ? `${item.approved_by} · ${moment(item.approved_at, live.now())}` : say("device.no_value")),
      fact("rules.effective", item.effective_at ? moment(item.effective_at, live.now()) : say("device.no_value")),
      item.adopted.length > 0 && fact("rules.adopted", item.adopted.map((each) => `${each.shard} @ ${each.position}`).join(", ")),
    ),
    el("h3", null, say("rules.changes")),
    el("ul", { class: "rules-changes" }, changes(item.changes)),
    item.unfit && el("p", { class: "problem" }, say("rules.unfit", { detail: item.unfit_faults.length ? faultsText(item.unfit_faults) : item.unfit })),
    el("div", { class: "button-row rules-acts" }, acts(item)),
    el("h3", null, say("rules.backtest")),
    ...tested(item),
  ].filter(Boolean);
}

const fact = (key, text) => el("div", null, el("dt", null, say(key)), el("dd", null, text));

function acts(item) {
  const button = (key, onclick, primary = false) =>
    el("button", { type: "button", class: primary ? "primary" : "", "data-act": key, onclick }, say(`rules.act_${key}`));
  if (!session()?.user) return [button("log_in", async () => (await logIn(say("rules.log_in"))) && rulesDesk.refresh())];
  if (["draft", "tested"].includes(item.state)) {
    return [
      button("approve", () => approveDialog(item), item.state === "tested"),
      ...SPANS_H.map((hours) => el("button", { type: "button", "data-act": `test_${hours}`, hidden: tooLong(hours), disabled: rulesDesk.busy, onclick: () => test(item, hours) }, say(`rules.test_${hours}`))),
      button("discard", () => act(`rules/revisions/${item.number}/discard`, { idempotency_key: freshKey() })),
      sources(),
    ];
  }
  if (["superseded", "approved"].includes(item.state)) return [button("rollback", () => rollbackDialog(item.number))];
  return item.state === "in_force" ? [button("rollback_site", () => rollbackDialog(0))] : [];
}

const tooLong = (hours) => source === "journal" && hours > JOURNAL_MOST_H;

/** On what a draft is tested, with what that means; kept while the page is open. */
function sources() {
  const meaning = el("p", { class: "quiet" }, say(`rules.source_${source}_detail`));
  const choose = ({ target }) => {
    source = target.value;
    meaning.textContent = say(`rules.source_${source}_detail`);
    for (const hours of SPANS_H) {
      const button = target.closest(".rules-acts").querySelector(`[data-act="test_${hours}"]`);
      button.hidden = tooLong(hours);
    }
  };
  const choice = (value) =>
    el("label", null, el("input", { type: "radio", name: "rules-source", value, checked: value === source, onchange: choose }), say(`rules.source_${value}`));
  return el("fieldset", { class: "rules-source" }, el("legend", null, say("rules.source_legend")), SOURCES.map(choice), meaning);
}

async function test(item, hours) {
  const to = live.now();
  const body = { idempotency_key: freshKey(), source, from: new Date(to - hours * 3_600_000).toISOString(), to: new Date(to).toISOString() };
  const problem = await act(`rules/revisions/${item.number}/backtest`, body);
  if (problem) toast(problem, { problem: true });
}

/** Do it; returns the words for what went wrong, or nothing. */
async function act(path, body, done = "") {
  try {
    const found = await post(path, body);
    if (done) toast(say(done, { number: found.number }));
    rulesDesk.choose(found.number);
    return "";
  } catch (error) {
    if (error.status === 401 && (await logIn(say("rules.log_in")))) return act(path, body, done);
    return error.status ? error.message : say("login.unreachable");
  }
}

function approveDialog(item) {
  const found = item.backtest?.result;
  const at = textInput(say("rules.effective_at"), { type: "datetime-local", step: "1" });
  const words = [
    el("p", null, item.reason),
    found && el("p", { class: "rules-verdict" }, verdict(found.verdicts)),
    notJudged(found),
    el("p", { class: "quiet" }, say("rules.approve_detail")),
    at.element,
  ];
  dialog("approve", words, (key) => act(`rules/revisions/${item.number}/approve`, { idempotency_key: key, effective_at: clockGiven(at.value()) }, "rules.done_approve"));
}

function rollbackDialog(to) {
  const reason = areaInput(say("rules.in_reason"), true);
  const words = [el("p", null, say(to ? "rules.rollback_detail" : "rules.rollback_site_detail", { number: to })), reason.element];
  dialog("rollback", words, (key) => act("rules/rollback", { idempotency_key: key, to, reason: reason.value() }, "rules.done_rollback"));
}

export function dialog(name, words, send, wide = false) {
  // One key for one dialog: pressing again after a broken connection is the same wish.
  const key = freshKey();
  const problem = el("p", { class: "problem", role: "alert" });
  const confirm = el("button", { type: "submit", class: "primary" }, say(`rules.act_${name}`));
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", null, say(`rules.act_${name}`)),
    words,
    problem,
    el("div", { class: "button-row" }, confirm, el("button", { type: "button", onclick: () => box.close() }, say("login.cancel"))),
  );
  const box = el("dialog", { class: wide ? "rules-dialog is-wide" : "rules-dialog", "aria-label": say(`rules.act_${name}`) }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    confirm.disabled = true;
    problem.textContent = await send(key);
    confirm.disabled = false;
    if (!problem.textContent) box.close();
  });
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  (form.querySelector("textarea, input, select") ?? confirm).focus();
}

export function verdict(found) {
  const counts = { spared: number(found.spared), false_alarms: number(found.false_alarms), missed: number(found.missed), confirmed: number(found.confirmed) };
  const absent = found.absent ? say("rules.verdict_absent", { count: number(found.absent) }) : "";
  return [say("rules.verdict", counts), absent].filter(Boolean).join(" ");
}

function tested(item) {
  const run = item.backtest;
  if (!run) return [el("p", { class: "quiet" }, say("rules.untested"))];
  const span = say("rules.span", { from: moment(run.from, live.now()), to: moment(run.to, live.now()), base: run.base || say("rules.site_file") });
  if (["waiting", "running"].includes(run.state)) {
    return [
      el("p", { role: "status" }, say("rules.running", { done: number(Math.floor((100 * run.done) / (run.total || 1))) })),
      el("progress", { max: String(run.total || 1), value: String(run.done), "aria-label": say("rules.backtest") }),
    ];
  }
  if (run.state !== "done") return [el("p", { class: "problem" }, run.problem ? problemText(500, run.problem) : say("rules.interrupted"))];
  const open = ["draft", "tested"].includes(item.state);
  return [
    el("p", { class: "quiet" }, `${span} · ${say(`rules.source_${run.result.source ?? "journal"}`)}`),
    open && !run.exact && el("p", { class: "problem" }, say("rules.inexact")),
    el("p", { class: "rules-verdict" }, verdict(run.result.verdicts)),
    ...resultParts(run.result),
  ].filter(Boolean);
}

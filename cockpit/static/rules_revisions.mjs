// The list of revisions, the newest on top, each with its state, its people and what its back-test found.

import { el } from "./dom.mjs";
import { moment } from "./format.mjs";
import { live } from "./live.mjs";
import { rulesDesk } from "./rules_desk.mjs";
import { say } from "./texts.mjs";

const POLL_MS = 5_000;
const BUSY_MS = 1_000;

export function mount(element, scope) {
  const show = () => element.replaceChildren(...content());
  show();
  scope.listen(rulesDesk, "change", show);
  scope.every(POLL_MS, () => document.hidden || rulesDesk.look());
  scope.every(BUSY_MS, () => rulesDesk.busy && !document.hidden && rulesDesk.look());
  rulesDesk.refresh();
}

function content() {
  if (rulesDesk.failed) return [el("p", { class: "problem" }, say("shell.failed", { detail: rulesDesk.failed }))];
  if (!rulesDesk.ready) return [el("p", { class: "quiet" }, say("shell.loading"))];
  if (!rulesDesk.items.length) return [el("p", { class: "quiet" }, say("rules.none"))];
  return [el("ul", { class: "rules-list" }, rulesDesk.items.map(row))];
}

function row(item) {
  const by = say("rules.by", { author: item.author, approver: item.approved_by ?? say("device.no_value") });
  const at = item.effective_at ?? item.created_at;
  const found = item.backtest?.result;
  return el(
    "li",
    null,
    el(
      "button",
      { type: "button", class: "rules-row", "aria-pressed": String(item.number === rulesDesk.chosen), onclick: () => rulesDesk.choose(item.number) },
      el("b", { class: "numeric" }, `#${item.number}`),
      stateTag(item.state),
      el("span", { class: "rules-reason" }, item.restores === null ? item.reason : say("rules.restores", { number: item.restores, reason: item.reason })),
      el("span", { class: "quiet rules-who" }, `${by} · ${moment(at, live.now())}`),
      found && el("span", { class: "quiet rules-found" }, say("rules.found", { vanish: found.vanish.count, appear: found.appear.count })),
    ),
  );
}

export function stateTag(state) {
  return el("span", { class: `tag rules-state rules-state-${state}` }, say(`rules.state_${state}`));
}

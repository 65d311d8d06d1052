// The rules in force: levels, delays, where each comes from, for whom it stands; any of them may be made a draft.

import { shortPriority } from "./alarms.mjs";
import { get } from "./api.mjs";
import { el } from "./dom.mjs";
import { duration, number, unitOf } from "./format.mjs";
import { faultsText } from "./problem_words.mjs";
import { draftDialog } from "./rules_draft.mjs";
import { rulesDesk } from "./rules_desk.mjs";
import { named, say } from "./texts.mjs";

const FEW = 12;
const phone = matchMedia("(max-width: 700px)");

export function mount(element, scope) {
  const kind = el("select", { class: "field", "aria-label": say("rules.filter_kind"), onchange: () => show() });
  const device = el("input", { class: "field", type: "search", placeholder: say("rules.filter_device"), "aria-label": say("rules.filter_device"), maxlength: "64" });
  const note = el("p", { class: "quiet", role: "status" });
  const body = el("div", { class: "rules-table-area", tabindex: "0", role: "region", "aria-label": say("rules.in_force") });
  element.append(el("div", { class: "rules-filter" }, kind, device), note, body);
  let mine = null;
  let last = "";
  const show = () => {
    const force = rulesDesk.force;
    if (!force) return;
    const kinds = new Map(force.items.map((item) => [item.kind, named(item.kind_name)]));
    if (kind.options.length !== kinds.size + 1) {
      kind.replaceChildren(el("option", { value: "" }, say("rules.all_kinds")), ...[...kinds].map(([key, name]) => el("option", { value: key }, name)));
    }
    const items = (mine ?? force.items).filter((item) => !kind.value || item.kind === kind.value);
    note.textContent = [say("rules.count", { count: number(items.length), revision: force.revision || say("rules.site_file") }), ...force.unfit_faults.map((each) => say("rules.unfit", { detail: faultsText([each]) }))].join(" · ");
    const told = JSON.stringify(items);
    if (told === last) return;
    last = told;
    body.replaceChildren(...(phone.matches && items.length > FEW ? folded(items, kinds, body) : [table(items)]));
  };
  device.addEventListener("change", async () => {
    mine = null;
    const wanted = device.value.trim();
    if (wanted) {
      try {
        mine = (await get("rules", { device: wanted })).items;
      } catch (error) {
        mine = [];
        show();
        note.textContent = error.message;
        return;
      }
    }
    show();
  });
  show();
  scope.listen(rulesDesk, "change", show);
}

/** On a phone kind by kind, each folded until somebody opens it; what was open stays so. */
function folded(items, kinds, body) {
  const open = new Set([...body.querySelectorAll("details[open]")].map((each) => each.dataset.kind));
  return [...kinds].flatMap(([key, name]) => {
    const own = items.filter((item) => item.kind === key);
    if (!own.length) return [];
    const changed = own.filter((item) => item.revised).length;
    const summary = el("summary", null, el("b", null, name), ` ${number(own.length)}`, changed ? el("span", { class: "tag" }, `${say("rules.revised")} ${number(changed)}`) : "");
    return [el("details", { class: "rules-kind", "data-kind": key, open: open.has(key) }, summary, table(own))];
  });
}

function table(items) {
  const head = ["rule", "for_whom", "levels", "deadband", "delays", "source", "grade", "change"];
  return el(
    "table",
    { class: "rules-table" },
    el("thead", null, el("tr", null, head.map((key) => el("th", { scope: "col" }, say(`rules.col_${key}`))))),
    el("tbody", null, items.map(row)),
  );
}

function row(item) {
  const cell = (key, ...children) => el("td", { "data-label": say(`rules.col_${key}`) }, ...children);
  return el(
    "tr",
    { class: item.revised ? "is-revised" : "" },
    el("th", { scope: "row" }, `${named(item.kind_name)} · ${named(item.name)}`, el("code", { class: "quiet" }, item.rule), item.revised && el("span", { class: "tag" }, say("rules.revised"))),
    cell("for_whom", say(`rules.scope_${item.scope}`), item.scope === "kind" ? "" : ` ${named(item.of_name, item.of)}`),
    cell("levels", levels(item), item.site_file && el("div", { class: "quiet rules-was" }, say("rules.was"), levels({ ...item, ...item.site_file }))),
    cell("deadband", item.deadband ? `${number(item.deadband, item.deadband % 1 ? 1 : 0)} ${unitOf({ unit_label: item.unit_name })}` : say("device.no_value")),
    cell("delays", `${duration(item.on_s * 1000)} / ${duration(item.off_s * 1000)}`, item.latch && el("span", { class: "tag" }, say("rules.latched"))),
    cell("source", named(item.source)),
    cell("grade", el("abbr", { title: say(`rules.grade_${item.grade}`) }, item.grade)),
    cell("change", item.sense === "silence" ? say("device.no_value") : el("button", { type: "button", class: "plain", onclick: () => draftDialog(item) }, say("rules.col_change"))),
  );
}

function levels(item) {
  const sign = { above: "≥", below: "≤", state: "=", silence: ">" }[item.sense];
  const value = (level) => (item.codes?.[String(level.value)] ? named(item.codes[String(level.value)]) : `${number(level.value, level.value % 1 ? 2 : 0)} ${unitOf({ unit_label: item.unit_name })}`);
  return item.levels.map((level) =>
    el("span", { class: "rules-level" }, el("span", { class: `rules-priority priority-${level.priority}` }, shortPriority(level.priority)), ` ${sign} ${value(level).trim()}`),
  );
}

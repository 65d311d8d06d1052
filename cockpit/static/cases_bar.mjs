// Over the list of cases: how many wait at each step and how late they are, each a filter; street, sub-class, and reporting.

import { reportDialog } from "./case_report.mjs";
import { caseDesk } from "./case_desk.mjs";
import { STEPS, colourMark } from "./case_words.mjs";
import { get } from "./api.mjs";
import { site } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { number } from "./format.mjs";
import { logIn, session } from "./session.mjs";
import { named, say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

const COLOURS = ["green", "amber", "red"];

export async function mount(element, scope) {
  const [city, classes] = await Promise.all([site(), get("cases/classes")]);
  if (!scope.open) return;
  const buttons = [];
  const toggle = (key, value, content, of) => {
    const count = el("b", { class: "numeric" });
    const press = () => caseDesk.narrow({ [key]: caseDesk.filter[key] === value ? (key === "state" ? "open" : "") : value });
    const button = el("button", { type: "button", class: `case-chip chip-${value}`, onclick: press }, content, count);
    buttons.push({ button, count, key, value, of });
    return button;
  };
  const steps = STEPS.map((state) => toggle("state", state, say(`cases.state_${state}`), (found) => found.states[state]));
  const colours = COLOURS.map((colour) =>
    toggle("colour", colour, [colourMark(colour), say(`cases.colour_${colour}`)], (found) => found.colours[colour]),
  );
  const streets = [...city.street.values()].map((street) => [street.key, named(street.name)]);
  const street = choice("street", say("cases.all_streets"), streets);
  const subClass = choice("sub_class", say("cases.all_classes"), classes.items.map((row) => [row.key, named(row.name)]));
  const state = choice("state", say("cases.open"), [["CLOSED", say("cases.state_CLOSED")], ["VOID", say("cases.state_VOID")], ["all", say("cases.all")]], "open");
  const mine = el("button", { type: "button", class: "case-mine", onclick: showMine }, say("cases.mine"));
  const clear = el("button", { type: "button", class: "plain", onclick: () => caseDesk.clear() }, say("cases.clear"));
  const add = el("button", { type: "button", class: "primary", onclick: () => reportDialog(city, classes.items) }, say("cases.report"));
  element.append(
    el("div", { class: "case-steps", role: "group", "aria-label": say("cases.steps") }, steps),
    el("div", { class: "case-colours", role: "group", "aria-label": say("cases.time_left") }, colours),
    el("div", { class: "case-filters" }, mine, street, subClass, state, clear, !timeWindow.past && add),
  );
  const show = () => {
    for (const { button, count, key, value, of } of buttons) {
      button.setAttribute("aria-pressed", String(caseDesk.filter[key] === value));
      const found = caseDesk.counts ? of(caseDesk.counts) : 0;
      setText(count, caseDesk.counts ? number(found) : "");
      button.classList.toggle("is-zero", !found);
    }
    mine.setAttribute("aria-pressed", String(caseDesk.filter.mine));
    clear.hidden = !caseDesk.filtered;
    for (const [select, key, otherwise] of [[street, "street", ""], [subClass, "sub_class", ""], [state, "state", "open"]]) {
      const wanted = caseDesk.filter[key];
      select.value = [...select.options].some((option) => option.value === wanted) ? wanted : otherwise;
    }
  };
  show();
  scope.listen(caseDesk, "change", show);
  scope.listen(caseDesk, "filter", show);
}

async function showMine() {
  if (!caseDesk.filter.mine && !session()?.user && !(await logIn(say("cases.log_in_mine")))) return;
  caseDesk.narrow({ mine: !caseDesk.filter.mine });
}

function choice(key, all, options, otherwise = "") {
  const change = (event) => caseDesk.narrow({ [key]: event.target.value });
  const shown = [[otherwise, all], ...options].map(([value, text]) => el("option", { value }, text));
  return el("select", { class: "field", "aria-label": say(`cases.filter_${key}`), onchange: change }, shown);
}

// Choosing faults to lay over a scenario: what, where, how much; each stands in a list until it is taken out again.

import { el } from "./dom.mjs";
import { faultName, faultText } from "./fault_words.mjs";
import { selectInput, textInput } from "./inputs.mjs";
import { named, say } from "./texts.mjs";

/** An element to show, and the faults that were added, as the API takes them. */
export function faultChoice(faults) {
  const chosen = [];
  const name = selectInput(say("laying.name"), faults.map((each) => [each.key, `${faultName(each.key, named(each.name))} · ${named(each.description)}`]), faults[0]?.key);
  const where = textInput(say("laying.where"), { class: "field", maxlength: "80" });
  const amount = textInput(say("laying.amount"), { class: "field", type: "number", step: "any" });
  const list = el("ul", { class: "fault-list", "aria-live": "polite" });
  const count = el("span", { class: "quiet" });
  const one = () => faults.find((each) => each.key === name.value());
  const word = () => [one().key, where.value(), one().needs_amount && `amount=${amount.value()}`].filter(Boolean).join(":");
  const show = () => {
    count.textContent = chosen.length ? chosen.map(faultText).join("; ") : say("laying.none");
    list.replaceChildren(
      ...chosen.map((fault, i) => el("li", null, el("span", null, faultText(fault)), el("button", { type: "button", class: "plain", "aria-label": say("laying.remove", { fault: faultText(fault) }), onclick: () => (chosen.splice(i, 1), show()) }, "✕"))),
    );
  };
  const ready = () => {
    amount.element.hidden = !one().needs_amount;
    amount.element.firstChild.textContent = one().needs_amount ? say(`laying.amount_${one().key}`) : "";
    add.disabled = !where.value() || (one().needs_amount && !amount.value());
  };
  const take = () => {
    if (!chosen.includes(word())) chosen.push(word());
    where.control.value = "";
    show();
    ready();
  };
  const add = el("button", { type: "button", "data-act": "add_fault", onclick: take }, say("laying.add"));
  for (const input of [name, where, amount]) input.control.addEventListener("input", ready);
  // Within a dialog Enter would begin the exercise, without the fault that was just written.
  const enter = (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (!add.disabled) take();
  };
  for (const input of [where, amount]) input.control.addEventListener("keydown", enter);
  show();
  ready();
  return {
    element: el("details", { class: "fault-choice" }, el("summary", null, say("laying.title"), " ", count), list, name.element, where.element, amount.element, add),
    value: () => [...chosen],
  };
}

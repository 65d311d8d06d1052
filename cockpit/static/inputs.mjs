// Labelled inputs of dialogs: each is an element to show and a function that reads what was put in.

import { el } from "./dom.mjs";

export function selectInput(label, options, value) {
  const select = el("select", { class: "field" }, options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  return { element: el("label", null, label, select), value: () => select.value, control: select };
}

export function textInput(label, properties = {}) {
  const input = el("input", { type: "text", autocomplete: "off", ...properties });
  return { element: el("label", null, label, input), value: () => input.value.trim(), control: input };
}

export function areaInput(label, required) {
  const input = el("textarea", { class: "field", rows: "3", maxlength: "2000", required });
  return { element: el("label", null, label, input), value: () => input.value.trim() };
}

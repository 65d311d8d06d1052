// Labelled inputs of dialogs: each is an element to show and a function that reads what was put in.

import { el } from "./dom.mjs";
import { say } from "./texts.mjs";

export function selectInput(label, options, value) {
  const select = el("select", { class: "field" }, options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  return { element: el("label", null, label, select), value: () => select.value, control: select };
}

export function textInput(label, properties = {}) {
  const input = el("input", { type: "text", autocomplete: "off", ...properties });
  return { element: el("label", null, label, input), value: () => input.value.trim(), control: input };
}

/** A file from this machine, in our own words: the browser's own control speaks the browser's language. */
export function fileInput(label, accept, take) {
  const name = el("output", { class: "file-name quiet" }, say("shell.no_file"));
  const input = el("input", { type: "file", class: "visually-hidden", accept, "aria-label": `${say("shell.choose_file")} · ${label}` });
  input.addEventListener("change", () => {
    const [chosen] = input.files;
    // Emptied, so that the same file can be chosen once more after it was edited.
    input.value = "";
    if (!chosen) return;
    name.textContent = chosen.name;
    take(chosen);
  });
  return el("div", { class: "file-input" }, el("span", { "aria-hidden": "true" }, label), el("label", null, input, el("span", { class: "button" }, say("shell.choose_file"))), name);
}

export function areaInput(label, required) {
  const input = el("textarea", { class: "field", rows: "3", maxlength: "2000", required });
  return { element: el("label", null, label, input), value: () => input.value.trim() };
}

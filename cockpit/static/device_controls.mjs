// Which field and which window the history shows: a native list and buttons, which every reader and keyboard knows.

import { el } from "./dom.mjs";
import { say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

export function mount(element) {
  const fields = JSON.parse(element.dataset.fields);
  const windows = JSON.parse(element.dataset.windows);
  // A span of the address stands until one of the windows is chosen.
  const chosen = { field: element.dataset.field, window: Object.keys(windows)[0], span: timeWindow.from !== null };
  const tell = () => window.dash_clientside.set_props("device-view", { data: { ...chosen } });

  const list = el(
    "select",
    { "aria-label": say("device.choose_field") },
    fields.map(([key, name]) => el("option", { value: key, selected: key === chosen.field }, name)),
  );
  list.addEventListener("change", () => {
    chosen.field = list.value;
    tell();
  });
  const buttons = Object.entries(windows).map(([key, name]) => {
    const button = el("button", { type: "button", "aria-pressed": String(!chosen.span && key === chosen.window) }, name);
    button.addEventListener("click", () => {
      Object.assign(chosen, { window: key, span: false });
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      tell();
    });
    return button;
  });
  element.append(list, el("div", { class: "window-buttons", role: "group", "aria-label": say("device.window") }, buttons));
}

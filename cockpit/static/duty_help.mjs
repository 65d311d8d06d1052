// The keys of the duty desk.

import { el } from "./dom.mjs";
import { say, settings } from "./texts.mjs";

const KEYS = [
  ["j", "help_j"], ["k", "help_k"], ["a", "help_a"], ["d", "help_d"], ["c", "help_c"], ["s", "help_s"], ["r", "help_r"],
  ["Enter", "help_enter"], ["Esc", "help_escape"], ["m", "help_m"], ["h", "help_h"], ["?", "help_help"],
];

export function helpDialog() {
  if (document.querySelector("dialog[open]")) return;
  const rows = KEYS.filter(([key]) => key !== "h" || !settings.drill).map(([key, text]) => [el("dt", null, el("kbd", null, key)), el("dd", null, say(`duty.${text}`))]);
  const dialog = el(
    "dialog",
    { "aria-label": say("duty.help") },
    el("div", { class: "stack" }, el("h2", null, say("duty.help")), el("dl", { class: "facts" }, rows.flat()),
      el("button", { type: "button", onclick: () => dialog.close() }, say("shell.close"))),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// Every circuit: how many of its lamps burn, what was ordered and what they say, who asks for what, and its lamps.

import { site } from "./city.mjs";
import { el } from "./dom.mjs";
import { CircuitRow } from "./lamps_row.mjs";
import { lampsDesk } from "./lamps_desk.mjs";
import { sessions } from "./session.mjs";
import { say } from "./texts.mjs";

const POLL_MS = 5_000;
const BUSY_MS = 1_500;

export async function mount(element, scope) {
  const city = await site();
  if (!scope.open) return;
  const rows = new Map();
  const list = el("ul", { class: "lamps-list" });
  const note = el("p", { class: "quiet" });
  element.append(note, list);
  const show = () => {
    const shown = lampsDesk.shown;
    note.textContent = nothing(shown);
    note.className = lampsDesk.failed ? "problem" : "quiet";
    note.hidden = !note.textContent;
    list.hidden = !shown.length;
    shown.forEach((circuit, i) => {
      if (!rows.has(circuit.id)) rows.set(circuit.id, new CircuitRow(circuit, city));
      const row = rows.get(circuit.id);
      row.show(circuit);
      // Rows stay where they are as long as they may: one that is being pressed must not be drawn anew.
      if (list.children[i] !== row.element) list.insertBefore(row.element, list.children[i] ?? null);
    });
    while (list.children.length > shown.length) list.lastChild.remove();
  };
  show();
  scope.listen(lampsDesk, "change", show);
  scope.listen(sessions, "change", show);
  scope.every(1000, () => rows.forEach((row) => row.tick()));
  scope.every(POLL_MS, () => document.hidden || lampsDesk.refresh());
  scope.every(BUSY_MS, () => lampsDesk.busy && !document.hidden && lampsDesk.refresh());
  lampsDesk.refresh();
}

function nothing(shown) {
  if (lampsDesk.failed) return say("shell.failed", { detail: lampsDesk.failed });
  if (!lampsDesk.ready) return say("shell.loading");
  if (shown.length) return "";
  return say(lampsDesk.circuits.length ? "lamps.none_found" : "lamps.none");
}

// Every circuit, street by street: how many of its lamps burn, what was ordered and what they say, who asks for what, and
// its lamps. Above them what wants somebody, and the lamps whose number is looked for.

import { address } from "./api.mjs";
import { site } from "./city.mjs";
import { el } from "./dom.mjs";
import { GroupHead } from "./lamps_group.mjs";
import { CircuitRow } from "./lamps_row.mjs";
import { lampsDesk } from "./lamps_desk.mjs";
import { sessions } from "./session.mjs";
import { named, say } from "./texts.mjs";

const POLL_MS = 5_000;
const BUSY_MS = 1_500;

export async function mount(element, scope) {
  const city = await site();
  if (!scope.open) return;
  const rows = new Map();
  const heads = new Map();
  const list = el("ul", { class: "lamps-list" });
  const note = el("p", { class: "quiet" });
  const found = el("ul", { class: "lamps-found", "aria-label": say("lamps.found") });
  element.append(found, note, list);
  const streets = [...city.street.keys()];
  const street = (key) => named(city.street.get(key)?.name, key);
  const rowOf = (circuit) => {
    if (!rows.has(circuit.id)) rows.set(circuit.id, new CircuitRow(circuit, city));
    rows.get(circuit.id).show(circuit);
    return rows.get(circuit.id).element;
  };
  const headOf = (group) => {
    if (!heads.has(group.key)) heads.set(group.key, new GroupHead(group.key, group.key ? street(group.key) : say("lamps.wanted")));
    heads.get(group.key).show(group.circuits);
    return heads.get(group.key).element;
  };
  const show = () => {
    const groups = lampsDesk.groups(streets);
    note.textContent = nothing(groups.length > 0);
    note.className = lampsDesk.failed ? "problem" : "quiet";
    note.hidden = !note.textContent;
    list.hidden = !groups.length;
    showFound(found, street);
    const wanted = groups.flatMap((group) => [headOf(group), ...(lampsDesk.unfolded(group.key) ? group.circuits.map(rowOf) : [])]);
    wanted.forEach((item, i) => {
      // Rows stay where they are as long as they may: one that is being pressed must not be drawn anew.
      if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
    });
    while (list.children.length > wanted.length) list.lastChild.remove();
  };
  show();
  scope.listen(lampsDesk, "change", show);
  scope.listen(sessions, "change", show);
  scope.every(1000, () => rows.forEach((row) => row.element.isConnected && row.tick()));
  scope.every(POLL_MS, () => document.hidden || lampsDesk.again());
  scope.every(BUSY_MS, () => lampsDesk.busy && !document.hidden && lampsDesk.again());
  lampsDesk.refresh();
}

function showFound(list, street) {
  const key = lampsDesk.found.map((lamp) => lamp.device).join();
  list.hidden = !key;
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(
    ...lampsDesk.found.map((lamp) =>
      el("li", null, el("a", { class: "button", href: address(`device/${encodeURIComponent(lamp.device)}`) }, el("b", null, lamp.device), ` ${[lamp.circuit, street(lamp.street)].filter(Boolean).join(" · ")}`)),
    ),
  );
}

function nothing(some) {
  if (lampsDesk.failed) return say("shell.failed", { detail: lampsDesk.failed });
  if (!lampsDesk.ready) return say("shell.loading");
  if (some || lampsDesk.found.length) return "";
  return say(lampsDesk.circuits.length ? "lamps.none_found" : "lamps.none");
}

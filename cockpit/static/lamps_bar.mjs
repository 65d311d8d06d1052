// Above the circuits: how many there are and how they stand, and what the reader looks for.

import { site } from "./city.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { failures, lampsDesk } from "./lamps_desk.mjs";
import { named, say } from "./texts.mjs";

export async function mount(element, scope) {
  const city = await site();
  if (!scope.open) return;
  const street = el("select", { class: "field", "aria-label": say("lamps.street") }, el("option", { value: "" }, say("lamps.all_streets")));
  for (const [key, found] of city.street) street.append(el("option", { value: key }, named(found.name)));
  const text = el("input", { class: "field", type: "search", placeholder: say("lamps.search"), "aria-label": say("lamps.search"), value: lampsDesk.wish.text });
  const busy = el("input", { type: "checkbox" });
  const totals = el("p", { class: "lamps-totals numeric", role: "status" });
  street.addEventListener("change", () => lampsDesk.look({ street: street.value }));
  text.addEventListener("input", () => lampsDesk.look({ text: text.value.trim() }));
  busy.addEventListener("change", () => lampsDesk.look({ busy: busy.checked }));
  // Brought here to one circuit: what is looked for may be a lamp as well.
  if (lampsDesk.wish.text) lampsDesk.search();
  element.append(totals, el("div", { class: "lamps-filter" }, street, text, el("label", { class: "check" }, busy, say("lamps.only_busy"))));
  const show = () => {
    const sum = (of) => number(lampsDesk.circuits.reduce((total, circuit) => total + of(circuit), 0));
    const told = { circuits: number(lampsDesk.circuits.length), lit: sum((c) => c.lit), lamps: sum((c) => c.lamps) };
    totals.textContent = lampsDesk.ready ? say("lamps.totals", { ...told, commanded: sum((c) => c.commanded), waiting: sum((c) => c.waiting), failed: sum(failures) }) : "";
  };
  scope.listen(lampsDesk, "change", show);
  show();
}

// The card of a pole that was picked on the map: what it says, the way to its page, and its switch.

import { address, get } from "./api.mjs";
import { el } from "./dom.mjs";
import { switchDialog } from "./lamp_acts.mjs";
import { age, maySwitch, percent, standingTag } from "./lamp_words.mjs";
import { say } from "./texts.mjs";
import { timeWindow, withWindow } from "./time_window.mjs";

/** Show a pole beside the map; a device of any other kind is opened at once. */
export async function pick(element, place, id) {
  const page = withWindow(address(`device/${encodeURIComponent(id)}`));
  // Nothing is switched in the past.
  if (place?.kind !== "light_pole" || timeWindow.past) return window.location.assign(page);
  try {
    const lamp = await get(`lamps/${encodeURIComponent(id)}`);
    show(element, lamp, page);
  } catch {
    // An air station without a lamp, or a cockpit that is away: its page says more.
    window.location.assign(page);
  }
}

function show(element, lamp, page) {
  const close = () => element.querySelector(".map-card")?.remove();
  const control = () => switchDialog({ scope: "lamp", subject: lamp.device, lamps: 1, dim: lamp.dim_pct, done: close });
  close();
  const card = el(
    "aside",
    { class: "map-card", "aria-label": lamp.device },
    el("header", null, el("b", null, lamp.device), standingTag(lamp.standing), el("button", { type: "button", class: "plain", "aria-label": say("shell.close"), onclick: close }, "×")),
    el("p", { class: "numeric" }, `${say("lamps.actual")} ${percent(lamp.dim_pct)} · ${say("lamps.pole_says")} ${percent(lamp.cmd_pct)} `, el("small", { class: "quiet" }, age(lamp.dim_at))),
    el(
      "div",
      { class: "button-row" },
      maySwitch() && el("button", { type: "button", class: "primary", "data-act": "switch", onclick: control }, say("lamps.switch_lamp")),
      el("a", { class: "button", href: page }, say("lamps.to_device")),
      lamp.circuit && el("a", { class: "button", href: address(`lamps?circuit=${encodeURIComponent(lamp.circuit)}`) }, say("lamps.to_circuit", { circuit: lamp.circuit })),
    ),
  );
  card.addEventListener("keydown", (event) => event.key === "Escape" && close());
  element.append(card);
  card.querySelector("button.primary, a")?.focus();
}

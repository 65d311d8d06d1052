// The control panel on the page of a light pole: commanded against actual with their ages, its orders, and the switch.

import { address, get } from "./api.mjs";
import { Asking } from "./asking.mjs";
import { el, setText } from "./dom.mjs";
import { moment } from "./format.mjs";
import { requestBanner, switchDialog } from "./lamp_acts.mjs";
import { age, leakText, levelBar, maySwitch, percent, standingTag, wantedText } from "./lamp_words.mjs";
import { orderItem } from "./lamps_orders.mjs";
import { live } from "./live.mjs";
import { session, sessions } from "./session.mjs";
import { say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

const POLL_MS = 5_000;
const BUSY_MS = 1_500;

export async function mount(element, scope) {
  // Nothing is switched in the past.
  element.hidden = timeWindow.past;
  if (timeWindow.past) return;
  const id = element.dataset.device;
  let lamp = null;
  let orders = [];
  const asking = new Asking(async (overtaken) => {
    const [found, listed] = await Promise.all([get(`lamps/${encodeURIComponent(id)}`), get("lamp-orders", { subject: id, limit: 3 })]);
    if (overtaken() || !scope.open) return;
    lamp = found;
    orders = listed.items;
    show();
  });
  const again = () => asking.ask().catch(() => undefined);
  const look = () => asking.look().catch(() => undefined);
  const control = () => switchDialog({ scope: "lamp", subject: id, lamps: 1, dim: lamp?.dim_pct, done: again });
  const facts = el("div", { class: "lamp-panel-facts-area" });
  const request = el("div");
  const listed = el("div");
  const press = el("button", { type: "button", class: "primary", "data-act": "switch", onclick: control }, say("lamps.switch_lamp"));
  const denied = el("span", { class: "quiet" }, say("lamps.no_role"));
  const circuit = el("a", { class: "button", hidden: true });
  element.replaceChildren(facts, request, el("div", { class: "button-row" }, press, denied, circuit), listed);
  const told = new Map();
  // What stands still is not drawn anew: a button that is being pressed stays the same one.
  const draw = (part, of, make) => {
    const now = JSON.stringify(of);
    if (told.get(part) !== now) part.replaceChildren(...make());
    told.set(part, now);
  };
  const show = () => {
    if (!lamp) return;
    press.hidden = !maySwitch();
    denied.hidden = maySwitch();
    circuit.hidden = !lamp.circuit;
    if (lamp.circuit) {
      circuit.href = address(`lamps?circuit=${encodeURIComponent(lamp.circuit)}`);
      setText(circuit, say("lamps.to_circuit", { circuit: lamp.circuit }));
    }
    facts.replaceChildren(...figures(lamp));
    draw(request, [lamp.request?.id, maySwitch(), session()?.user], () => (lamp.request ? [requestBanner(lamp.request, again, maySwitch())] : []));
    draw(listed, orders, () => (orders.length ? [el("ul", { class: "lamps-order-list", "aria-label": say("lamps.orders") }, orders.map(orderItem))] : []));
  };
  await asking.ask();
  scope.listen(sessions, "change", show);
  scope.listen(live, "tick", ({ detail }) => detail.devices?.[id] && asking.news().catch(() => undefined));
  scope.every(POLL_MS, () => document.hidden || look());
  scope.every(BUSY_MS, () => ["waiting", "following"].includes(lamp?.standing) && !document.hidden && look());
}

function figures(lamp) {
  const command = lamp.command && lamp.standing !== "own" ? lamp.command : null;
  const until = command?.until ? say("lamps.until", { at: moment(command.until, live.now()) }) : "";
  const rows = [
    ["lamps.commanded", command ? wantedText(command.dim_pct) : say("lamps.standing_own"), command ? [age(command.made_at), until].filter(Boolean).join(" · ") : ""],
    ["lamps.pole_says", percent(lamp.cmd_pct), age(lamp.cmd_at)],
    ["lamps.actual", percent(lamp.dim_pct), age(lamp.dim_at)],
  ];
  const fact = ([key, value, when]) => el("div", null, el("dt", null, say(key)), el("dd", { class: "numeric" }, el("b", null, value), " ", el("small", { class: "quiet" }, when)));
  return [
    el("div", { class: "lamp-panel-head" }, el("h2", null, say("lamps.title")), standingTag(lamp.standing), command?.answer ? el("span", { class: "quiet" }, command.answer) : null),
    levelBar(lamp.dim_pct, command ? command.dim_pct : lamp.cmd_pct).element,
    el("dl", { class: "lamp-panel-facts" }, rows.map(fact)),
    lamp.leaking.length ? el("p", { class: "problem" }, say("lamps.leaks_long", { what: leakText(lamp.leaking) })) : null,
  ].filter(Boolean);
}

// The orders, the newest first: what was wanted of which lamps, by whom, who approved, and what came of it.

import { address } from "./api.mjs";
import { el } from "./dom.mjs";
import { moment, number } from "./format.mjs";
import { wantedText } from "./lamp_words.mjs";
import { lampsDesk } from "./lamps_desk.mjs";
import { live } from "./live.mjs";
import { say } from "./texts.mjs";

const STATES = ["waiting", "sending", "sent", "acked", "refused", "timed_out", "late", "expired", "overtaken"];

const FIRST = 6;

export function mount(element, scope) {
  let last = "";
  let every = false;
  const show = () => {
    const told = JSON.stringify([lampsDesk.orders, lampsDesk.ready, every]);
    if (told === last) return;
    last = told;
    const { orders, ready } = lampsDesk;
    if (!orders.length) return element.replaceChildren(el("p", { class: "quiet" }, say(ready ? "lamps.no_orders" : "shell.loading")));
    const more = () => {
      every = true;
      show();
    };
    const shown = every ? orders : orders.slice(0, FIRST);
    element.replaceChildren(
      el("ul", { class: "lamps-order-list" }, shown.map(orderItem)),
      ...(shown.length < orders.length ? [el("button", { type: "button", class: "lamps-more", onclick: more }, say("lamps.all_orders", { count: number(orders.length) }))] : []),
    );
  };
  scope.listen(lampsDesk, "change", show);
  show();
}

export function orderItem(order) {
  const who = order.settled_by && order.settled_by !== order.asked_by ? say(`lamps.by_two_${order.state}`, { asked: order.asked_by, settled: order.settled_by }) : say("lamps.by", { asked: order.asked_by });
  const until = order.until ? say("lamps.until", { at: moment(order.until, live.now()) }) : null;
  return el(
    "li",
    { "data-order": order.id },
    el("p", { class: "lamps-order-what" }, el("b", null, subject(order)), el("span", null, wantedText(order.dim_pct)), el("span", { class: `tag lamp-order-${order.state}` }, say(`lamps.order_${order.state}`))),
    el("p", { class: "lamps-order-why" }, order.reason),
    el("p", { class: "quiet numeric" }, [`${moment(order.asked_at, live.now())} · ${who}`, until].filter(Boolean).join(" · ")),
    el("p", { class: "lamps-order-counts" }, STATES.filter((word) => order.commands_by_state[word]).map((word) => el("span", { class: `tag lamp-cmd-${word}` }, `${say(`lamps.cmd_${word}`)} ${number(order.commands_by_state[word])}`))),
  );
}

function subject(order) {
  if (order.scope === "circuit") return say("lamps.subject", { subject: order.subject, lamps: number(order.lamps) });
  return el("a", { href: address(`device/${encodeURIComponent(order.subject)}`) }, order.subject);
}

// The nothing-lost ledger as a picture: bands from hop to hop, as wide as what flows in them, and the equations below.

import { el, rem, svg } from "./dom.mjs";
import { number } from "./format.mjs";
import { feed, oldness, placeholder } from "./health_feed.mjs";
import { Balance, EQUATIONS } from "./health_balance.mjs";
import { verdict } from "./health_verdict.mjs";
import { say } from "./texts.mjs";

const NARROW_REM = 46;
const NODES = [
  ["received", "messages"],
  ["journaled", "messages"],
  ["decoded", "messages"],
  ["quarantined", "messages"],
  ["duplicate", "messages"],
  ["produced", "readings"],
  ["stored", "readings"],
  ["refused", "readings"],
  ["waiting", "readings"],
];

export function mount(element, scope) {
  const box = el("div", { class: "flow-picture" });
  const equations = el("div", { class: "equations" });
  const balance = new Balance();
  const show = () => {
    const part = feed.part("ledger");
    const instead = placeholder(part);
    if (instead) return element.replaceChildren(instead);
    if (!box.isConnected) element.replaceChildren(box, equations);
    element.querySelector(".health-old")?.remove();
    const old = oldness(part);
    if (old) element.prepend(old);
    draw(box, part.value);
    equations.replaceChildren(...EQUATIONS.map((equation) => written(equation, part.value, balance.judge(equation, part.value, Date.now()))));
  };
  feed.need("ledger", scope, show);
  scope.resized(element, () => feed.part("ledger").value && draw(box, feed.part("ledger").value));
}

/** One equation in figures, and whether it holds. */
function written(equation, ledger, found) {
  const counts = ledger[equation.part];
  const term = (key) => el("span", { class: `term flow-${key}` }, el("span", { class: "quiet" }, say(`health.${key}`)), el("b", { class: "numeric" }, number(counts[key])));
  const sign = (text) => el("span", { class: "sign" }, text);
  const right = equation.right.flatMap((key, i) => [i ? sign("+") : null, term(key)]);
  // What is on its way is a term of the equation, and shown as one.
  if (found.state === "moving") right.push(sign(found.by > 0 ? "+" : "−"), el("span", { class: "term" }, el("span", { class: "quiet" }, say("health.transit")), el("b", { class: "numeric" }, number(Math.abs(found.by)))));
  return el("p", { class: `equation is-${found.state}` }, term(equation.left), el("span", { class: "sign equals" }, found.state === "off" ? "≠" : "="), right, verdict(found.state === "off" ? found : { state: "even" }));
}

function draw(box, ledger) {
  const unit = rem();
  const width = box.clientWidth;
  if (width < 10) return;
  box.replaceChildren(width < NARROW_REM * unit ? rows(ledger) : bands(ledger, width, unit));
}

/** On a phone: one bar below the other. */
function rows(ledger) {
  const most = { messages: Math.max(1, ledger.messages.received), readings: Math.max(1, ledger.readings.produced) };
  return el(
    "ol",
    { class: "flow-rows" },
    NODES.map(([key, part]) => {
      const count = ledger[part][key];
      const bar = el("span", { class: "flow-bar" });
      bar.style.width = `${Math.max(count ? 1 : 0, (count / most[part]) * 100)}%`;
      return el("li", { class: `flow-${key}` }, el("span", null, say(`health.${key}`)), el("b", { class: "numeric" }, number(count)), bar);
    }),
  );
}

function bands(ledger, width, unit) {
  const { messages, readings } = ledger;
  const tall = 11 * unit;
  const gap = 3.6 * unit;
  const top = 0.5 * unit;
  const bar = 0.5 * unit;
  const height = top + tall + 2 * gap + 0.5 * unit;
  const x = [0, 0.2, 0.42, 0.66, 0.86].map((share) => share * width);
  const thick = (count, all, room) => (count <= 0 ? 0 : Math.max(0.18 * unit, (count / Math.max(all, count, 1)) * room));
  const whole = Math.max(messages.received, messages.journaled, 1);

  const nodes = new Map();
  const place = (key, column, y, thickness) => nodes.set(key, { x: x[column], y, h: thickness });
  place("received", 0, top, thick(messages.received, whole, tall));
  place("journaled", 1, top, thick(messages.journaled, whole, tall));
  let y = top;
  for (const key of ["decoded", "quarantined", "duplicate"]) {
    const h = thick(messages[key], whole, tall);
    place(key, 2, y, h);
    y += key === "decoded" ? Math.max(h, gap) + 0.8 * unit : Math.max(h, gap);
  }
  const through = Math.max(nodes.get("decoded").h, readings.produced ? 2 * unit : 0);
  place("produced", 3, top, through);
  y = top;
  for (const key of ["stored", "refused", "waiting"]) {
    const h = thick(readings[key], Math.max(readings.produced, 1), through);
    place(key, 4, y, h);
    y += key === "stored" ? Math.max(h, gap) + 0.8 * unit : Math.max(h, gap);
  }

  const picture = svg("svg", { class: "flow", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": spoken(ledger) });
  const join = (from, fromY, to, className) => {
    const a = nodes.get(from);
    const b = nodes.get(to);
    if (!b.h) return 0;
    const h = Math.min(b.h, Math.max(0, a.h - fromY) || b.h);
    const [x0, x1] = [a.x + bar, b.x];
    const mid = (x0 + x1) / 2;
    const path = `M${x0} ${a.y + fromY}C${mid} ${a.y + fromY} ${mid} ${b.y} ${x1} ${b.y}V${b.y + b.h}C${mid} ${b.y + b.h} ${mid} ${a.y + fromY + h} ${x0} ${a.y + fromY + h}Z`;
    picture.append(svg("path", { d: path, class: `flow-band flow-${className}` }));
    return h;
  };
  join("received", 0, "journaled", "journaled");
  let used = 0;
  for (const key of ["decoded", "quarantined", "duplicate"]) used += join("journaled", used, key, key);
  join("decoded", 0, "produced", "produced");
  used = 0;
  for (const key of ["stored", "refused", "waiting"]) used += join("produced", used, key, key);
  for (const [key, part] of NODES) {
    const node = nodes.get(key);
    const count = ledger[part][key];
    const place = { x: node.x + bar + 0.6 * unit, y: node.y + 1.1 * unit };
    picture.append(
      svg("rect", { x: node.x, y: node.y, width: bar, height: Math.max(node.h, 0.18 * unit), class: `flow-node flow-${key}${count ? "" : " is-zero"}` }),
      svg("text", { ...place, class: "flow-name" }, say(`health.${key}`)),
      svg("text", { x: place.x, y: place.y + 1.55 * unit, class: `flow-count${count ? "" : " is-zero"}` }, number(count)),
    );
  }
  return picture;
}

/** The picture in words, for those who do not see it. */
function spoken(ledger) {
  return NODES.map(([key, part]) => `${say(`health.${key}`)} ${number(ledger[part][key])}`).join(", ");
}

// The ledger by kind of device: each row is a small ledger of its own and must balance like the whole.

import { kinds } from "./city.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { Balance, FATE, STORE } from "./health_balance.mjs";
import { feed, oldness, placeholder } from "./health_feed.mjs";
import { verdict } from "./health_verdict.mjs";
import { kindMark } from "./shapes.mjs";
import { named, say } from "./texts.mjs";

const COLUMNS = [
  ["messages", "journaled"],
  ["messages", "decoded"],
  ["messages", "quarantined"],
  ["messages", "duplicate"],
  ["readings", "produced"],
  ["readings", "stored"],
  ["readings", "refused"],
  ["readings", "waiting"],
];

export async function mount(element, scope) {
  const table = await kinds();
  const balances = new Map();
  const show = () => {
    const part = feed.part("ledger");
    const instead = placeholder(part);
    if (instead) return element.replaceChildren(instead);
    const found = Object.entries(part.value.kinds ?? {});
    if (!part.value.kinds) return element.replaceChildren(el("p", { class: "quiet health-wait" }, say("health.not_here")));
    if (!found.length) return element.replaceChildren(el("p", { class: "quiet health-wait" }, say("health.nothing_yet")));
    const heads = COLUMNS.map(([, key]) => el("th", { scope: "col", class: "numeric" }, say(`health.${key}`)));
    const most = found.sort((a, b) => b[1].messages.journaled - a[1].messages.journaled);
    element.replaceChildren(
      ...[oldness(part)].filter(Boolean),
      el(
        "table",
        { class: "facts health-table" },
        el("thead", null, el("tr", null, el("th", { scope: "col" }, say("health.kind")), heads, el("th", { scope: "col", class: "balance" }, say("health.balance")))),
        el("tbody", null, most.map(([key, row]) => line(key, row, table.get(key), balances))),
      ),
    );
  };
  feed.need("ledger", scope, show);
}

/** Of no kind in the tables: the alarms the collector tells of itself, and what nobody knows. */
const kindWords = (key) => (key === "collector" ? say("health.kind_collector") : key || say("health.kind_unknown"));

function line(key, row, kind, balances) {
  if (!balances.has(key)) balances.set(key, new Balance());
  const balance = balances.get(key);
  const now = Date.now();
  // A kind has no lag of its own: the whole one is what it may be behind by.
  const whole = { ...row, lag_s: feed.part("ledger").value.lag_s };
  const found = [FATE, STORE].map((equation) => balance.judge(equation, whole, now));
  const worst = found.find((one) => one.state === "off") ?? found.find((one) => one.state === "moving") ?? found[0];
  return el(
    "tr",
    null,
    el("th", { scope: "row" }, el("span", { class: "kind-name" }, kindMark(kind?.shape), kind ? named(kind.name) : kindWords(key))),
    COLUMNS.map(([part, name]) => {
      const count = row[part][name];
      return el("td", { class: `numeric${count ? "" : " is-none"}`, "data-label": say(`health.${name}`) }, number(count));
    }),
    el("td", { class: "balance", "data-label": say("health.balance") }, verdict(worst)),
  );
}

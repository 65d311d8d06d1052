// The collectors: up, or silent since when; their own ledgers and lags.

import { el } from "./dom.mjs";
import { duration, moment, number } from "./format.mjs";
import { Balance } from "./health_balance.mjs";
import { feed, oldness, placeholder } from "./health_feed.mjs";
import { verdict, wellness } from "./health_verdict.mjs";
import { live } from "./live.mjs";
import { problemText } from "./problem_words.mjs";
import { say } from "./texts.mjs";

const SILENT_MS = 15_000;

export function mount(element, scope) {
  const balances = new Map();
  const show = () => {
    const part = feed.part("ledger");
    const instead = placeholder(part);
    if (instead) return element.replaceChildren(instead);
    const found = Object.entries(part.value.shards ?? {});
    if (!found.length) return element.replaceChildren(el("p", { class: "quiet health-wait" }, say("health.no_collector")));
    element.replaceChildren(...[oldness(part)].filter(Boolean), ...found.sort().map(([name, shard]) => card(name, shard, balances)));
  };
  feed.need("ledger", scope, show);
}

function card(name, shard, balances) {
  if (!balances.has(name)) balances.set(name, new Balance());
  const heard = shard.heard_at;
  const up = Boolean(heard) && live.now() - Date.parse(heard) < SILENT_MS;
  const state = up ? say("health.up") : heard ? say("health.silent_since", { time: moment(heard, live.now()) }) : say("health.never");
  const facts = [
    ["received", shard.messages && number(shard.messages.received)],
    ["behind_store", shard.lag_s && lag(shard.lag_s.store)],
    ["behind_alarms", shard.lag_s && lag(shard.lag_s.alarms)],
  ];
  return el(
    "article",
    { class: "shard" },
    el("h3", null, name, wellness(up, state)),
    el("dl", null, facts.filter(([, value]) => value).map(([key, value]) => el("div", null, el("dt", null, say(`health.${key}`)), el("dd", { class: "numeric" }, value)))),
    shard.messages && verdict(balances.get(name).worst(shard, Date.now())),
    shard.problem && el("p", { class: "trouble" }, problemText(500, shard.problem)),
  );
}

function lag(seconds) {
  return seconds < 1 ? say("health.no_lag") : duration(seconds * 1000);
}

// The first line of the health page: is anything lost, how fast does it come, and are all parts of the machine well.

import { el } from "./dom.mjs";
import { number, time } from "./format.mjs";
import { Balance } from "./health_balance.mjs";
import { feed } from "./health_feed.mjs";
import { wellness } from "./health_verdict.mjs";
import { say } from "./texts.mjs";

const ORDER = ["broker", "ingest", "store", "alarms", "watchdog", "notices"];

export function mount(element, scope) {
  const balance = new Balance();
  const words = el("p", { class: "headline-words" });
  const facts = el("p", { class: "quiet" });
  const parts = el("ul", { class: "part-states" });
  element.append(words, facts, parts);
  const showLedger = () => {
    const ledger = feed.part("ledger").value;
    if (!ledger) {
      words.textContent = feed.part("ledger").error ? say("health.unknown") : say("shell.loading");
      return;
    }
    const { state, by } = balance.worst(ledger, Date.now());
    words.className = `headline-words${state === "off" ? " P1" : ""}`;
    if (!ledger.at) words.textContent = say("health.nothing_yet");
    else words.textContent = state === "off" ? say("health.lost", { count: number(Math.abs(by)) }) : say("health.nothing_lost");
    const rate = `${number(ledger.msg_per_s ?? 0, 0)} ${say("unit.per_second")}`;
    facts.textContent = ledger.at ? `${say("overview.at", { time: time(ledger.at) })} · ${say("overview.rate", { rate })}` : "";
  };
  const showParts = () => {
    const found = feed.part("parts").value;
    if (!found) return;
    parts.replaceChildren(
      ...ORDER.filter((key) => key in found).map((key) => {
        const well = found[key] === "ok";
        return el("li", null, el("span", { class: "quiet" }, say(`health.part_${key}`)), wellness(well, say(well ? "health.well" : `health.ill_${key}`)));
      }),
    );
  };
  feed.need("ledger", scope, showLedger);
  feed.need("parts", scope, showParts);
}

// How far the store and the alarms are behind the journal: now, and over the last hour.

import { el } from "./dom.mjs";
import { duration, time } from "./format.mjs";
import { feed } from "./health_feed.mjs";
import { LineChart } from "./line_chart.mjs";
import { live } from "./live.mjs";
import { say } from "./texts.mjs";

const HOUR_MS = 3_600_000;
const GAP_MS = 150_000;
const KEYS = ["store", "alarms"];

export function mount(element, scope) {
  const now = el("div", { class: "lag-now" });
  const note = el("p", { class: "quiet" });
  const sheet = el("div", { class: "lag-chart" });
  element.append(now, sheet, note);
  const chart = new LineChart(sheet, say("health.lag_chart"), scope);
  const show = () => {
    const ledger = feed.part("ledger").value;
    if (!ledger) return;
    now.replaceChildren(
      ...KEYS.map((key) => el("p", null, el("span", { class: "quiet" }, say(`health.lag_${key}`)), el("b", { class: "numeric" }, lag(ledger.lag_s[key])))),
    );
    const history = feed.part("history").value;
    const points = merged(history ?? [], feed.seen);
    const to = live.now();
    const from = to - HOUR_MS;
    chart.draw({
      from,
      to,
      low: 0,
      high: 1,
      gapMs: GAP_MS,
      caption: say("health.lag_seconds"),
      lines: KEYS.map((key) => ({
        name: say(`health.lag_${key}`),
        now: lag(ledger.lag_s[key]),
        points: points.filter(([at]) => at >= from).map(([at, lags]) => [at, lags[key]]),
      })),
    });
    note.textContent = history ? "" : say("health.since_opened", { time: time(feed.seen[0]?.at ?? to) });
  };
  feed.need("ledger", scope, show);
  feed.need("history", scope, show);
}

/** Minutes the server kept and what this page saw since, the worst collector of each instant, in order. */
function merged(history, seen) {
  const found = new Map();
  for (const entry of [...history, ...seen]) {
    if (!entry.lag_s) continue;
    const at = typeof entry.at === "string" ? Date.parse(entry.at) : entry.at;
    const before = found.get(at) ?? { store: 0, alarms: 0 };
    found.set(at, Object.fromEntries(KEYS.map((key) => [key, Math.max(before[key], entry.lag_s[key] ?? 0)])));
  }
  return [...found].sort((a, b) => a[0] - b[0]);
}

function lag(seconds) {
  return seconds < 1 ? say("health.no_lag") : duration(seconds * 1000);
}

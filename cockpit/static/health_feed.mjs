// What the health page asks of the server again and again: each part once, however many areas show it.
//
// A part that fails keeps its last value and says since when it is old; one that the server does not have says so.

import { address, get } from "./api.mjs";
import { el } from "./dom.mjs";
import { time } from "./format.mjs";
import { say } from "./texts.mjs";

const HOUR_MS = 3_600_000;
const KEPT_MS = HOUR_MS + 60_000;

const PARTS = {
  ledger: { every: 5_000, load: () => get("ledger") },
  parts: { every: 5_000, load: healthz },
  sources: { every: 15_000, load: () => get("sources", { limit: 12 }) },
  history: { every: 60_000, load: lastHour },
  silent: { every: 5_000, load: () => get("silence", { state: "silent", limit: 50 }) },
  never: { every: 15_000, load: () => get("silence", { state: "never", limit: 20 }) },
  notices: { every: 10_000, load: () => get("notices", { state: "dead", limit: 50 }) },
  quarantine: { every: 10_000, load: () => get("quarantine") },
};

class Feed extends EventTarget {
  constructor() {
    super();
    this.kept = new Map();
    this.wanted = new Map();
    // Ledgers seen since the page opened: what the charts draw while the server has no history.
    this.seen = [];
  }

  part(name) {
    return this.kept.get(name) ?? { value: null, error: null, at: null };
  }

  /** Keep a part fresh as long as the area is there, and call `show` whenever it was asked for. */
  need(name, scope, show) {
    scope.listen(this, name, show);
    const users = this.wanted.get(name)?.users ?? 0;
    if (users) this.wanted.get(name).users += 1;
    else {
      const timer = setInterval(() => this.ask(name), PARTS[name].every);
      this.wanted.set(name, { users: 1, timer });
      this.ask(name);
    }
    scope.add(() => {
      const entry = this.wanted.get(name);
      entry.users -= 1;
      if (!entry.users) clearInterval(entry.timer);
    });
    show();
  }

  async ask(name) {
    const before = this.part(name);
    try {
      const value = await PARTS[name].load();
      this.kept.set(name, { value, error: null, at: Date.now() });
      if (name === "ledger") this.remember(value);
    } catch (error) {
      this.kept.set(name, { ...before, error });
    }
    this.dispatchEvent(new Event(name));
  }

  remember(ledger) {
    const at = Date.parse(ledger.at);
    if (!Number.isFinite(at)) return;
    this.seen = [...this.seen.filter((entry) => entry.at > at - KEPT_MS && entry.at !== at), { at, lag_s: ledger.lag_s }];
  }
}

async function healthz() {
  const response = await fetch(address("healthz"), { headers: { Accept: "application/json" } });
  return (await response.json()).parts;
}

async function lastHour() {
  const now = Date.now();
  const found = await get("ledger/history", { from: new Date(now - HOUR_MS).toISOString(), to: new Date(now).toISOString() });
  return found.items;
}

export const feed = new Feed();

/** What stands in place of a part that is not there yet: loading, or why not. Null when there is a value. */
export function placeholder(part) {
  if (part.value !== null) return null;
  if (!part.error) return el("p", { class: "quiet health-wait" }, say("shell.loading"));
  if (part.error.status === 404) return el("p", { class: "quiet health-wait" }, say("health.not_here"));
  return el("p", { class: "health-wait", role: "status" }, say("shell.failed", { detail: part.error.message }));
}

/** A sentence when what is shown is older than it should be, else nothing. */
export function oldness(part) {
  return part.value !== null && part.error ? el("p", { class: "health-old", role: "status" }, say("health.old", { time: time(part.at) })) : null;
}

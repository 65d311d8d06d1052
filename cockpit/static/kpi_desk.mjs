// What the parts of the page of indicators share: which days, which street; kept in the address, so that it can be sent on.

import { get } from "./api.mjs";

const FRESH_MS = 60_000;
const PRESETS = ["today", "week", "month"];

/** A phone: the figures of today come first there, and everything behind them is folded. */
export const NARROW = matchMedia("(max-width: 700px)");

class KpiDesk extends EventTarget {
  constructor() {
    super();
    const asked = new URLSearchParams(window.location.search);
    const [from, to] = [asked.get("from") ?? "", asked.get("to") ?? ""];
    const preset = PRESETS.includes(asked.get("period")) ? asked.get("period") : NARROW.matches ? "today" : "week";
    this.chosen = from || to ? { preset: "", from, to } : { preset, from: "", to: "" };
    this.street = asked.get("street") ?? "";
    this.period = null;
    this.failed = "";
    this.asked = 0;
  }

  /** What every question about the period carries. */
  get parameters() {
    return { from: this.period.from, to: this.period.to, street: this.street || null };
  }

  /** Ask the server which days are meant: its calendar counts, not that of this screen. */
  async refresh() {
    const asked = ++this.asked;
    const { preset, from, to } = this.chosen;
    try {
      const period = await get("kpi/period", preset ? { preset } : { from: from || null, to: to || null });
      if (asked !== this.asked) return;
      this.period = period;
      this.failed = "";
    } catch (error) {
      if (asked !== this.asked) return;
      this.failed = error.message;
    }
    this.dispatchEvent(new Event("change"));
  }

  choose(chosen) {
    this.chosen = { preset: "", from: "", to: "", ...chosen };
    this.keep();
    this.refresh();
  }

  narrow(street) {
    this.street = street;
    this.keep();
    this.dispatchEvent(new Event("change"));
  }

  keep() {
    const address = new URL(window.location.href);
    const { preset, from, to } = this.chosen;
    for (const [key, value] of Object.entries({ period: preset, from, to, street: this.street })) {
      if (value) address.searchParams.set(key, value);
      else address.searchParams.delete(key);
    }
    window.history.replaceState(window.history.state, "", address);
  }

  /** Keep the days that are still going on up to date while somebody looks. */
  follow(scope) {
    this.refresh();
    scope.every(FRESH_MS, () => this.period?.running && this.refresh());
  }
}

export const kpiDesk = new KpiDesk();

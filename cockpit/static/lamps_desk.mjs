// What the page of lighting control shows: circuits with their lamps counted, orders, and what the reader looks for.

import { get } from "./api.mjs";

const FAILED = ["not_obeyed", "refused", "timed_out", "expired"];

class LampsDesk extends EventTarget {
  constructor() {
    super();
    this.circuits = [];
    this.orders = [];
    this.details = new Map();
    this.ready = false;
    this.failed = "";
    this.asked = 0;
    const open = new URLSearchParams(window.location.search).get("circuit");
    this.opened = new Set(open ? [open] : []);
    this.wish = { street: "", text: open ?? "", busy: false };
  }

  /** Whether something is on its way, so that the page looks more often. */
  get busy() {
    return this.circuits.some((circuit) => circuit.waiting || circuit.standing.following || circuit.request);
  }

  get shown() {
    const { street, text, busy } = this.wish;
    const found = this.circuits.filter(
      (circuit) =>
        (!street || circuit.street === street) &&
        (!text || circuit.id.toLowerCase().includes(text.toLowerCase())) &&
        (!busy || circuit.commanded || circuit.request || failures(circuit)),
    );
    return found.sort((a, b) => urgency(b) - urgency(a) || a.id.localeCompare(b.id, undefined, { numeric: true }));
  }

  /** Ask for everything; an answer that was overtaken by a newer question is dropped. */
  async refresh() {
    const asked = ++this.asked;
    try {
      const opened = [...this.opened];
      const [circuits, orders, ...details] = await Promise.all([
        get("circuits"),
        get("lamp-orders", { limit: 30 }),
        ...opened.map((id) => get(`circuits/${encodeURIComponent(id)}`).catch(gone)),
      ]);
      if (asked !== this.asked) return;
      this.details = new Map(details.filter(Boolean).map((circuit) => [circuit.id, circuit]));
      Object.assign(this, { circuits: circuits.items, orders: orders.items, failed: "", ready: true });
    } catch (error) {
      if (asked !== this.asked) return;
      this.failed = error.message;
    }
    this.tell();
  }

  look(wish) {
    Object.assign(this.wish, wish);
    this.tell();
  }

  open(id) {
    if (!this.opened.delete(id)) this.opened.add(id);
    this.tell();
    this.refresh();
  }

  tell() {
    this.dispatchEvent(new Event("change"));
  }
}

export const failures = (circuit) => FAILED.reduce((sum, word) => sum + (circuit.standing[word] ?? 0), 0);

/** A request waits for a person, a lamp that did not do as told wants one; then what is under way. */
function urgency(circuit) {
  return (circuit.request ? 4 : 0) + (failures(circuit) ? 2 : 0) + (circuit.commanded ? 1 : 0);
}

function gone(error) {
  if (error.status === 404) return null;
  throw error;
}

export const lampsDesk = new LampsDesk();

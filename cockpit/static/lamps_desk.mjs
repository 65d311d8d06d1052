// What the page of lighting control shows: circuits with their lamps counted, orders, and what the reader looks for.

import { get } from "./api.mjs";
import { Asking } from "./asking.mjs";

const FAILED = ["not_obeyed", "refused", "timed_out", "expired"];
const SEARCH_FROM = 2;
const FOUND = 8;
// So many circuits are read without folding them by street, also on a phone.
const FEW = 12;
const phone = matchMedia("(max-width: 700px)");

class LampsDesk extends EventTarget {
  constructor() {
    super();
    this.circuits = [];
    this.orders = [];
    this.details = new Map();
    this.found = [];
    this.ready = false;
    this.failed = "";
    this.asking = new Asking((overtaken) => this.ask(overtaken));
    const open = new URLSearchParams(window.location.search).get("circuit");
    this.opened = new Set(open ? [open] : []);
    this.turned = new Set();
    this.wish = { street: "", text: open ?? "", busy: false };
  }

  /** Whether something is on its way, so that the page looks more often. */
  get busy() {
    return this.circuits.some((circuit) => circuit.waiting || circuit.standing.following || circuit.request);
  }

  get shown() {
    const { street, text, busy } = this.wish;
    const of = new Set(this.found.map((lamp) => lamp.circuit));
    const found = this.circuits.filter(
      (circuit) =>
        (!street || circuit.street === street) &&
        (!text || circuit.id.toLowerCase().includes(text.toLowerCase()) || of.has(circuit.id)) &&
        (!busy || circuit.commanded || circuit.request || failures(circuit)),
    );
    return found.sort((a, b) => urgency(b) - urgency(a) || a.id.localeCompare(b.id, undefined, { numeric: true }));
  }

  /** The circuits in groups: first what wants somebody, then street by street in the order given. */
  groups(streets) {
    const shown = this.shown;
    const urgent = shown.filter(urgency);
    const rest = byStreet(shown.filter((circuit) => !urgency(circuit)));
    const keys = [...new Set([...streets, ...rest.keys()])].filter((key) => rest.has(key));
    return [...(urgent.length ? [{ key: "", circuits: urgent }] : []), ...keys.map((key) => ({ key, circuits: rest.get(key) }))];
  }

  /** Whether a group is unfolded: on a phone only what wants somebody, what is looked for, or what is short anyhow. */
  unfolded(key) {
    const { street, text } = this.wish;
    const usual = !phone.matches || key === "" || Boolean(street || text) || this.circuits.length <= FEW;
    return this.turned.has(key) ? !usual : usual;
  }

  fold(key) {
    if (!this.turned.delete(key)) this.turned.add(key);
    this.tell();
  }

  /** Ask for everything; an answer that was overtaken by a newer question is dropped. */
  refresh() {
    return this.asking.ask();
  }

  /** Ask for everything, unless that is being done. */
  again() {
    return this.asking.look();
  }

  async ask(overtaken) {
    try {
      const opened = [...this.opened];
      const [circuits, orders, ...details] = await Promise.all([
        get("circuits"),
        get("lamp-orders", { limit: 30 }),
        ...opened.map((id) => get(`circuits/${encodeURIComponent(id)}`).catch(gone)),
      ]);
      if (overtaken()) return;
      this.details = new Map(details.filter(Boolean).map((circuit) => [circuit.id, circuit]));
      Object.assign(this, { circuits: circuits.items, orders: orders.items, failed: "", ready: true });
    } catch (error) {
      if (overtaken()) return;
      this.failed = error.message;
    }
    this.tell();
  }

  look(wish) {
    Object.assign(this.wish, wish);
    this.turned.clear();
    this.tell();
    if ("text" in wish) this.search();
  }

  /** Lamps whose number is looked for: the circuits alone do not tell which lamps are theirs. */
  async search() {
    const { text } = this.wish;
    let found = [];
    try {
      if (text.length >= SEARCH_FROM) found = (await get("lamps", { search: text, limit: FOUND })).items;
    } catch {
      // The circuits are found all the same; the page says by itself when the cockpit is away.
    }
    if (text !== this.wish.text) return;
    this.found = found;
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

function byStreet(circuits) {
  const groups = new Map();
  for (const circuit of circuits) {
    if (!groups.has(circuit.street)) groups.set(circuit.street, []);
    groups.get(circuit.street).push(circuit);
  }
  return groups;
}

function gone(error) {
  if (error.status === 404) return null;
  throw error;
}

export const lampsDesk = new LampsDesk();

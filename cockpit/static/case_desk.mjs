// What the parts of the page of cases share: the list and its counts as the server last told them, the filter, the choice.

import { get } from "./api.mjs";
import { Asking } from "./asking.mjs";
import { keepInAddress } from "./language_switch.mjs";

export const LIMIT = 500;
const FIRST = { state: "open", street: "", colour: "", sub_class: "", mine: false };

class CaseDesk extends EventTarget {
  constructor() {
    super();
    this.filter = { ...FIRST };
    this.items = [];
    this.counts = null;
    this.more = false;
    this.ready = false;
    this.failed = "";
    this.chosen = new URLSearchParams(window.location.search).get("case");
    this.detail = null;
    this.unknown = false;
    this.asking = new Asking((overtaken) => this.ask(overtaken));
  }

  get filtered() {
    return Object.keys(FIRST).some((key) => this.filter[key] !== FIRST[key]);
  }

  /** Ask the server for everything on the page; an answer that was overtaken by a newer question is dropped. */
  refresh() {
    return this.asking.ask();
  }

  look() {
    return this.asking.look();
  }

  async ask(overtaken) {
    const { mine, ...words } = this.filter;
    const wanted = Object.fromEntries(Object.entries(words).filter(([, value]) => value));
    const detail = this.chosen ? get(`cases/${encodeURIComponent(this.chosen)}`).catch(gone) : null;
    try {
      const parts = [get("cases", { ...wanted, mine: mine || null, limit: LIMIT }), get("cases/counts"), detail];
      const [list, counts, found] = await Promise.all(parts);
      if (overtaken()) return;
      this.unknown = Boolean(detail) && found === null;
      Object.assign(this, { items: list.items, more: list.next !== null, counts, detail: found, failed: "", ready: true });
    } catch (error) {
      if (overtaken()) return;
      // Logged out elsewhere: what waits for nobody is nothing to ask for.
      if (error.status === 401 && mine) return this.narrow({ mine: false });
      this.failed = error.message;
    }
    this.dispatchEvent(new Event("change"));
  }

  narrow(changes) {
    Object.assign(this.filter, changes);
    this.dispatchEvent(new Event("filter"));
    this.refresh();
  }

  clear() {
    this.narrow({ ...FIRST });
  }

  choose(id) {
    this.chosen = id;
    keepInAddress("case", id);
    if (this.detail?.id !== id) Object.assign(this, { detail: null, unknown: false });
    this.dispatchEvent(new Event("choose"));
    this.refresh();
  }

  /** Put a case that a request brought in the place of the one that is shown, and ask for the rest. */
  take(found) {
    this.items = this.items.map((item) => (item.id === found.id ? found : item));
    this.refresh();
  }
}

function gone(error) {
  if (error.status === 404) return null;
  throw error;
}

export const caseDesk = new CaseDesk();

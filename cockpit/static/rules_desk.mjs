// What the page of rules shows: all revisions, the one that is chosen with its back-test, and the rules in force.

import { get } from "./api.mjs";
import { Asking } from "./asking.mjs";
import { keepInAddress } from "./language_switch.mjs";

class RulesDesk extends EventTarget {
  constructor() {
    super();
    this.items = [];
    this.force = null;
    this.detail = null;
    this.ready = false;
    this.failed = "";
    this.chosen = Number(new URLSearchParams(window.location.search).get("revision")) || null;
    this.asking = new Asking((overtaken) => this.ask(overtaken));
  }

  get busy() {
    return ["waiting", "running"].includes(this.detail?.backtest?.state);
  }

  /** Ask for everything; an answer that was overtaken by a newer question is dropped. */
  refresh() {
    return this.asking.ask();
  }

  look() {
    return this.asking.look();
  }

  async ask(overtaken) {
    try {
      const [revisions, force] = await Promise.all([get("rules/revisions"), get("rules")]);
      if (overtaken()) return;
      this.items = revisions.items;
      this.force = force;
      this.chosen ??= this.items[0]?.number ?? null;
      const detail = this.chosen ? await get(`rules/revisions/${this.chosen}`).catch(gone) : null;
      if (overtaken()) return;
      Object.assign(this, { detail, failed: "", ready: true });
    } catch (error) {
      if (overtaken()) return;
      this.failed = error.message;
    }
    this.dispatchEvent(new Event("change"));
  }

  choose(number) {
    this.chosen = number;
    keepInAddress("revision", number);
    if (this.detail?.number !== number) this.detail = null;
    this.dispatchEvent(new Event("change"));
    this.refresh();
  }
}

function gone(error) {
  if (error.status === 404) return null;
  throw error;
}

export const rulesDesk = new RulesDesk();

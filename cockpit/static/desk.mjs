// What the parts of the duty desk share: which alarm is chosen, by its identifier and never by its row, and what is listed.

import { live } from "./live.mjs";
import { isUnacked } from "./urgency.mjs";

/** How an alarm stands on the desk: in sight, or hidden by one of these; each is counted, always. */
export const VIEWS = ["none", "shelved", "by_design", "out_of_service"];

class Desk extends EventTarget {
  constructor() {
    super();
    this.chosen = null;
    this.unackedOnly = false;
    this.opened = false;
    this.view = "none";
    this.kept = null;
    this.missing = "";
  }

  /** The chosen alarm: as it stands, or as it was found when it is not open any more. */
  get alarm() {
    if (this.chosen === null) return null;
    return live.alarms.get(this.chosen) ?? (this.kept?.id === this.chosen ? this.kept : null);
  }

  /** The alarms on the list, in its order. */
  listed() {
    return live.openAlarms().filter((alarm) => alarm.suppression === this.view && (!this.unackedOnly || isUnacked(alarm)));
  }

  choose(id, { open = this.opened } = {}) {
    if (id === this.chosen && open === this.opened) return;
    this.chosen = id;
    this.missing = "";
    this.opened = open && id !== null;
    this.dispatchEvent(new Event("choose"));
  }

  /** Bring an alarm into sight, wherever it is listed, and choose it. */
  show(alarm) {
    this.kept = alarm;
    if (alarm.state !== "CLOSED") this.filter({ unackedOnly: false, view: alarm.suppression });
    this.choose(alarm.id, { open: true });
  }

  /** Say in the place of the evidence why the alarm that was asked for is not there. */
  miss(sentence) {
    Object.assign(this, { chosen: null, opened: true, missing: sentence });
    this.dispatchEvent(new Event("choose"));
  }

  /** Move the choice by one; from nothing it goes to the worst alarm. */
  step(by) {
    const ids = this.listed().map((alarm) => alarm.id);
    if (!ids.length) return;
    const at = ids.indexOf(this.chosen);
    this.choose(at < 0 ? ids[0] : ids[Math.min(ids.length - 1, Math.max(0, at + by))]);
  }

  filter({ unackedOnly = this.unackedOnly, view = this.view }) {
    Object.assign(this, { unackedOnly, view });
    this.dispatchEvent(new Event("filter"));
  }
}

export const desk = new Desk();

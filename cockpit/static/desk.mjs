// What the parts of the duty desk share: which alarm is chosen, by its identifier and never by its row, and the filter.

import { live } from "./live.mjs";
import { isUnacked } from "./urgency.mjs";

class Desk extends EventTarget {
  constructor() {
    super();
    this.chosen = null;
    this.unackedOnly = false;
    this.opened = false;
  }

  /** The alarms on the list, in its order. */
  listed() {
    return live.openAlarms().filter((alarm) => !this.unackedOnly || isUnacked(alarm));
  }

  choose(id, { open = this.opened } = {}) {
    if (id === this.chosen && open === this.opened) return;
    this.chosen = id;
    this.opened = open && id !== null;
    this.dispatchEvent(new Event("choose"));
  }

  /** Move the choice by one; from nothing it goes to the worst alarm. */
  step(by) {
    const ids = this.listed().map((alarm) => alarm.id);
    if (!ids.length) return;
    const at = ids.indexOf(this.chosen);
    this.choose(at < 0 ? ids[0] : ids[Math.min(ids.length - 1, Math.max(0, at + by))]);
  }

  filter(unackedOnly) {
    this.unackedOnly = unackedOnly;
    this.dispatchEvent(new Event("filter"));
  }
}

export const desk = new Desk();

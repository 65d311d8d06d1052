// What stands above the circuits of a street: its name and their counts; a touch folds or unfolds them.

import { el, setText } from "./dom.mjs";
import { number } from "./format.mjs";
import { failures, lampsDesk } from "./lamps_desk.mjs";
import { say } from "./texts.mjs";

export class GroupHead {
  constructor(key, name) {
    this.key = key;
    this.counts = el("span", { class: "quiet numeric" });
    this.failed = el("span", { class: "tag lamp-not_obeyed" });
    this.button = el("button", { type: "button", class: "plain", "data-act": "fold", onclick: () => lampsDesk.fold(key) }, el("b", null, name), this.counts, this.failed);
    this.element = el("li", { class: "lamps-group", "data-group": key || "wanted" }, this.button);
  }

  show(circuits) {
    const sum = (of) => number(circuits.reduce((total, circuit) => total + of(circuit), 0));
    setText(this.counts, say("lamps.group", { circuits: number(circuits.length), lit: sum((c) => c.lit), lamps: sum((c) => c.lamps) }));
    setText(this.failed, say("lamps.group_failed", { count: sum(failures) }));
    this.failed.hidden = !circuits.some(failures);
    this.button.setAttribute("aria-expanded", String(lampsDesk.unfolded(this.key)));
  }
}

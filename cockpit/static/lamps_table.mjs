// The lamps of one circuit: what each was told, what it says it was told, how it shines, and how old that is.

import { address } from "./api.mjs";
import { el, setText } from "./dom.mjs";
import { age, percent, standingTag, wantedText } from "./lamp_words.mjs";
import { say } from "./texts.mjs";

const COLUMNS = ["commanded", "pole_says", "actual", "age_of", "standing"];

export class LampTable {
  constructor() {
    this.rows = new Map();
    this.body = el("tbody");
    const head = ["lamp", ...COLUMNS].map((key) => el("th", { scope: "col" }, say(`lamps.${key}`)));
    this.element = el("div", { class: "lamps-table-area" }, el("table", { class: "lamps-table" }, el("thead", null, el("tr", null, head)), this.body));
  }

  show(lamps) {
    for (const lamp of lamps) {
      if (!this.rows.has(lamp.device)) this.add(lamp.device);
      const row = this.rows.get(lamp.device);
      row.lamp = lamp;
      setText(row.commanded, lamp.command && lamp.standing !== "own" ? wantedText(lamp.command.dim_pct) : say("lamps.standing_own"));
      setText(row.pole_says, percent(lamp.cmd_pct));
      setText(row.actual, percent(lamp.dim_pct));
      const why = lamp.standing === "refused" ? (lamp.command?.answer ?? "") : "";
      if (row.told === `${lamp.standing} ${why}`) continue;
      row.told = `${lamp.standing} ${why}`;
      row.standing.replaceChildren(standingTag(lamp.standing), why && ` ${why}`);
    }
    this.tick();
  }

  tick() {
    for (const { lamp, age_of } of this.rows.values()) setText(age_of, lamp.online ? age(lamp.dim_at) : say("device.offline"));
  }

  add(device) {
    const cells = Object.fromEntries(COLUMNS.map((key) => [key, el("td", { class: "numeric", "data-label": say(`lamps.${key}`) })]));
    const name = el("th", { scope: "row" }, el("a", { href: address(`device/${encodeURIComponent(device)}`) }, device));
    this.body.append(el("tr", null, name, Object.values(cells)));
    this.rows.set(device, { ...cells, told: "" });
  }
}

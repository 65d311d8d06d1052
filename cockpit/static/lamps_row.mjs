// One circuit of the list. Its buttons stay the same elements for as long as it is shown; only what they say changes.

import { el, setText } from "./dom.mjs";
import { duration, number } from "./format.mjs";
import { requestBanner, switchDialog } from "./lamp_acts.mjs";
import { age, leakText, levelBar, maySwitch, percent, STANDINGS, standingTag, wantedText } from "./lamp_words.mjs";
import { LampTable } from "./lamps_table.mjs";
import { lampsDesk } from "./lamps_desk.mjs";
import { live } from "./live.mjs";
import { session } from "./session.mjs";
import { named, say } from "./texts.mjs";

export class CircuitRow {
  constructor(circuit, city) {
    this.circuit = circuit;
    this.told = "";
    this.asked = "";
    const id = circuit.id;
    this.name = el(
      "button",
      { type: "button", class: "plain lamps-name", "data-act": "open", onclick: () => lampsDesk.open(id) },
      el("b", null, id),
      el("span", { class: "quiet" }, named(city.street.get(circuit.street)?.name, circuit.street)),
    );
    this.lit = el("b", { class: "numeric" });
    this.commanded = el("span", { class: "numeric" });
    this.actual = el("span", { class: "numeric" });
    this.read = el("small", { class: "quiet numeric" });
    this.bars = levelBar();
    this.standing = el("div", { class: "lamps-standing" });
    this.control = el("button", { type: "button", class: "lamps-control", "data-act": "switch", onclick: () => this.switch() }, say("lamps.control"));
    this.request = el("div");
    this.lamps = el("div");
    this.table = null;
    const head = el(
      "div",
      { class: "lamps-row" },
      this.name,
      fact("lamps.lit", this.lit),
      fact("lamps.commanded", this.commanded),
      fact("lamps.actual", el("span", { class: "lamps-actual" }, this.bars.element, this.actual, this.read)),
      this.standing,
      this.control,
    );
    this.element = el("li", { class: "lamps-circuit", "data-circuit": id }, head, this.request, this.lamps);
  }

  switch() {
    const { id, lamps, dim_pct: dim } = this.circuit;
    switchDialog({ scope: "circuit", subject: id, lamps, dim, done: () => lampsDesk.refresh() });
  }

  show(circuit) {
    this.circuit = circuit;
    setText(this.lit, `${number(circuit.lit)} / ${number(circuit.lamps)}`);
    setText(this.commanded, circuit.commanded ? wanted(circuit) : percent(circuit.cmd_pct));
    setText(this.actual, percent(circuit.dim_pct));
    this.bars.show(circuit.dim_pct, circuit.commanded ? circuit.wanted_pct : circuit.cmd_pct);
    this.control.hidden = !maySwitch();
    this.control.disabled = Boolean(circuit.request);
    const told = JSON.stringify([circuit.standing, circuit.leaking]);
    if (told !== this.told) {
      this.told = told;
      this.standing.replaceChildren(...standings(circuit));
      this.standing.classList.toggle("is-own", !this.standing.querySelector(".tag"));
    }
    this.showRequest();
    this.showLamps();
    this.tick();
  }

  showRequest() {
    const order = this.circuit.request;
    const asked = order ? `${order.id} ${session()?.user} ${maySwitch()}` : "";
    if (asked === this.asked) return;
    this.asked = asked;
    this.element.classList.toggle("is-asked", Boolean(order));
    this.request.replaceChildren(...(order ? [requestBanner(order, () => lampsDesk.refresh(), maySwitch())] : []));
  }

  showLamps() {
    const open = lampsDesk.opened.has(this.circuit.id);
    this.name.setAttribute("aria-expanded", String(open));
    this.element.classList.toggle("is-open", open);
    if (!open) this.table = null;
    const detail = open ? lampsDesk.details.get(this.circuit.id) : null;
    if (!detail) return this.lamps.replaceChildren(...(open && !this.table ? [el("p", { class: "quiet" }, say("shell.loading"))] : []));
    if (!this.table) {
      this.table = new LampTable();
      this.lamps.replaceChildren(this.table.element);
    }
    this.table.show(detail.items);
  }

  /** Ages and countdowns go on by themselves. */
  tick() {
    setText(this.read, age(this.circuit.read_at));
    const left = this.request.querySelector(".lamp-left");
    if (left && this.circuit.request) setText(left, say("lamps.left", { left: duration(Date.parse(this.circuit.request.expires_at) - live.now()) }));
    this.table?.tick();
  }
}

const fact = (key, value) => el("div", { class: "lamps-fact" }, el("span", { class: "quiet" }, say(key)), value);

function wanted(circuit) {
  const wants = circuit.wanted_pct === null ? say("lamps.mixed") : wantedText(circuit.wanted_pct);
  return circuit.commanded < circuit.lamps ? say("lamps.some_at", { what: wants, count: number(circuit.commanded) }) : wants;
}

function standings(circuit) {
  const found = STANDINGS.filter((word) => circuit.standing[word]).map((word) => standingTag(word, circuit.standing[word]));
  if (!found.length) found.push(el("span", { class: "quiet" }, say("lamps.standing_own")));
  if (circuit.leaking.length) found.push(el("span", { class: "tag lamp-leaks" }, say("lamps.leaks", { what: leakText(circuit.leaking) })));
  return found;
}

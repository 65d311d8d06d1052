// One alarm as a card: on the overview, in the ticker and, on a phone, on the duty desk.

import { priorityText } from "./alarms.mjs";
import { el, setText } from "./dom.mjs";
import { duration, moment, shortMoment } from "./format.mjs";
import { live } from "./live.mjs";
import { named, say } from "./texts.mjs";
import { priorityBadge, stateMark } from "./shapes.mjs";
import { isUnacked } from "./urgency.mjs";

export class AlarmCard {
  constructor(words, properties = {}) {
    this.words = words;
    this.brief = Boolean(properties.brief);
    this.element = el(properties.link ? "a" : "div", { class: "alarm-card" });
    this.since = el("span", { class: "card-since numeric" });
  }

  show(alarm) {
    const { words, element } = this;
    this.alarm = alarm;
    element.className = `alarm-card ${alarm.priority} is-${alarm.state}`;
    element.dataset.alarm = alarm.id;
    const acked = this.brief ? ["alarm.acked_brief", shortMoment] : ["alarm.acked_by", moment];
    // An alarm that rose anew keeps who was first; it waits for somebody all the same.
    const who = alarm.acked_by && !isUnacked(alarm)
      ? say(acked[0], { name: alarm.acked_by, time: acked[1](alarm.acked_at, live.now()) })
      : [named(alarm.responsible?.name, say("alarm.no_responsible")), !this.brief && alarm.responsible?.phone].filter(Boolean).join(" ");
    element.replaceChildren(
      el("p", { class: "card-top" }, priorityBadge(alarm.priority, priorityText(alarm.priority)), this.since),
      el("p", { class: "card-what" }, el("b", null, words.what(alarm)), " ", el("span", { class: "numeric" }, words.value(alarm))),
      el("p", { class: "card-place" }, `${words.street(alarm)} · ${(this.brief ? words.which : words.device)(alarm)}`),
      el("p", { class: "card-state" }, el("span", { class: "state" }, stateMark(alarm.state), say(`state.${alarm.state}`)), el("span", { class: "card-who" }, who)),
    );
    this.tick();
  }

  tick() {
    if (!this.alarm) return;
    const since = duration(live.now() - Date.parse(this.alarm.raised_at));
    // A narrow card says how long it is, which is what counts from afar.
    setText(this.since, this.brief ? since : `${moment(this.alarm.raised_at, live.now())} · ${since}`);
  }
}

/** Keep a container's cards equal to a list of alarms, reusing the elements; returns nothing. */
export class CardList {
  constructor(container, words, make) {
    this.container = container;
    this.words = words;
    this.make = make ?? (() => new AlarmCard(words));
    this.cards = new Map();
  }

  show(alarms) {
    const keep = new Set(alarms.map((alarm) => alarm.id));
    for (const [id, card] of this.cards) {
      if (keep.has(id)) continue;
      card.element.remove();
      this.cards.delete(id);
    }
    alarms.forEach((alarm, i) => {
      const card = this.cards.get(alarm.id) ?? this.make(alarm);
      if (card.version !== alarm.version || card.alarm !== alarm) card.show(alarm);
      card.version = alarm.version;
      this.cards.set(alarm.id, card);
      if (this.container.children[i] !== card.element) this.container.insertBefore(card.element, this.container.children[i] ?? null);
    });
  }

  tick() {
    for (const card of this.cards.values()) card.tick();
  }
}

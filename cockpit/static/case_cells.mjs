// Cases as cells of a wall: the time left in large figures, what and where; the elements are used again.

import { className, Countdown, hoursText, streetName, whoText } from "./case_words.mjs";
import { el, setText } from "./dom.mjs";
import { say } from "./texts.mjs";

export class CaseCells {
  constructor(container, scope) {
    this.container = container;
    this.cells = new Map();
    scope.every(1000, () => {
      for (const cell of this.cells.values()) cell.countdown.tick();
    });
  }

  show(items) {
    const wanted = new Set(items.map((item) => item.id));
    for (const [id, cell] of this.cells) {
      if (wanted.has(id)) continue;
      cell.element.remove();
      this.cells.delete(id);
    }
    items.forEach((item, i) => {
      const cell = this.cells.get(item.id) ?? new Cell(item);
      this.cells.set(item.id, cell);
      cell.show(item);
      if (this.container.children[i] !== cell.element) this.container.insertBefore(cell.element, this.container.children[i] ?? null);
    });
  }
}

class Cell {
  constructor(item) {
    this.countdown = new Countdown(item, hoursText);
    this.what = el("b");
    this.place = el("span");
    this.where = el("span");
    // In words what the shape says, where there is room for them.
    this.who = el("span", { class: "cell-who quiet" }, this.countdown.word, " · ", this.where);
    this.element = el("article", { class: "case-cell", "data-case": item.id }, this.countdown.element, el("p", { class: "cell-what" }, this.what, this.place), this.who);
  }

  show(item) {
    this.countdown.item = item;
    this.countdown.tick();
    setText(this.what, className(item));
    setText(this.place, streetName(item));
    setText(this.where, `${say(`cases.state_${item.state}`)} · ${whoText(item)}`);
  }
}

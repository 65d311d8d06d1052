// Questions that a page asks again and again: a new one overtakes those before it, a mere look joins the one under way.

// A server that answers later than this may not answer at all.
const PATIENCE_MS = 20_000;

export class Asking {
  constructor() {
    this.turn = 0;
    this.asked = null;
    this.next = null;
    this.since = 0;
  }

  /** Ask; `work` is given a function that tells whether its answer has been overtaken by a newer question. */
  ask(work) {
    const turn = ++this.turn;
    this.since = performance.now();
    this.next = null;
    const asked = work(() => turn !== this.turn).finally(() => {
      if (this.asked !== asked) return;
      this.asked = null;
      if (this.next) this.ask(this.next).catch(() => undefined);
    });
    this.asked = asked;
    return asked;
  }

  /** Ask unless that is being done: looks that overtook each other would never end where answers are slower than they. */
  look(work) {
    return this.asked && performance.now() - this.since < PATIENCE_MS ? this.asked : this.ask(work);
  }

  /** Ask because something has changed: once more, where the answer under way may be from before. */
  news(work) {
    const asked = this.asked;
    const found = this.look(work);
    if (found === asked) this.next = work;
    return found;
  }
}

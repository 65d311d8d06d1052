// A question that a page asks again and again: asked anew it overtakes itself, a mere look joins the one under way.

// A server that answers later than this may not answer at all.
const PATIENCE_MS = 20_000;

export class Asking {
  /** @param work asks; it is given a function that tells whether its answer has been overtaken by a newer question */
  constructor(work) {
    this.work = work;
    this.turn = 0;
    this.asked = null;
    this.stale = false;
    this.since = 0;
  }

  /** Ask; the answer to a question before is not wanted any more. */
  ask() {
    const turn = ++this.turn;
    this.since = performance.now();
    this.stale = false;
    const asked = this.work(() => turn !== this.turn).finally(() => {
      if (this.asked !== asked) return;
      this.asked = null;
      if (this.stale) this.ask().catch(() => undefined);
    });
    this.asked = asked;
    return asked;
  }

  /** Ask unless that is being done: looks that overtook each other would never end where answers are slower than they. */
  look() {
    return this.asked && performance.now() - this.since < PATIENCE_MS ? this.asked : this.ask();
  }

  /** Ask because something has changed: once more, where the answer under way may be from before. */
  news() {
    const asked = this.asked;
    const found = this.look();
    this.stale = found === asked;
    return found;
  }
}

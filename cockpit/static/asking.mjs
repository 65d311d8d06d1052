// Questions that a page asks again and again: a new one overtakes those before it, a mere look joins the one under way.

// A server that answers later than this may not answer at all.
const PATIENCE_MS = 20_000;

export class Asking {
  constructor() {
    this.turn = 0;
    this.asked = null;
    this.since = 0;
  }

  /** Ask; `work` is given a function that tells whether its answer has been overtaken by a newer question. */
  ask(work) {
    const turn = ++this.turn;
    this.since = Date.now();
    const asked = work(() => turn !== this.turn).finally(() => {
      if (this.asked === asked) this.asked = null;
    });
    this.asked = asked;
    return asked;
  }

  /** Ask unless that is being done: looks that overtook each other would never end where answers are slower than they. */
  look(work) {
    return this.asked && Date.now() - this.since < PATIENCE_MS ? this.asked : this.ask(work);
  }
}

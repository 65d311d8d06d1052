// The open cases as a wall shows them: the most urgent ones and the counts by colour and street, asked for every few seconds.

import { get } from "./api.mjs";
import { leftMs } from "./case_words.mjs";

const ASK_MS = 5_000;
const LIMIT = 40;

class CaseWatch extends EventTarget {
  constructor() {
    super();
    this.items = [];
    this.counts = null;
    this.at = null;
    this.failed = "";
    this.followers = 0;
    this.timer = null;
  }

  /** Keep asking while somebody looks. */
  follow(scope) {
    this.followers += 1;
    if (this.followers === 1) {
      this.timer = setInterval(() => this.ask(), ASK_MS);
      this.ask();
    }
    scope.add(() => {
      this.followers -= 1;
      if (!this.followers) clearInterval(this.timer);
    });
  }

  async ask() {
    try {
      const [list, counts] = await Promise.all([get("cases", { limit: LIMIT }), get("cases/counts")]);
      // What runs out first stands first; cases without a running clock come last.
      this.items = list.items.sort((a, b) => (leftMs(a) ?? Infinity) - (leftMs(b) ?? Infinity));
      Object.assign(this, { counts, at: Date.parse(counts.now), failed: "" });
    } catch (error) {
      this.failed = error.message;
    }
    this.dispatchEvent(new Event("change"));
  }
}

export const caseWatch = new CaseWatch();

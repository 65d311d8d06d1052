// The equations of the ledger: what came in on the left, what became of it on the right, and what is between.
//
// A message on its way from one hop to the next is no loss: while a hop is behind, or for a few seconds after, a positive
// difference is "on its way". What stays longer, or is negative, is a difference that somebody must look at.

const PATIENCE_MS = 15_000;
const BEHIND_S = 5;

export const EQUATIONS = [
  { key: "disk", part: "messages", left: "received", right: ["journaled"], lag: null },
  { key: "fate", part: "messages", left: "journaled", right: ["decoded", "quarantined", "duplicate"], lag: "alarms" },
  { key: "store", part: "readings", left: "produced", right: ["stored", "refused", "waiting"], lag: "store" },
];

export const FATE = EQUATIONS[1];
export const STORE = EQUATIONS[2];

export const difference = (equation, ledger) =>
  ledger[equation.part][equation.left] - equation.right.reduce((sum, key) => sum + ledger[equation.part][key], 0);

/** Judges a row of the ledger over time; one for each row that is shown. */
export class Balance {
  constructor() {
    this.since = new Map();
  }

  /** {state: "even" | "moving" | "off", by} of one equation, as it stands at an instant. */
  judge(equation, ledger, now) {
    const by = difference(equation, ledger);
    if (by === 0) {
      this.since.delete(equation.key);
      return { state: "even", by };
    }
    const behind = equation.lag !== null && by > 0 && (ledger.lag_s?.[equation.lag] ?? 0) >= BEHIND_S;
    const before = this.since.get(equation.key);
    // As long as the difference changes, something moves.
    if (!before || before.by !== by || behind) this.since.set(equation.key, { by, at: now });
    const waited = now - this.since.get(equation.key).at;
    return { state: waited < PATIENCE_MS ? "moving" : "off", by };
  }

  worst(ledger, now) {
    const found = EQUATIONS.filter((equation) => ledger[equation.part]).map((equation) => this.judge(equation, ledger, now));
    return found.find((one) => one.state === "off") ?? found.find((one) => one.state === "moving") ?? { state: "even", by: 0 };
  }
}

// What laid faults are called: "drift:gas-0041:amount=0.5" is the command line's word, not a reader's.

import { has, say } from "./texts.mjs";

/** The name of a fault; one of its own where the pages have no word for it. */
export const faultName = (key, own = key) => (has(`laying.fault_${key}`) ? say(`laying.fault_${key}`) : own);

/** What was laid, where, and how much of it. */
export function faultText(word) {
  const [key, where, ...settings] = word.split(":");
  const told = settings.map((setting) => {
    const [name, value] = setting.split("=");
    return name === "amount" && has(`laying.amount_${key}`) ? `${say(`laying.amount_${key}`)} ${value}` : setting;
  });
  return [faultName(key), where, ...told].join(" · ");
}

export const faultsLaid = (words) => say("laying.laid", { faults: words.map(faultText).join("; ") });

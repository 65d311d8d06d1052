// Why something is in quarantine, in words; a reason without words is told as it stands.

import { has, say } from "./texts.mjs";

export const reasonText = (reason) => (has(`health.reason_${reason}`) ? say(`health.reason_${reason}`) : reason);

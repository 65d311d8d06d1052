// The alarm that the address of the desk names (?alarm=ID): brought into sight, whatever hides it, also when it is closed.

import { get } from "./api.mjs";
import { desk } from "./desk.mjs";
import { keepInAddress } from "./language_switch.mjs";
import { live } from "./live.mjs";
import { say } from "./texts.mjs";

const KEY = "alarm";

export function showAsked(scope) {
  const id = new URLSearchParams(window.location.search).get(KEY);
  if (!id) return;
  let found = false;
  const look = async () => {
    // Before the first snapshot every alarm would look closed.
    if (found || !live.ready) return;
    found = true;
    try {
      desk.show(live.alarms.get(id) ?? (await get(`alarms/${encodeURIComponent(id)}`)));
    } catch (error) {
      if (scope.open) desk.miss(error.status ? error.message : say("login.unreachable"));
    }
  };
  scope.listen(live, "snapshot", look);
  // Who has gone on to another alarm is not brought back to this one by loading the page anew.
  scope.listen(desk, "choose", () => {
    if (desk.chosen === null || desk.chosen === id) return;
    keepInAddress(KEY, null);
  });
  look();
}

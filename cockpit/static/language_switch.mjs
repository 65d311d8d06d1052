// The other language shows the same: whatever stands in the address by then goes with the switch, and what somebody chose
// on a page stands there.

import { settings } from "./texts.mjs";

/** Write into the address what was chosen, so that it can be sent on; null takes it away. */
export function keepInAddress(key, value) {
  const url = new URL(window.location.href);
  if (value === null || value === "") url.searchParams.delete(key);
  else url.searchParams.set(key, value);
  window.history.replaceState(window.history.state, "", url);
}

function keep(event) {
  const link = event.target.closest?.("a.language");
  if (!link) return;
  const url = new URL(window.location.href);
  url.searchParams.set("lang", settings.language === "zh" ? "en" : "zh");
  link.href = url.href;
}

for (const type of ["pointerdown", "focusin", "click"]) document.addEventListener(type, keep, { capture: true });

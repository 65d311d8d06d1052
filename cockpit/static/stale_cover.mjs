// Ten silent seconds, and the whole page says so: an old picture must never look calm.

import { el } from "./dom.mjs";
import { time } from "./format.mjs";
import { live } from "./live.mjs";
import { say } from "./texts.mjs";

export function mount(element, scope) {
  const show = () => {
    document.body.classList.toggle("is-stale", live.stale);
    if (!live.stale) return element.replaceChildren();
    const since = time(live.lastAt());
    element.replaceChildren(
      el("strong", null, say("shell.stale_since", { time: since })),
      el("span", null, say("shell.stale_detail", { time: since })),
    );
  };
  show();
  scope.listen(live, "state", show);
  scope.add(() => document.body.classList.remove("is-stale"));
}

// The exercises that were, the newest first: when, what, who led it, how it ended, and its points.

import { address, get } from "./api.mjs";
import { el } from "./dom.mjs";
import { outcomeText, pointsText } from "./drill_words.mjs";
import { day, minute } from "./format.mjs";
import { named, say, settings } from "./texts.mjs";

const LOOK_MS = 10_000;
const SHOWN = 200;

export async function mount(element, scope) {
  let last = "";
  const look = async () => {
    const { items } = await get("drills", { limit: SHOWN });
    const told = JSON.stringify(items.map((drill) => [drill.id, drill.outcome, drill.points]));
    if (!scope.open || told === last) return;
    last = told;
    element.replaceChildren(items.length ? el("ol", { class: "drill-items" }, items.map(line)) : el("p", { class: "drill-none" }, say("drill.none")));
  };
  await look();
  scope.every(LOOK_MS, () => document.hidden || look().catch(() => null));
}

function line(drill) {
  return el(
    "li",
    null,
    el("a", { href: address(`drill/${encodeURIComponent(drill.id)}?lang=${settings.language}`) }, el("b", null, named(drill.name))),
    el("span", { class: "numeric" }, `${day(drill.started_at)} ${minute(drill.started_at)}`),
    el("span", null, say("drill.led_by", { name: drill.led_by })),
    el("span", { class: "quiet" }, outcomeText(drill)),
    el("span", { class: "drill-points numeric" }, pointsText(drill.points)),
  );
}

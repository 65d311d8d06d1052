// What happened to the device itself, newest first: heard or not and why, numbers skipped, clock ahead, folded.

import { address, get } from "./api.mjs";
import { el } from "./dom.mjs";
import { duration, moment, number } from "./format.mjs";
import { live } from "./live.mjs";
import { KIND_SHAPES, mark, STATE_SHAPES } from "./shapes.mjs";
import { say } from "./texts.mjs";
import { timeWindow } from "./time_window.mjs";

const MOST = 12;
const REFRESH_MS = 15_000;

export async function mount(element, scope) {
  const path = `devices/${encodeURIComponent(element.dataset.device)}/health`;
  const load = async () => {
    const { items, next } = await get(path, { limit: MOST, stop: timeWindow.past ? timeWindow.at + 1 : null });
    if (scope.open) show(element, items, next !== null);
  };
  await load();
  scope.every(REFRESH_MS, () => load().catch(() => undefined));
}

function show(element, items, more) {
  if (!items.length) return element.replaceChildren(el("p", { class: "quiet" }, say("device.health_none")));
  element.replaceChildren(
    el("ol", { class: "health-story" }, items.map(line)),
    more ? el("p", { class: "quiet" }, say("device.health_more", { count: number(MOST) })) : "",
  );
}

function line(item) {
  const [words, well] = told(item);
  return el(
    "li",
    null,
    el("time", { class: "numeric quiet", datetime: item.at }, moment(item.at, live.now())),
    el("span", { class: well ? "is-well" : "is-faulty" }, mark(well ? STATE_SHAPES.ACKED : KIND_SHAPES.square), words),
  );
}

/** What a reading says in words, and whether it is good news. */
function told({ what, value, why, cause }) {
  if (what === "online") return value ? [say("device.health_online"), true] : [say(`device.health_${why ?? "offline"}`), false];
  if (what === "seq_gap") return [say("health.gaps", { count: number(value) }), false];
  if (what === "clock_skew_s") return value > 0 ? [say("health.ahead", { duration: duration(value * 1000) }), false] : [say("device.health_clock"), true];
  if (!value) return [say("device.health_unfolded"), false];
  const link = el("a", { href: address(`device/${encodeURIComponent(cause)}`) }, cause);
  return [[say("device.health_folded"), " ", link], false];
}

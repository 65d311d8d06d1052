// Devices that are not heard: fallen silent, and never heard at all. A silent parent stands for its children.

import { address } from "./api.mjs";
import { kinds, site } from "./city.mjs";
import { el } from "./dom.mjs";
import { duration, moment, number } from "./format.mjs";
import { feed, oldness, placeholder } from "./health_feed.mjs";
import { live } from "./live.mjs";
import { kindMark, mark, STATE_SHAPES } from "./shapes.mjs";
import { named, say } from "./texts.mjs";

export async function mount(element, scope) {
  const state = element.dataset.state;
  const [table, city] = await Promise.all([kinds(), site()]);
  const show = () => {
    const part = feed.part(state);
    const instead = placeholder(part);
    if (instead) return element.replaceChildren(instead);
    const { items, total, devices } = part.value;
    if (!items.length) return element.replaceChildren(el("p", { class: "health-none" }, mark(STATE_SHAPES.ACKED), say(`health.none_${state}`)));
    const counts = Object.entries(devices).sort((a, b) => b[1] - a[1]);
    element.replaceChildren(
      ...[oldness(part)].filter(Boolean),
      el("ul", { class: "kind-counts" }, counts.map(([key, count]) => el("li", null, kindMark(table.get(key)?.shape), named(table.get(key)?.name, key), el("b", { class: "numeric" }, number(count))))),
      el("ol", { class: "mute-list" }, items.map((item) => line(item, table, city))),
      total > items.length ? el("p", { class: "quiet" }, say("health.more", { count: number(total - items.length) })) : "",
    );
  };
  feed.need(state, scope, show);
}

function line(item, table, city) {
  const folded = Object.entries(item.folded);
  const below = folded.reduce((sum, [, count]) => sum + count, 0);
  const children = folded.map(([key, count]) => `${named(table.get(key)?.name, key)} ${number(count)}`).join(" · ");
  const kind = table.get(item.kind);
  const place = [named(city.street.get(item.street)?.name, say("alarm.unknown_place")), item.parent].filter(Boolean).join(" · ");
  return el(
    "li",
    null,
    kindMark(kind?.shape),
    el(
      "div",
      null,
      el("p", null, `${named(kind?.name, item.kind)} `, el("a", { href: address(`device/${encodeURIComponent(item.device)}`) }, item.device), below ? el("b", { class: "folded", title: children }, `+${number(below)}`) : ""),
      el("p", { class: "quiet" }, place, below ? ` · ${say("health.folded", { children })}` : ""),
    ),
    item.since ? el("p", { class: "numeric since" }, duration(live.now() - Date.parse(item.since)), el("span", { class: "quiet" }, moment(item.since, live.now()))) : "",
  );
}

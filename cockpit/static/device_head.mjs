// The head of a device's page: what it is, where it stands, whether it speaks, and who answers for it.

import { address, get } from "./api.mjs";
import { kinds, site } from "./city.mjs";
import { el, setText } from "./dom.mjs";
import { duration, instant, moment, tonnes } from "./format.mjs";
import { live } from "./live.mjs";
import { rawDialog, readsRaw } from "./raw_messages.mjs";
import { sessions } from "./session.mjs";
import { kindMark, KIND_SHAPES, mark } from "./shapes.mjs";
import { named, say, settings } from "./texts.mjs";

const REFRESH_MS = 15_000;

export async function mount(element, scope) {
  const id = element.dataset.device;
  const [table, city] = await Promise.all([kinds(), site()]);
  const load = async () => {
    const device = await get(`devices/${encodeURIComponent(id)}`);
    if (scope.open) show(element, device, table, city);
  };
  await load();
  scope.every(REFRESH_MS, () => load().catch(() => undefined));
  scope.listen(sessions, "change", () => load().catch(() => undefined));
  scope.every(1000, () => showPresence(element, id));
}

function show(element, device, table, city) {
  const kind = table.get(device.kind);
  const name = named(device.name) || `${named(kind?.name, device.kind)} ${device.id}`;
  document.title = `${name} · ${named(city.name)}`;
  const unit = device.responsible;
  const link = (other) => el("a", { href: address(`device/${encodeURIComponent(other)}`) }, other);
  const rows = [
    ["kind", named(kind?.name, device.kind)],
    ["place", [named(city.street.get(device.street)?.name), device.grid].filter(Boolean).join(" · ")],
    ["parent", device.parent && link(device.parent)],
    ["responsible", unit && contact(unit, city)],
    ["circuit", device.circuit],
    ["camera", device.camera],
    ["rated", device.rated_kg && tonnes(device.rated_kg)],
    ["posted", device.posted_limit_kg && tonnes(device.posted_limit_kg)],
    ["position", Number.isFinite(device.lat) && `${device.lat.toFixed(5)}, ${device.lon.toFixed(5)}`],
  ];
  element.dataset.seen = device.last_seen ?? "";
  element.dataset.online = String(device.online);
  element.replaceChildren(
    el("h1", null, kindMark(kind?.shape), name, !name.includes(device.id) && el("small", { class: "quiet" }, device.id)),
    el("p", { class: "presence" }),
    ...(device.registered === false ? [el("p", { class: "notice" }, el("b", null, say("device.unregistered")), ` ${say("device.unregistered_detail")}`)] : []),
    el("dl", { class: "facts device-facts" }, rows.filter(([, value]) => value).map(([key, value]) => el("div", null, el("dt", null, say(`device.${key}`)), el("dd", null, value)))),
    ...(readsRaw() ? [el("p", null, el("button", { type: "button", onclick: () => rawDialog(device.id) }, say("raw.button")))] : []),
  );
  showPresence(element, device.id);
}

/** A unit as the API gives it: a record, or the key of one of the site's units. */
function contact(unit, city) {
  const found = typeof unit === "string" ? (city.units ?? []).find((u) => u.key === unit) : unit;
  if (!found) return String(unit);
  return el("span", null, `${found.name?.[settings.language] ?? ""} `, found.phone && el("a", { href: `tel:${found.phone}` }, found.phone));
}

function showPresence(element, id) {
  const line = element.querySelector(".presence");
  if (!line) return;
  const online = live.online.get(id) ?? element.dataset.online === "true";
  const newest = Math.max(0, ...Object.values(live.devices.get(id) ?? {}).map((reading) => reading.at));
  const seen = Math.max(newest, element.dataset.seen ? instant(element.dataset.seen) : 0);
  const state = online ? "online" : "offline";
  if (line.dataset.state !== state) {
    line.dataset.state = state;
    line.className = `presence is-${state}`;
    line.replaceChildren(mark(online ? KIND_SHAPES.circle : KIND_SHAPES.square), el("b", null, say(`device.${state}`)), el("span"));
  }
  const words = seen
    ? `${say("device.last_seen")} ${moment(seen, live.now())} (${duration(live.now() - seen)})`
    : say("device.never_seen");
  setText(line.lastChild, words);
}

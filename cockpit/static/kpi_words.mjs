// Shares, durations and links of the page of indicators; what cannot be said is a dash, never nought or a full score.

import { address } from "./api.mjs";
import { site } from "./city.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { named, say } from "./texts.mjs";

export const percent = (value, digits = 1) => (value === null || value === undefined ? say("device.no_value") : `${number(100 * value, digits)} %`);

/** Digits so that what is not whole does not read as whole: 99.96 % is no 100 %. */
export function exactPercent(ratio, digits = 1) {
  const whole = ratio.numerator !== ratio.denominator && Number((100 * ratio.value).toFixed(digits)) === 100;
  return ratio.value === null ? say("device.no_value") : percent(ratio.value, whole ? digits + 1 : digits);
}

export function seconds(value) {
  if (value === null || value === undefined) return say("device.no_value");
  if (value < 60) return say("kpi.seconds", { s: number(value, value < 10 ? 1 : 0) });
  if (value < 3600) return say("kpi.minutes", { m: number(value / 60, 1) });
  return say("kpi.hours", { h: number(value / 3600, 1) });
}

export const ratioOf = (ratio, digits = 0) => `${number(ratio.numerator, digits)} / ${number(ratio.denominator, digits)}`;

/** The address of the records behind a figure. */
export function records(list, parameters) {
  const url = new URL(address("kpi/records"));
  url.searchParams.set("list", list);
  const lang = new URLSearchParams(window.location.search).get("lang");
  for (const [key, value] of Object.entries({ ...parameters, lang })) if (value) url.searchParams.set(key, value);
  return url.href;
}

export const link = (href, text, more) => el("a", { href, ...more }, text);
export const deviceLink = (id, text = id) => link(address(`device/${encodeURIComponent(id)}`), text);
export const alarmLink = (id, text) => link(address(`duty?alarm=${encodeURIComponent(id)}`), text);

/** Names of streets by key. */
export async function streetNames() {
  const { street } = await site();
  return (key) => named(street.get(key)?.name, key);
}

/** The indicators of one street, over the same days: there its devices stand one by one. */
export function streetLink(key, name) {
  const url = new URL(window.location.href);
  url.searchParams.set("street", key);
  return link(url.href, name);
}

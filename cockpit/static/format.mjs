// Numbers, times and durations as people read them; times are those of the site, whatever clock the screen has.

import { has, named, say, settings } from "./texts.mjs";

const HEAVY_KG = 10_000;
const LONG_S = 600;
const kept = new Map();

function formatter(key, make) {
  const full = `${settings.locale} ${key}`;
  if (!kept.has(full)) kept.set(full, make());
  return kept.get(full);
}

export function number(value, digits = 0) {
  if (!Number.isFinite(value)) return say("device.no_value");
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return formatter(`n${digits}`, () => new Intl.NumberFormat(settings.locale, options)).format(value);
}

/** Digits that a field's resolution promises; never more than three, a wall is no laboratory. */
function digitsOf(field) {
  const step = field?.resolution;
  if (!step || step >= 1) return 0;
  return Math.min(field.unit === "°" ? 6 : 3, Math.ceil(-Math.log10(step) - 1e-9));
}

/** A field's value without its unit: a number, or the name of a code. */
export function fieldValue(field, value) {
  if (value === null || value === undefined) return say("device.no_value");
  if (typeof value === "string") return field?.key === "plate_color" && has(`plate.color_${value}`) ? say(`plate.color_${value}`) : value;
  const code = field?.codes?.[String(Math.round(value))];
  if (code) return named(code);
  return number(value, digitsOf(field));
}

export function unitOf(field) {
  // An empty label is one: "2 axles" has a unit word in Chinese and none in English.
  return field?.unit_label?.[settings.language] ?? "";
}

/** A value and its unit apart, for columns; ten minutes and more are read as a duration, not in thousands of seconds. */
export function apart(field, value) {
  return field.unit === "s" && value >= LONG_S ? [duration(value * 1000), ""] : [fieldValue(field, value), unitOf(field)];
}

/** A value with its unit; masses from ten tonnes on are read in tonnes, not in five digits of kilograms. */
export function withUnit(field, value) {
  if (field?.unit === "kg" && Math.abs(value) >= HEAVY_KG) return tonnes(value, 2);
  const unit = typeof value === "number" && !field?.codes?.[String(Math.round(value))] ? unitOf(field) : "";
  return unit ? `${fieldValue(field, value)} ${unit}` : fieldValue(field, value);
}

/** The figure of an alarm whose field is not at hand: as many digits as it has, up to one. */
export function alarmFigure({ value, unit, unit_label, codes }) {
  return value === null ? "" : withUnit({ unit, unit_label, codes, resolution: value % 1 ? 0.1 : 1 }, value);
}

export function tonnes(kg, digits = 1) {
  return `${number(kg / 1000, digits)} ${say("unit.tonne")}`;
}

function clock(key, options) {
  return formatter(key, () => new Intl.DateTimeFormat(settings.locale, { ...options, hourCycle: "h23", timeZone: settings.timezone }));
}

const HMS = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

export const instant = (at) => (typeof at === "string" ? Date.parse(at) : at);
export const time = (at) => clock("hms", HMS).format(instant(at));
export const minute = (at) => clock("hm", { hour: "2-digit", minute: "2-digit" }).format(instant(at));
const weekday = (at) => clock("weekday", { weekday: "short" }).format(instant(at));
export const day = (at) => `${clock("date", { year: "numeric", month: "2-digit", day: "2-digit" }).format(instant(at))} ${weekday(at)}`;
/** The day of the site as YYYY-MM-DD, as the API takes it. */
export function isoDay(at) {
  const parts = Object.fromEntries(clock("iso", { year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day}`;
}

/** As short as it can be: the minute of today, or the day. */
export function shortMoment(at, now) {
  const date = clock("md", { month: "2-digit", day: "2-digit" });
  const own = date.format(instant(at));
  return own === date.format(now) ? minute(at) : own;
}

/** Time of day, with the date in front when it is not today's. */
export function moment(at, now) {
  if (at === null || at === undefined) return say("device.no_value");
  const date = clock("md", { month: "2-digit", day: "2-digit" });
  const own = date.format(instant(at));
  return own === date.format(now) ? time(at) : `${own} ${time(at)}`;
}

export function duration(ms) {
  const total = Math.max(0, Math.floor(ms / 1000));
  const d = Math.floor(total / 86400);
  const h = Math.floor((total % 86400) / 3600);
  const m = Math.floor((total % 3600) / 60);
  const s = total % 60;
  if (d) return say("duration.days", { d, h });
  if (h) return say("duration.hours", { h, m });
  if (m) return say("duration.minutes", { m, s });
  return say("duration.seconds", { s });
}

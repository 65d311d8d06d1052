// What a draft changes, a line a limit, in the words of the table of rules.

import { el } from "./dom.mjs";
import { has, named, say, settings } from "./texts.mjs";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const SCOPES = ["device", "circuit", "street"];
// What a limit has in the site file, as the table of rules calls it.
const SETTINGS = { levels: "col_levels", priorities: "col_priority", deadband: "col_deadband", on_s: "on_s", off_s: "off_s", unit: "unit", hours: "hours", days: "days" };

/** "gas_alarm.conc_pct_lel: limits 10, 40": what the author wrote. */
export function changes(found) {
  const lines = [];
  for (const [kind, fields] of Object.entries(found.limits)) {
    for (const [field, table] of Object.entries(fields)) {
      const nested = Object.values(table).every((each) => each && typeof each === "object" && !Array.isArray(each));
      const tables = nested ? Object.entries(table) : [["", table]];
      for (const [key, one] of tables) lines.push(["", [kind, field, key], settingsText(one)]);
    }
  }
  for (const { kind, field, limit, ...rest } of found.limits_for) {
    lines.push([whom(rest), [kind, field, limit], settingsText(rest)]);
  }
  for (const { kind, field, limit, ...rest } of found.withdraw) lines.push([whom(rest), [kind, field, limit], say("rules.withdrawn")]);
  if (!lines.length) return [el("li", null, say("rules.site_file"))];
  return lines.map(([who, rule, what]) => el("li", null, who, el("code", null, rule.filter(Boolean).join(".")), ` ${what}`));
}

function whom(table) {
  const scope = SCOPES.find((each) => table[each]);
  return scope ? `${say(`rules.scope_${scope}`)} ${table[scope]} · ` : "";
}

function settingsText({ source, grade, ...rest }) {
  const told = Object.entries(rest).filter(([key]) => !SCOPES.includes(key));
  return told.map(([key, value]) => settingText(key, value)).join(" · ") || named(source, source ?? "");
}

function settingText(key, value) {
  if (key === "holidays" && has(`rules.holidays_${value}`)) return say(`rules.holidays_${value}`);
  const text = key === "days" ? String(value).replace(/[a-z]{3}/g, dayText) : [value].flat().join(", ");
  return `${SETTINGS[key] ? say(`rules.${SETTINGS[key]}`) : key} ${text}`;
}

/** The first of January 2024 was a Monday. */
function dayText(key) {
  const at = DAYS.indexOf(key);
  return at < 0 ? key : new Intl.DateTimeFormat(settings.locale, { weekday: "short", timeZone: "UTC" }).format(Date.UTC(2024, 0, 1 + at));
}

// The words of the page, as the server wrote them beside it, and names in both languages from the API.

export const settings = { language: "zh", locale: "zh-CN", timezone: "Asia/Shanghai", shifts: [], words: {}, replay: false, drill: false };

export function readSettings(element) {
  if (settings.source === element.dataset.texts) return;
  settings.source = element.dataset.texts;
  settings.language = element.dataset.language;
  settings.locale = settings.language === "zh" ? "zh-CN" : "en-GB";
  settings.timezone = element.dataset.timezone;
  // Minutes of a day.
  settings.shifts = (element.dataset.shifts ?? "").split(" ").filter(Boolean).map(Number);
  settings.words = JSON.parse(element.dataset.texts);
  settings.replay = element.dataset.replay === "true";
  settings.drill = element.dataset.drill === "true";
  document.title = element.dataset.title;
}

/** A text by its dotted key, its {placeholders} filled. */
export function say(key, values = {}) {
  const text = settings.words[key];
  // A missing word shows as its key, for people to report; a test compares the files, so it does not happen.
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export function has(key) {
  return key in settings.words;
}

/** A {zh, en} name in the page's language. */
export function named(label, fallback = "") {
  return label?.[settings.language] || label?.zh || fallback;
}

// Small helpers to build elements; text always goes in as text, so nothing a device sends can become markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.setAttribute("class", value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const el = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);
export const svg = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

/** Set text only when it changed: walls repaint nothing that stands still. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A colour or other token of the style sheet. */
export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The root font size in pixels: what everything drawn on a canvas grows with. */
export function rem() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}

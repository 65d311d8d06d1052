// One outline per meaning, in a box of −10…10: kinds of device, priorities of alarms, states. Used in HTML, SVG and canvas.

import { el, svg } from "./dom.mjs";

const ring = (r) => `M${r} 0A${r} ${r} 0 1 1 ${-r} 0A${r} ${r} 0 1 1 ${r} 0Z`;

export const KIND_SHAPES = {
  triangle: "M0-9 7.5 8 0 4.2-7.5 8Z",
  square: "M-7-7H7V7H-7Z",
  diamond: "M0-9.2 7 0 0 9.2-7 0Z",
  circle: ring(6),
  bar: "M-9.5-3.6H9.5V3.6H-9.5Z",
  ring: `${ring(8)}${ring(4)}`,
  hexagon: "M-8.2 0-4.1-7.2H4.1L8.2 0 4.1 7.2H-4.1Z",
};

export const PRIORITY_SHAPES = {
  P1: "M-3.9-9.5H3.9L9.5-3.9V3.9L3.9 9.5H-3.9L-9.5 3.9V-3.9ZM-1.4-6V1.6H1.4V-6ZM-1.4 3.6V6.3H1.4V3.6Z",
  P2: "M0-9.4 9.8 8.4H-9.8Z",
  P3: "M0-9.6 9.6 0 0 9.6-9.6 0Z",
  P4: ring(8),
  health: "M-3-9H3V-3H9V3H3V9H-3V3H-9V-3H-3Z",
};

export const STATE_SHAPES = {
  UNACK: "M0-9C4-9 5.5-6 5.5-2.5 5.5 2 8 4 8 5.5H-8C-8 4-5.5 2-5.5-2.5-5.5-6-4-9 0-9ZM-2.6 7H2.6A2.6 2.6 0 0 1-2.6 7Z",
  ACKED: "M-8.6.4-6.4-1.9-2.8 1.7 6.4-7.2 8.6-4.9-2.8 6.4Z",
  RTN_UNACK: "M1-8A8 8 0 1 1-7.6 2.6L-4.8 1.8A5.1 5.1 0 1 0 1-5.1V-1.4L-6-6.6 1-11.6Z",
  LATCHED: "M-7-1H-5V-4A5 5 0 0 1 5-4V-1H7V9H-7ZM-2.4-1H2.4V-4A2.4 2.4 0 0 0-2.4-4Z",
};

export function mark(path, className = "mark") {
  return svg("svg", { class: className, viewBox: "-10 -10 20 20", "aria-hidden": "true" }, svg("path", { d: path, "fill-rule": "evenodd" }));
}

export const kindMark = (shape) => mark(KIND_SHAPES[shape] ?? KIND_SHAPES.circle, "mark mark-kind");
export const stateMark = (state) => (STATE_SHAPES[state] ? mark(STATE_SHAPES[state]) : null);

/** A priority as shape, colour and text; it flashes by the state of what it stands in (class is-STATE). */
export function priorityBadge(priority, text) {
  return el("span", { class: `priority ${priority}` }, el("span", { class: "flash" }, mark(PRIORITY_SHAPES[priority])), text);
}

// Names over the map as ordinary text: no glyph files, the page's own type, few enough to place by hand.

import { el, setText } from "./dom.mjs";

export class LabelLayer {
  constructor(container, map) {
    this.map = map;
    this.root = el("div", { class: "map-labels", "aria-hidden": "true" });
    this.groups = new Map();
    container.append(this.root);
    map.onMove(() => this.place());
  }

  /** Show exactly these labels of a group: [{key, at: [lon, lat], text, className}]. */
  set(group, wanted) {
    const shown = this.groups.get(group) ?? new Map();
    this.groups.set(group, shown);
    const keys = new Set(wanted.map((label) => label.key));
    for (const [key, label] of shown) {
      if (keys.has(key)) continue;
      label.element.remove();
      shown.delete(key);
    }
    for (const label of wanted) {
      const known = shown.get(label.key) ?? { element: el("div") };
      known.at = label.at;
      known.element.className = `map-label ${label.className}`;
      setText(known.element, label.text);
      if (!shown.has(label.key)) this.root.append(known.element);
      shown.set(label.key, known);
    }
    this.place();
  }

  place() {
    for (const shown of this.groups.values()) {
      for (const { element, at } of shown.values()) {
        const { x, y } = this.map.project(at);
        element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
      }
    }
  }
}

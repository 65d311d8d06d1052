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

  /**
   * Show these labels of a group, the most important first: [{key, at: [lon, lat], text, className, build}].
   * `build` gives the nodes of a label that is more than text; they are made again when `text` changes.
   */
  set(group, wanted) {
    const before = this.groups.get(group) ?? new Map();
    const shown = new Map();
    for (const label of wanted) {
      const known = before.get(label.key) ?? { element: el("div") };
      known.at = label.at;
      if (known.className !== label.className) {
        known.element.className = `map-label ${label.className}`;
        known.className = label.className;
        known.width = null;
      }
      if (known.text !== label.text) {
        if (label.build) known.element.replaceChildren(...label.build());
        else setText(known.element, label.text);
        known.text = label.text;
        known.width = null;
      }
      if (!known.element.isConnected) this.root.append(known.element);
      before.delete(label.key);
      shown.set(label.key, known);
    }
    for (const label of before.values()) label.element.remove();
    this.groups.set(group, shown);
    this.place();
  }

  /** Put every label at its place; one that would cover a more important one steps back. */
  place() {
    const taken = [];
    for (const group of ["alarm", "scene", "street"]) {
      for (const label of this.groups.get(group)?.values() ?? []) {
        const { element } = label;
        if (!label.width) {
          label.width = element.offsetWidth;
          label.height = element.offsetHeight;
        }
        const { x, y } = this.map.project(label.at);
        const left = x - label.width / 2;
        const above = { alarm: y - label.height * 1.7, scene: y - label.height * 1.5 }[group];
        // Over what it names; below where the edge of the map would cut it.
        const top = above === undefined ? y - label.height / 2 : above < 0 && y >= 0 ? y + label.height * 0.7 : above;
        const box = { left, top, right: left + label.width, bottom: top + label.height };
        const hidden = taken.some((b) => box.left < b.right && b.left < box.right && box.top < b.bottom && b.top < box.bottom);
        element.style.visibility = hidden ? "hidden" : "";
        element.style.transform = `translate(${left.toFixed(1)}px, ${top.toFixed(1)}px)`;
        if (!hidden) taken.push(box);
      }
    }
  }
}

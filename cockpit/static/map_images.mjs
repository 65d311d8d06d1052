// The shapes as signed-distance images: the map colours them itself, and they stay sharp at any size.

import { KIND_SHAPES, PRIORITY_SHAPES } from "./shapes.mjs";

const SIZE = 56;
const REACH = 8;
// A cross for silence: the sign of a device that says nothing.
const SILENT = "M-8-6-6-8 0-2 6-8 8-6 2 0 8 6 6 8 0 2-6 8-8 6-2 0Z";

export function shapeImages() {
  const images = new Map();
  for (const [name, path] of Object.entries(KIND_SHAPES)) images.set(`shape-${name}`, distanceImage(path));
  for (const [name, path] of Object.entries(PRIORITY_SHAPES)) images.set(`mark-${name}`, distanceImage(path));
  images.set("mark-silent", distanceImage(SILENT));
  return images;
}

function distanceImage(path) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const scale = (SIZE / 2 - REACH) / 10;
  pen.setTransform(scale, 0, 0, scale, SIZE / 2, SIZE / 2);
  pen.fill(new Path2D(path), "evenodd");
  const cover = pen.getImageData(0, 0, SIZE, SIZE).data;
  const inside = (x, y) => x >= 0 && y >= 0 && x < SIZE && y < SIZE && cover[(y * SIZE + x) * 4 + 3] > 127;
  const data = new Uint8ClampedArray(SIZE * SIZE * 4);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const own = inside(x, y);
      const distance = nearest(x, y, own, inside);
      // The edge lies at three quarters: what the map takes as the outline.
      data[(y * SIZE + x) * 4 + 3] = 191 + ((own ? distance : -distance) * 64) / REACH;
    }
  }
  return { width: SIZE, height: SIZE, data };
}

function nearest(x, y, own, inside) {
  let best = REACH * REACH;
  for (let dy = -REACH; dy <= REACH; dy++) {
    for (let dx = -REACH; dx <= REACH; dx++) {
      const square = dx * dx + dy * dy;
      if (square < best && inside(x + dx, y + dy) !== own) best = square;
    }
  }
  return Math.sqrt(best) - 0.5;
}

// Where the camera of the map must stand; nothing but arithmetic, so that it can be tested without a map.
//
// Web Mercator in units of the whole world: x to the east and y to the south, both from 0 to 1.

const TILE = 512;

export const worldX = (lon) => (lon + 180) / 360;
export const worldY = (lat) => 0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI);
const lonOf = (x) => x * 360 - 180;
const latOf = (y) => (Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) * 360) / Math.PI - 90;

/** The smallest [[west, south], [east, north]] around some [lon, lat]. */
export function boxAround(points) {
  const lons = points.map(([lon]) => lon);
  const lats = points.map(([, lat]) => lat);
  return [
    [Math.min(...lons), Math.min(...lats)],
    [Math.max(...lons), Math.max(...lats)],
  ];
}

/**
 * The centre and zoom that show a box as large as allowed, in the part of the view that nothing covers.
 *
 * The city goes on to the edges of that part wherever it is large enough: what lies at the city's edge moves to the
 * edge of the picture, and no half of it shows the nothing outside. It never comes nearer to an edge than the margin.
 *
 * @param box what to show: [[west, south], [east, north]]
 * @param view {width, height, inset: {top, right, bottom, left}, margin} in pixels
 * @param city the box of the city
 * @param nearest the largest zoom
 */
export function cameraFor(box, { width, height, inset, margin = 0 }, city, nearest) {
  const clear = { width: Math.max(1, width - inset.left - inset.right), height: Math.max(1, height - inset.top - inset.bottom) };
  const shown = span(box);
  const whole = span(city);
  const room = (length, gap) => Math.max(1, length - 2 * gap);
  const fit = (part, gap) => Math.log2(Math.min(room(clear.width, gap) / Math.max(part.width, 1e-12), room(clear.height, gap) / Math.max(part.height, 1e-12)) / TILE);
  const zoom = Math.max(fit(whole, 0), Math.min(nearest, fit(shown, margin)));
  const scale = TILE * 2 ** zoom;
  const axis = (low, high, cityLow, cityHigh, length) => {
    let middle = (low + high) / 2;
    const half = length / scale / 2;
    if (cityHigh - cityLow <= 2 * half) middle = (cityLow + cityHigh) / 2;
    else middle = Math.min(Math.max(middle, cityLow + half), cityHigh - half);
    // What is to be seen counts more than that the city fills the picture.
    const keep = Math.max(0, half - margin / scale);
    if (high - low > 2 * keep) return (low + high) / 2;
    return Math.min(Math.max(middle, high - keep), low + keep);
  };
  const x = axis(shown.west, shown.east, whole.west, whole.east, clear.width);
  const y = axis(shown.north, shown.south, whole.north, whole.south, clear.height);
  // The middle of the clear part is not the middle of the view.
  const centreX = x + (inset.right - inset.left) / 2 / scale;
  const centreY = y + (inset.bottom - inset.top) / 2 / scale;
  return { center: [lonOf(centreX), latOf(centreY)], zoom };
}

function span([[west, south], [east, north]]) {
  const found = { west: worldX(west), east: worldX(east), north: worldY(north), south: worldY(south) };
  return { ...found, width: found.east - found.west, height: found.south - found.north };
}

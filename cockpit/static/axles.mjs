// A vehicle from the side, to scale, from one weighing record: nothing but arithmetic, so that it can be tested.
//
// Lengths are metres from the vehicle's front, masses kilograms, everything drawn is pixels.

// Limits of groups of axles, kg. Source: GB 1589-2016, table 3 (grade B); by the distance of neighbouring axles in metres.
const SINGLE_STEERING = 7_000;
const SINGLE = 10_000;
const PAIR = [[1.0, 11_500], [1.3, 16_000], [Infinity, 18_000]];
const TRIPLE = [[1.3 + 1e-9, 21_000], [Infinity, 24_000]];
// Axles further apart than this are no group.
const TOGETHER_M = 2.0;
// Where a station does not send the distances between axles: those of common vehicles.
const USUAL_GAPS = { 2: [4.8], 3: [4.2, 1.35], 4: [1.9, 3.9, 1.35], 5: [3.6, 6.2, 1.3, 1.3], 6: [3.2, 1.35, 6.2, 1.3, 1.3] };
const FRONT_M = 1.4;
const REAR_M = 1.2;
const CAB_M = 2.3;
const CAB_HIGH_M = 2.9;
const FLOOR_M = 1.1;
const WHEEL_M = 0.5;
const USUAL_HIGH_M = 3.2;
// One scale for all vehicles: the longest road train has 18.1 m, the tallest bar for at least 16 t.
const LONGEST_M = 18.1;
const LOW_EM = 12;
const TALLEST_KG = 16_000;

/** Axles from the front: [{at_m, load_kg}], their groups and the lengths of the vehicle; null without axles. */
function vehicleOf(values) {
  const count = Math.round(values.axle_count ?? 0);
  if (count < 2) return null;
  const gaps = [];
  for (let n = 1; n < count; n++) gaps.push(values[`axle_gap${n}_m`] ?? USUAL_GAPS[count]?.[n - 1] ?? 1.35);
  let at = FRONT_M;
  const axles = [FRONT_M, ...gaps.map((gap) => (at += gap))].map((at_m, i) => ({ at_m, load_kg: values[`axle${i + 1}_kg`] ?? null }));
  const length_m = Math.max(values.length_m ?? 0, at + REAR_M);
  return { axles, groups: groupsOf(axles, gaps, values.axle_groups), length_m, high_m: values.height_m || USUAL_HIGH_M, gaps };
}

/** Axles that carry together: [{first, last, load_kg, limit_kg}], after the station's own "123", else by distance. */
function groupsOf(axles, gaps, told) {
  const sizes = /^[1-9]+$/.test(told ?? "") ? [...told].map(Number) : [];
  const trusted = sizes.reduce((sum, size) => sum + size, 0) === axles.length;
  const groups = [];
  if (trusted) {
    let first = 0;
    for (const size of sizes) {
      groups.push({ first, last: first + size - 1 });
      first += size;
    }
  } else {
    axles.forEach((_, i) => {
      // The front axle steers and stands for itself.
      if (i > 1 && gaps[i - 1] < TOGETHER_M) groups[groups.length - 1].last = i;
      else groups.push({ first: i, last: i });
    });
  }
  return groups.map(({ first, last }, i) => {
    const loads = axles.slice(first, last + 1).map(({ load_kg }) => load_kg);
    const known = loads.every(Number.isFinite);
    return { first, last, load_kg: known ? loads.reduce((sum, load) => sum + load, 0) : null, limit_kg: limitOf(gaps.slice(first, last), i === 0) };
  });
}

function limitOf(gaps, front) {
  if (gaps.length === 0) return front ? SINGLE_STEERING : SINGLE;
  // Two steering axles have one tyre on each side.
  if (front) return SINGLE_STEERING * (gaps.length + 1);
  const least = Math.min(...gaps);
  const table = gaps.length === 1 ? PAIR : TRIPLE;
  const group = table.find(([below]) => least < below)[1];
  return gaps.length > 2 ? group + (gaps.length - 2) * 8_000 : group;
}

/**
 * Where everything stands in a drawing of this size; null where there is nothing to draw.
 *
 * @param size {width, height, em}: of the drawing, and of its type
 */
export function sideView(values, { width, height, em }) {
  const vehicle = vehicleOf(values);
  if (!vehicle) return null;
  const { axles, groups, length_m } = vehicle;
  // In a low drawing the vehicle is its chassis: loads must stay readable.
  const low = height < LOW_EM * em;
  const words = (low ? 1.5 : 2.7) * em;
  const high_m = low ? FLOOR_M : Math.max(vehicle.high_m, CAB_HIGH_M);
  // Above the ground the vehicle, below it the bars and their words: each takes what it needs.
  const most = Math.max(TALLEST_KG, ...axles.map(({ load_kg }) => load_kg ?? 0));
  const perM = Math.min(width / Math.max(LONGEST_M, length_m), (0.5 * (height - words)) / high_m);
  const ground = high_m * perM + 0.2 * em;
  const barTop = ground + 0.45 * em;
  const perKg = Math.max(0, height - words - barTop) / most;
  const left = (width - length_m * perM) / 2;
  const x = (m) => left + m * perM;
  const bar = Math.min(0.9 * perM, 1.1 * em);
  const wheels = axles.map(({ at_m, load_kg }) => ({ x: x(at_m), y: ground - WHEEL_M * perM, r: WHEEL_M * perM, load_kg, bar: { width: bar, top: barTop, height: (load_kg ?? 0) * perKg } }));
  // A tractor ends before the axles of its trailer; a truck's body follows its cab.
  const bodyFrom = FRONT_M + CAB_M - 1.2;
  return {
    low,
    perM,
    perKg,
    ground,
    cab: { x: x(0), y: ground - CAB_HIGH_M * perM, width: CAB_M * perM, height: (CAB_HIGH_M - WHEEL_M) * perM },
    body: { x: x(bodyFrom), y: ground - vehicle.high_m * perM, width: (length_m - bodyFrom) * perM, height: (vehicle.high_m - FLOOR_M) * perM },
    chassis: { x: x(0.3), y: ground - FLOOR_M * perM, width: (length_m - 0.6) * perM, height: 0.35 * perM },
    wheels,
    groups: groups.map((group) => ({
      ...group,
      over: group.load_kg !== null && group.load_kg > group.limit_kg,
      from: wheels[group.first].x - bar / 2,
      to: wheels[group.last].x + bar / 2,
      // An even share of the group's limit on each of its axles.
      limitY: barTop + (group.limit_kg / (group.last - group.first + 1)) * perKg,
    })),
    wordsY: height - words,
  };
}

/** Where words of such widths stand so that none covers another: as near as may be to where they belong, from the left. */
export function apart(words, width, gap) {
  const found = words.map(({ at }) => at);
  for (let i = 1; i < found.length; i++) found[i] = Math.max(found[i], found[i - 1] + (words[i - 1].width + words[i].width) / 2 + gap);
  let right = width;
  for (let i = found.length - 1; i >= 0; i--) {
    found[i] = Math.min(found[i], right - words[i].width / 2);
    right = found[i] - words[i].width / 2 - gap;
  }
  return found;
}

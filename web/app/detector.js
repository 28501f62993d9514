// Where the faces of a picture are: our own BlazeFace, with face-alignment's steps around it.

import { part, shrink, stretch } from "./pixels.js";

export const SIDE = 128; // px a side that the network sees
const OVERLAP = 0.3; // intersection over union from which two finds are one face
const NUMBERS = 17; // of a find: box, six points, score
const [EYES, NOSE, MOUTH, EARS] = [[0, 1], 2, 3, [4, 5]];

// Faces of an RGB picture, largest first: {box: [left, top, right, bottom], points, score} in px.
// `run` takes a Uint8Array of SIDE x SIDE x 3 and gives rows of [ymin, xmin, ymax, xmax, points, score].
export async function findFaces(picture, run) {
  for (const view of views(picture)) {
    const faces = merged(await run(view.picture.data)).map((row) => placed(row, view));
    if (faces.length) return faces.sort((one, other) => side(other) - side(one));
  }
  return [];
}

export function side({ box }) {
  return box[2] - box[0];
}

// How far the head is turned: 0 frontal, about 0.5 where the nose covers an end of the jaw.
export function turn({ points }) {
  const [right, left] = EARS.map((number) => points[number][0]);
  return (points[NOSE][0] - (right + left) / 2) / Math.max(Math.abs(left - right), 1);
}

// Whether the points are of an upright face: eyes level, the mouth below them, the nose between.
export function plausible({ points }) {
  const [right, left] = EYES.map((number) => points[number]);
  const across = [left[0] - right[0], left[1] - right[1]];
  const middle = [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2];
  const down = [points[MOUTH][0] - middle[0], points[MOUTH][1] - middle[1]];
  const apart = Math.hypot(...down) / Math.max(Math.hypot(...across), 1e-6);
  const nose = points[NOSE][1];
  return across[0] > Math.abs(across[1]) && down[1] > Math.abs(down[0])
    && apart >= 0.4 && apart <= 2.5 && nose > middle[1] && nose < points[MOUTH][1];
}

// The middle square first, as the training's own detector sees a picture; then the two ends.
function* views(picture) {
  const { width, height } = picture;
  const short = Math.min(width, height);
  if (width === height) {
    yield { picture: sized(picture, SIDE, SIDE), scale: short, left: 0, top: 0 };
    return;
  }
  const ratio = SIDE / short;
  const [wide, high] = height > width
    ? [SIDE, Math.trunc(height * ratio)] : [Math.trunc(width * ratio), SIDE];
  const small = sized(picture, wide, high);
  for (const share of [0.5, 0, 1]) {
    const [x, y] = [Math.floor((wide - SIDE) * share), Math.floor((high - SIDE) * share)];
    const [left, top] = [Math.floor((width - short) * share), Math.floor((height - short) * share)];
    yield { picture: part(small, x, y, SIDE, SIDE), scale: short, left, top };
  }
}

function sized(picture, width, height) {
  if (picture.width === width && picture.height === height) return picture;
  return (picture.width > width ? shrink : stretch)(picture, width, height);
}

function placed(row, { scale, left, top }) {
  const [ymin, xmin, ymax, xmax] = row;
  const points = [];
  for (let at = 4; at < 16; at += 2) points.push([row[at] * scale + left, row[at + 1] * scale + top]);
  const box = [xmin * scale + left, ymin * scale + top, xmax * scale + left, ymax * scale + top];
  return { box, points, score: row[16] };
}

// Finds that overlap become one, their numbers weighed by their scores (Bazarevsky et al. 2019).
function merged(finds) {
  const left = finds
    .filter(([ymin, xmin, ymax, xmax]) => xmax > xmin && ymax > ymin)
    .sort((one, other) => other[16] - one[16]);
  const faces = [];
  while (left.length) {
    const same = left.filter((row) => overlap(left[0], row) > OVERLAP);
    const total = same.reduce((sum, row) => sum + row[16], 0);
    const mean = (at) => same.reduce((sum, row) => sum + row[at] * row[16], 0) / total;
    const face = Array.from({ length: NUMBERS - 1 }, (_, at) => mean(at));
    faces.push([...face, total / same.length]);
    for (const row of same) left.splice(left.indexOf(row), 1);
  }
  return faces;
}

function overlap(one, other) {
  const high = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const wide = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  const shared = Math.max(high, 0) * Math.max(wide, 0);
  const area = (row) => (row[2] - row[0]) * (row[3] - row[1]);
  return shared / (area(one) + area(other) - shared);
}

// The square crop of a face, as pipeline/faces/crop.py cuts it.

import { halfEven, patch, sharpen, shrink } from "./pixels.js";

const DROP = 0.1; // of the face box: it ends near the chin but starts high on the forehead

// The square box px that is cut for a face box px, widened by `margin` of itself on each side.
export function cropBox([left, top, right, bottom], margin) {
  const face = right - left;
  const side = Math.max(2, halfEven(face * (1 + 2 * margin)));
  const [x, y] = [(left + right) / 2, (top + bottom) / 2 + DROP * face];
  return [x - side / 2, y - side / 2, x + side / 2, y + side / 2];
}

// The `size` x `size` RGB crop of a square box.
export function cut(picture, [left, top, right, bottom], size) {
  const side = halfEven(right - left);
  const whole = patch(picture, side, (left + right - 1) / 2, (top + bottom - 1) / 2);
  if (side === size) return whole;
  return (side > size ? shrink : sharpen)(whole, size, size);
}

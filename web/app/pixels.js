// Pictures as plain numbers: {width, height, channels, data: Uint8Array}, row by row.
// Every resize follows OpenCV's, so that the page and Python see the same pixels.

const UP = 1e-4; // lifts a half, where OpenCV rounds halves up and not to even
const LUMA = [0.299, 0.587, 0.114].map(Math.fround); // ITU-R BT.601, as models/classifier.py

// RGBA bytes of a canvas > RGB.
export function fromCanvas({ width, height, data }) {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    rgb[to++] = data[from];
    rgb[to++] = data[from + 1];
    rgb[to++] = data[from + 2];
  }
  return { width, height, channels: 3, data: rgb };
}

// RGB > grey, in single precision and halves to even, as numpy does on a processor with FMA.
export function toGrey(picture) {
  const { width, height, data } = picture;
  const grey = new Uint8Array(width * height);
  for (let place = 0, from = 0; place < grey.length; place++, from += 3) {
    const red = Math.fround(data[from] * LUMA[0]);
    const yellow = Math.fround(data[from + 1] * LUMA[1] + red);
    grey[place] = halfEven(Math.fround(data[from + 2] * LUMA[2] + yellow));
  }
  return { width, height, channels: 1, data: grey };
}

export function halfEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 ? low + 1 : low;
}

// A picture of `width` x `height` by cv2.INTER_AREA; both sides shrink or stay.
export function shrink(picture, width, height) {
  const halved = picture.width === 2 * width && picture.height === 2 * height; // its fast path
  return weighted(picture, areas(picture.width, width), areas(picture.height, height), halved ? UP : 0);
}

// As cv2.INTER_LINEAR, to enlarge.
export function stretch(picture, width, height) {
  return weighted(picture, lines(picture.width, width), lines(picture.height, height));
}

// As cv2.INTER_CUBIC, to enlarge a crop.
export function sharpen(picture, width, height) {
  return weighted(picture, cubes(picture.width, width), cubes(picture.height, height));
}

// The part of a picture from (left, top) on; it must lie inside.
export function part(picture, left, top, width, height) {
  const { channels } = picture;
  const data = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * picture.width + left) * channels;
    data.set(picture.data.subarray(start, start + width * channels), row * width * channels);
  }
  return { width, height, channels, data };
}

// A `side` x `side` patch about a centre between pixels, as cv2.getRectSubPix.
export function patch(picture, side, centreX, centreY) {
  const columns = between(picture.width, side, centreX);
  const rows = between(picture.height, side, centreY);
  return weighted(picture, columns, rows, UP);
}

// For each place of the result: where it takes from, and how much of each.
function areas(from, to) {
  const scale = from / to;
  return Array.from({ length: to }, (_, place) => {
    const low = place * scale;
    const high = low + scale;
    const cell = Math.min(scale, from - low);
    const last = Math.min(Math.floor(high), from - 1);
    const first = Math.min(Math.ceil(low), last);
    const taps = [];
    if (first - low > 1e-3) taps.push([first - 1, (first - low) / cell]);
    for (let at = first; at < last; at++) taps.push([at, 1 / cell]);
    if (high - last > 1e-3) taps.push([last, Math.min(high - last, 1, cell) / cell]);
    return taps;
  });
}

function lines(from, to) {
  return Array.from({ length: to }, (_, place) => {
    const exact = ((place + 0.5) * from) / to - 0.5;
    const low = Math.floor(exact);
    return kept(from, [[low, 1 - (exact - low)], [low + 1, exact - low]]);
  });
}

function cubes(from, to) {
  const bend = -0.75; // OpenCV's
  return Array.from({ length: to }, (_, place) => {
    const exact = ((place + 0.5) * from) / to - 0.5;
    const low = Math.floor(exact);
    const x = exact - low;
    const near = (t) => ((bend + 2) * t - (bend + 3)) * t * t + 1;
    const far = (t) => ((bend * t - 5 * bend) * t + 8 * bend) * t - 4 * bend;
    const shares = [far(x + 1), near(x), near(1 - x)];
    shares.push(1 - shares[0] - shares[1] - shares[2]);
    return kept(from, shares.map((share, number) => [low - 1 + number, share]));
  });
}

function between(from, side, centre) {
  const start = centre - (side - 1) / 2;
  const low = Math.floor(start);
  const rest = start - low;
  return Array.from({ length: side }, (_, place) =>
    kept(from, [[low + place, 1 - rest], [low + place + 1, rest]]),
  );
}

// Past the border the border pixel repeats.
function kept(from, taps) {
  return taps.map(([at, share]) => [Math.min(Math.max(at, 0), from - 1), share]);
}

// Sums over columns, then over rows; in flat arrays, for a camera's frames come twice a second.
function weighted(picture, columns, rows, lift = 0) {
  const { channels } = picture;
  const stride = columns.length * channels;
  const first = rows[0][0][0];
  const last = rows.at(-1).at(-1)[0];
  const wide = new Float32Array((last - first + 1) * stride);
  const across = flat(columns);
  for (let row = first; row <= last; row++) {
    const from = picture.data.subarray(row * picture.width * channels, (row + 1) * picture.width * channels);
    sumColumns(from, across, channels, wide.subarray((row - first) * stride, (row - first + 1) * stride));
  }
  const data = new Uint8ClampedArray(rows.length * stride); // rounds half to even by itself
  const line = new Float32Array(stride); // as OpenCV's sums
  rows.forEach((taps, row) => {
    line.fill(lift);
    for (const [at, share] of taps) {
      const start = (at - first) * stride;
      const single = Math.fround(share);
      for (let place = 0; place < stride; place++) line[place] += Math.fround(wide[start + place] * single);
    }
    data.set(line, row * stride);
  });
  return { width: columns.length, height: rows.length, channels, data: new Uint8Array(data.buffer) };
}

function sumColumns(from, { ends, at, share }, channels, to) {
  let place = 0;
  for (let column = 0, tap = 0; column < ends.length; column++) {
    const start = tap;
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (tap = start; tap < ends[column]; tap++) {
        sum = Math.fround(sum + Math.fround(from[at[tap] * channels + channel] * share[tap]));
      }
      to[place++] = sum;
    }
  }
}

function flat(columns) {
  const taps = columns.flat();
  let end = 0;
  return {
    ends: Int32Array.from(columns, ({ length }) => (end += length)),
    at: Int32Array.from(taps, ([at]) => at),
    share: Float32Array.from(taps, ([, share]) => share),
  };
}

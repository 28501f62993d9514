// What a network looked at: each part of the crop is covered in turn, and what the answer loses is
// how much that part mattered (Zeiler & Fergus 2014, arXiv:1311.2901).

const CELLS = 8; // a side: a cell is about an eye wide

// CELLS x CELLS shares of 1 for the class `best`; the largest loss is 1, a gain is 0.
export async function occlusion(input, best, engine, task) {
  const covered = [];
  for (let row = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++) covered.push(cover(input, row, column));
  }
  const [whole] = await engine.probabilities(task, [input.data]);
  const parts = await engine.probabilities(task, covered);
  const lost = parts.map((probabilities) => Math.max(0, whole[best] - probabilities[best]));
  const most = Math.max(...lost, 1e-6);
  return { cells: CELLS, shares: lost.map((value) => value / most), most };
}

function cover(input, row, column) {
  const { width, height, channels, data } = input;
  const copy = data.slice();
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const [top, bottom] = [row, row + 1].map((cell) => Math.round((cell * height) / CELLS));
  const [left, right] = [column, column + 1].map((cell) => Math.round((cell * width) / CELLS));
  for (let y = top; y < bottom; y++) {
    copy.fill(mean, (y * width + left) * channels, (y * width + right) * channels);
  }
  return copy;
}

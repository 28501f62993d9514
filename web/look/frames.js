// Frames of a clip on canvases, all moved by one player; every browser shows them.

import { calm, make } from "./dom.js";

const SCALE = 512; // px a side of a canvas, at least
const MARK = "#00c878";
const RUNS = [
  [0, 17, false], [17, 22, false], [22, 27, false], [27, 31, false], [31, 36, false],
  [36, 42, true], [42, 48, true], [48, 60, true], [60, 68, true],
];

// A view of a strip of frames; `draw(context, number, scale)` draws over each.
export class View {
  constructor(figure, film, source, name, draw = () => {}) {
    this.film = film;
    this.over = draw;
    this.image = new Image();
    this.scale = Math.max(1, SCALE / film.width);
    this.canvas = make("canvas", { width: Math.round(film.width * this.scale), height: Math.round(film.height * this.scale), role: "img", "aria-label": name });
    figure.prepend(this.canvas);
    this.loaded = new Promise((resolve, reject) => {
      this.image.onload = resolve;
      this.image.onerror = () => reject(new Error(`the frames of ${name} cannot be shown; \`pallor run\` makes them again`));
    });
    this.image.src = source;
  }

  show(number) {
    const { width, height, columns, frames, step } = this.film;
    const at = Math.min(Math.floor(number / step), frames - 1);
    const context = this.canvas.getContext("2d");
    context.drawImage(
      this.image, (at % columns) * width, Math.floor(at / columns) * height, width, height,
      0, 0, this.canvas.width, this.canvas.height,
    );
    this.over(context, at * step, this.scale);
  }
}

// A view of how far two others of one shape are apart, their largest difference as white.
export class Difference {
  constructor(figure, first, second) {
    this.film = first.film;
    const { width, height, frames } = this.film;
    this.canvas = make("canvas", { width, height, role: "img", "aria-label": "difference of the two", class: "pixels" });
    figure.prepend(this.canvas);
    const films = [first, second].map((view) => pixelsOf(view));
    this.apart = Array.from({ length: frames }, (_, number) => apart(...films.map((film) => film(number))));
    const mosts = this.apart.map((levels) => levels.reduce((most, level) => Math.max(most, level), 0));
    this.most = Math.max(...mosts);
    this.worst = mosts.indexOf(this.most) * this.film.step;
  }

  show(number) {
    const { width, height, frames, step } = this.film;
    const levels = this.apart[Math.min(Math.floor(number / step), frames - 1)];
    const image = new ImageData(width, height);
    levels.forEach((level, place) => {
      image.data[place + (place / 3 | 0)] = (255 * level) / Math.max(1, this.most);
    });
    for (let place = 3; place < image.data.length; place += 4) image.data[place] = 255;
    this.canvas.getContext("2d").putImageData(image, 0, 0);
  }
}

// The red, green and blue of each frame of a view, as the film has them.
function pixelsOf({ film: { width, height, columns }, image }) {
  const sheet = make("canvas", { width: image.naturalWidth, height: image.naturalHeight });
  const context = sheet.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return (number) => context.getImageData((number % columns) * width, Math.floor(number / columns) * height, width, height).data.filter((_, place) => place % 4 < 3);
}

function apart(one, other) {
  return one.map((level, place) => Math.abs(level - other[place]));
}

// Play, pause and a slider over views; `told(number)` hears of each frame.
export function player(place, views, told = () => {}) {
  const frames = Math.max(...views.map((view) => view.film.frames * view.film.step));
  const fps = views[0].film.fps || 8;
  const button = make("button", { class: "button plain", type: "button" }, "Play");
  const slider = make("input", { type: "range", min: 0, max: frames - 1, value: 0, "aria-label": "Frame" });
  const said = make("output", {});
  let timer = 0;
  const show = (number) => {
    slider.value = number;
    said.textContent = `frame ${number} of ${frames - 1}, ${(number / fps).toFixed(2)} s`;
    for (const view of views) view.show(number);
    told(number);
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.textContent = "Play";
  };
  const play = () => {
    button.textContent = "Pause";
    timer = setInterval(() => show((Number(slider.value) + 1) % frames), 1000 / fps);
  };
  button.addEventListener("click", () => (timer ? stop() : play()));
  // Home at the first frame moves nothing and sends no `input`; a touched slider stops all the same.
  for (const touch of ["keydown", "pointerdown"]) slider.addEventListener(touch, stop);
  slider.addEventListener("input", () => show(Number(slider.value)));
  place.replaceChildren(make("div", { class: "player" }, button, slider, said));
  show(0);
  if (!calm()) play();
  return { again: () => show(Number(slider.value)), stop, show };
}

// The 68 landmarks of one frame; hidden ones are hollow.
export function drawMarks(context, points, visible, scale) {
  context.strokeStyle = context.fillStyle = MARK;
  context.lineWidth = 1.2;
  for (const [from, to, closed] of RUNS) {
    context.beginPath();
    for (const [x, y] of points.slice(from, to)) context.lineTo(x * scale, y * scale);
    if (closed) context.closePath();
    context.stroke();
  }
  points.forEach(([x, y], number) => {
    context.beginPath();
    context.arc(x * scale, y * scale, 2.6, 0, 2 * Math.PI);
    if (visible?.[number] ?? true) context.fill();
    else context.stroke();
  });
}

// The box that the crop is cut from.
export function drawBox(context, [left, top, right, bottom], scale) {
  context.strokeStyle = "#ffd24a";
  context.lineWidth = 2;
  context.strokeRect(left * scale, top * scale, (right - left) * scale, (bottom - top) * scale);
}

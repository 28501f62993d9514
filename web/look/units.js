// Units over time: a small plot a unit, with a line where the player stands.

import { make } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const SIZE = { width: 260, height: 110, left: 30, right: 6, top: 6, bottom: 18 };
const SHOWN = 0.05; // a unit that never goes further is not drawn

// Plots into `place` of `units` [{unit, meaning, lines: [{values, className, name}]}]; told(frame) moves the line.
export function plots(place, units, frames) {
  const drawn = units.filter(({ lines }) => lines.some(({ values }) => Math.max(...values) > SHOWN));
  const cursors = [];
  place.replaceChildren(...drawn.map((unit) => plot(unit, frames, cursors)));
  if (!drawn.length) place.append(make("p", { class: "quiet" }, "No unit goes further than 5 %."));
  return (frame) => {
    for (const cursor of cursors) {
      cursor.setAttribute("x1", x(frame, frames));
      cursor.setAttribute("x2", x(frame, frames));
    }
  };
}

const x = (frame, frames) => SIZE.left + (frame / Math.max(1, frames - 1)) * (SIZE.width - SIZE.left - SIZE.right);
const y = (value) => SIZE.height - SIZE.bottom - value * (SIZE.height - SIZE.top - SIZE.bottom);

function plot({ unit, meaning, lines }, frames, cursors) {
  const most = lines.filter(({ name }) => name).map(({ name, values }) => `${name} ${Math.max(...values).toFixed(2)}`);
  const title = `AU ${unit}${meaning ? `, ${meaning}` : ""}`;
  const svg = add(null, "svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, class: "chart", role: "img", "aria-label": `${title}: at most ${most.join(", ")}` });
  for (const value of [0, 0.5, 1]) {
    add(svg, "line", { x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y(value), y2: y(value), class: "grid" });
    add(svg, "text", { x: SIZE.left - 5, y: y(value) + 4, class: "tick end" }).textContent = value;
  }
  add(svg, "text", { x: SIZE.left, y: SIZE.height - 4, class: "tick" }).textContent = "frame 0";
  add(svg, "text", { x: SIZE.width - SIZE.right, y: SIZE.height - 4, class: "tick end" }).textContent = frames - 1;
  for (const { values, className } of lines) {
    const points = values.map((value, frame) => `${x(frame, values.length).toFixed(1)} ${y(value).toFixed(1)}`);
    add(svg, "path", { d: `M${points.join("L")}`, class: className });
  }
  cursors.push(add(svg, "line", { x1: SIZE.left, x2: SIZE.left, y1: SIZE.top, y2: SIZE.height - SIZE.bottom, class: "now" }));
  return make("figure", { class: "plot" }, make("figcaption", {}, title), svg, make("span", { class: "small quiet" }, `most: ${most.join(", ")}`));
}

function add(parent, name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

// The lines of one clip: executed on both own sides, and what was intended where it differs.
export function linesOf(truth, index) {
  const side = (name, which) => truth[name].map((frame) => frame[index][which]);
  const lines = [
    { name: "left", values: side("executed", 0), className: "line tone-5" },
    { name: "right", values: side("executed", 1), className: "line tone-4" },
  ];
  if (!truth.intended) return lines;
  return [...[0, 1].map((which) => ({ name: "", values: side("intended", which), className: "thin" })), ...lines];
}

// One line of a clip: the side that goes further.
export function further(truth, unit) {
  const index = truth.units?.findIndex((row) => row.unit === unit) ?? -1;
  if (index < 0) return null;
  const [left, right] = [0, 1].map((which) => truth.executed.map((frame) => frame[index][which]));
  return Math.max(...left) >= Math.max(...right) ? left : right;
}

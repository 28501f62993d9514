// Probabilities over time as lines, and now as bars; colours come from the style sheet by class.

const HEIGHT = 180;
const USUAL = 640; // px wide, of a chart that is on no page yet
const MARGIN = { left: 40, right: 8, top: 10, bottom: 24 };
const SVG = "http://www.w3.org/2000/svg";

// Draw `points` [{time, values}] of `labels` into an <svg>; one line a label, gaps where values are null.
export function drawLines(svg, labels, points, seconds) {
  const width = svg.clientWidth || USUAL; // drawn as wide as it is shown: letters keep their size
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.replaceChildren();
  const end = Math.max(10, points.at(-1)?.time ?? 0);
  const x = (time) => MARGIN.left + (time / end) * (width - MARGIN.left - MARGIN.right);
  const y = (share) => HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom);
  for (const share of [0, 0.5, 1]) {
    add(svg, "line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(share), y2: y(share), class: "grid" });
    add(svg, "text", { x: MARGIN.left - 6, y: y(share) + 4, class: "tick end" }, `${share * 100} %`);
  }
  for (const time of [0, end / 2, end]) {
    const anchor = time === end ? "tick end" : "tick";
    add(svg, "text", { x: x(time), y: HEIGHT - 6, class: anchor }, seconds(time));
  }
  labels.forEach((_, place) => {
    let path = "";
    let open = false;
    for (const { time, values } of points) {
      if (values) path += `${open ? "L" : "M"}${x(time).toFixed(1)} ${y(values[place]).toFixed(1)}`;
      open = Boolean(values);
    }
    if (path) add(svg, "path", { d: path, class: `line tone-${place}` });
  });
}

function add(svg, name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  svg.append(element);
}

// A list of bars: `names` with their shares; read out as text by what reads a screen.
export function bars(list, names, shares, percent) {
  names.forEach((name, place) => {
    const row = list.children[place] ?? list.appendChild(newBar(place));
    row.querySelector(".bar-name").textContent = name;
    row.querySelector(".bar-value").textContent = shares ? percent(shares[place]) : "–";
    row.querySelector(".bar-fill").style.width = `${(shares?.[place] ?? 0) * 100}%`;
  });
  while (list.children.length > names.length) list.lastChild.remove();
}

function newBar(place) {
  const row = document.createElement("li");
  row.className = "bar";
  for (const name of ["bar-name", "bar-value", "bar-track"]) {
    row.append(Object.assign(document.createElement("span"), { className: name }));
  }
  row.lastChild.setAttribute("aria-hidden", "true");
  row.lastChild.append(Object.assign(document.createElement("span"), { className: `bar-fill tone-${place}` }));
  return row;
}

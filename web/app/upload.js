// The upload page: files in, boxes and answers out; everything happens here.

import { bars, drawLines } from "./chart.js";
import { judge } from "./judge.js";
import { occlusion } from "./occlusion.js";
import { begin, make, sayingErrors, tell } from "./page.js";
import { openFile, paint, Unreadable } from "./pictures.js";
import { csv, handOver } from "./table.js";
import { called, percent, say } from "./words.js";

const PROBLEMS = { none: "no_face", two: "two_faces", dark: "dark", turned: "turned" };
const PREVIEW = 640; // px of the long side of a picture shown with its box
const GONE = 0.02; // a part whose loss is less than this decides nothing
const at = (id) => document.querySelector(`#${id}`);
const table = []; // what the CSV holds: {file, second, task, answer} of every look
let [study, engine, task] = [];
let queue = Promise.resolve();

await sayingErrors(async () => {
  ({ study, engine } = await begin());
  tell(say("loading"));
  chooseTask();
  await engine.warm(task);
  tell(say("ready"));
  at("files").addEventListener("change", (event) => {
    take([...event.target.files]);
    event.target.value = "";
  });
  for (const name of ["dragover", "dragleave", "drop"]) at("drop").addEventListener(name, dropped);
  at("download").addEventListener("click", () => handOver("pallor.csv", "text/csv", csv(rows())));
  at("clear").addEventListener("click", clear);
  document.documentElement.dataset.ready = "yes";
});

function chooseTask() {
  for (const { name } of study.tasks) at("task").add(new Option(titleOf(name), name));
  at("task-field").hidden = study.tasks.length < 2;
  task = study.tasks[0];
  at("task").addEventListener("change", () => {
    task = study.tasks.find(({ name }) => name === at("task").value);
  });
}

function titleOf(name) {
  try {
    return say(`task_${name}`);
  } catch {
    return called(name);
  }
}

function dropped(event) {
  event.preventDefault();
  at("drop").classList.toggle("over", event.type === "dragover");
  if (event.type === "drop") take([...event.dataTransfer.files]);
}

// One file after the other, in the order chosen, whatever comes while they are looked at.
function take(files) {
  queue = queue.then(() => sayingErrors(async () => {
    document.documentElement.dataset.ready = "no";
    for (const [place, file] of files.entries()) {
      tell(say("working", { name: file.name, number: place + 1, count: files.length }));
      await look(file);
    }
    tell(say("finished", { count: files.length }));
    document.documentElement.dataset.ready = "yes";
  }));
}

async function look(file) {
  const card = newCard(file.name);
  try {
    const { video, frames, notes } = await openFile(file);
    if (video) await lookAtVideo(card, file.name, frames);
    else for await (const { picture } of frames) await lookAtPicture(card, file.name, picture);
    for (const note of notes) card.append(make("p", "small quiet", say(`note_${note}`)));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    kindly(card, say("unreadable"));
    note(file.name, 0, { problem: "unreadable" });
  }
}

async function lookAtPicture(card, name, picture) {
  const asked = task;
  const found = await judge(picture, engine, asked);
  note(name, 0, found, asked);
  await show(card, name, picture, found, asked);
}

async function lookAtVideo(card, name, frames) {
  const asked = task;
  const points = [];
  let best;
  for await (const { picture, time } of frames) {
    const found = await judge(picture, engine, asked);
    note(name, time, found, asked);
    points.push({ time, values: found.probabilities ?? null });
    const better = !best || best.found.problem || found.probabilities?.[found.best] > best.found.probabilities[best.found.best];
    if (!best || (!found.problem && better)) best = { picture, found };
  }
  await show(card, name, best.picture, best.found, asked);
  const chart = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  chart.setAttribute("class", "chart");
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", say("video_chart", { name }));
  const shown = names(asked);
  drawLines(chart, shown, points, (time) => say("seconds", { time: time.toFixed(0) }));
  const seen = points.filter(({ values }) => values).length;
  card.append(chart, legend(shown), make("p", "small quiet", say("frames_seen", { seen, count: points.length })));
}

// A picture with its box, the answer in words and bars, and what the network looked at.
async function show(card, name, picture, found, asked) {
  const pictures = make("div", "pictures");
  pictures.append(framed(name, picture, found.boxes ?? (found.box ? [found.box] : [])));
  card.append(pictures);
  if (found.problem) {
    kindly(card, say(PROBLEMS[found.problem], { count: found.boxes?.length ?? 0 }));
    return;
  }
  const share = found.probabilities[found.best];
  const sentence = { label: called(asked.labels[found.best], asked.name), share: percent(share) };
  card.append(make("p", "verdict", say(found.doubt ? "unsure" : "answer", sentence)));
  const list = make("ul", "bars");
  bars(list, names(asked), found.probabilities, percent);
  card.append(list);
  const bin = asked.reliability.find(({ confidence }) => Math.abs(confidence - share) <= 0.05);
  if (bin) card.append(make("p", "small", say("reliability", { n: bin.n, share: percent(bin.accuracy) })));
  const map = await occlusion(found.input, found.best, engine, asked);
  pictures.append(crop(found.crop, map));
  card.append(make("p", "small quiet", say(map.most < GONE ? "looked_at_none" : "looked_at")));
}

function framed(name, picture, boxes) {
  const canvas = make("canvas");
  paint(canvas, picture);
  const scale = Math.min(1, PREVIEW / Math.max(picture.width, picture.height));
  const shown = make("canvas");
  Object.assign(shown, { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
  const pen = shown.getContext("2d");
  pen.drawImage(canvas, 0, 0, shown.width, shown.height);
  const width = Math.max(2, shown.width / 160);
  for (const [left, top, right, bottom] of boxes) {
    for (const [colour, thick] of [["#00000099", width * 2], ["#7fe3d4", width]]) {
      Object.assign(pen, { strokeStyle: colour, lineWidth: thick });
      pen.strokeRect(left * scale, top * scale, (right - left) * scale, (bottom - top) * scale);
    }
  }
  shown.setAttribute("role", "img");
  shown.setAttribute("aria-label", say("box_alt", { name }));
  return shown;
}

function crop(picture, map) {
  const canvas = make("canvas", "crop");
  paint(canvas, picture);
  const pen = canvas.getContext("2d");
  const side = picture.width / map.cells;
  map.shares.forEach((share, place) => {
    const shade = map.most < GONE ? 0 : 0.72 * (1 - share); // what mattered stays bright
    pen.fillStyle = `rgba(10, 20, 30, ${shade})`;
    pen.fillRect((place % map.cells) * side, Math.floor(place / map.cells) * side, side, side);
  });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", say("crop_alt"));
  return canvas;
}

function names({ name, labels }) {
  return labels.map((label) => called(label, name));
}

function legend(shown) {
  const list = make("ul", "legend");
  shown.forEach((name, place) => list.append(make("li", `tone-${place}`, name)));
  return list;
}

function newCard(name) {
  const card = make("li", "card result");
  card.append(make("h3", "", name));
  at("results").append(card);
  at("none").hidden = true;
  at("clear").disabled = at("download").disabled = false;
  return card;
}

function kindly(card, text) {
  card.append(make("p", "kind", text));
}

function note(file, second, found, asked = task) {
  table.push({ file, second, asked, found });
}

function rows() {
  const labels = [...new Set(table.flatMap(({ asked }) => asked.labels))];
  const head = ["file", "second", "task", "answer", "sure", "problem"].map((name) => say(`column_${name}`));
  const body = table.map(({ file, second, asked, found }) => [
    file, second, asked.name, found.problem ? "" : asked.labels[found.best],
    found.problem ? "" : say(found.doubt ? "no" : "yes"), found.problem,
    ...labels.map((label) => found.probabilities?.[asked.labels.indexOf(label)]?.toFixed(4) ?? ""),
  ]);
  return [[...head, ...labels], ...body];
}

function clear() {
  table.length = 0;
  at("results").replaceChildren();
  at("none").hidden = false;
  at("clear").disabled = at("download").disabled = true;
}

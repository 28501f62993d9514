// The mood page: it asks, it watches while questions are answered, it shows and keeps, it forgets.

import { bars, drawLines } from "./chart.js";
import { fused } from "./fusion.js";
import { forget, keep, rows, sessions } from "./history.js";
import { judge } from "./judge.js";
import { begin, make, sayingErrors, tell } from "./page.js";
import { drawn } from "./pictures.js";
import { sentiment } from "./sentiment.js";
import { csv, handOver } from "./table.js";
import { called, language, percent, say } from "./words.js";

const EVERY = 500; // ms from one look to the next: moods are slow
const QUESTIONS = ["rested", "energy", "calm", "enjoy"];
const SCALE = [0, 1, 2, 3, 4];
const MOODS = ["negative", "neutral", "positive"];
const PROBLEMS = { none: "no_face", two: "two_faces", dark: "dark", turned: "turned" };
const at = (id) => document.querySelector(`#${id}`);
const sheet = document.createElement("canvas"); // one, drawn over again with every look
let [study, engine, task, stream, session, face] = [];
let text = sentiment("");

await sayingErrors(async () => {
  ({ study, engine } = await begin());
  task = study.tasks.find(({ labels }) => MOODS.every((mood) => labels.includes(mood)));
  ask();
  showHistory();
  showNow();
  tell(say("loading"));
  await engine.warm(task);
  tell(say("ready"));
  at("open").disabled = false;
  document.documentElement.dataset.ready = "yes";
});

at("open").addEventListener("click", open);
at("stop").addEventListener("click", () => close("camera_closed"));
at("words").addEventListener("input", () => {
  text = sentiment(at("words").value);
  showNow();
});
at("export-csv").addEventListener("click", () => handOver("pallor-mood.csv", "text/csv", csv(rows(sessions()))));
at("export-json").addEventListener("click", () => {
  handOver("pallor-mood.json", "application/json", JSON.stringify(sessions(), null, 2));
});
at("delete").addEventListener("click", erase);
window.addEventListener("pagehide", () => stream && close("camera_closed"));

function ask() {
  for (const name of QUESTIONS) {
    const group = make("fieldset");
    group.append(make("legend", "", say(`question_${name}`)));
    const scale = make("div", "scale");
    for (const value of SCALE) {
      const label = make("label");
      label.append(Object.assign(make("input"), { type: "radio", name, value }), String(value));
      scale.append(label);
    }
    group.append(scale);
    at("questions").append(group);
  }
  at("questions").addEventListener("change", () => session && store());
  task.labels.forEach((label, place) => at("legend").append(make("li", `tone-${place}`, called(label))));
}

async function open() {
  at("open").disabled = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: false, video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } },
    });
  } catch (error) {
    const known = { NotAllowedError: "camera_denied", NotFoundError: "camera_missing" };
    tell(say(known[error.name] ?? "camera_busy"), "bad");
    at("open").disabled = false;
    return;
  }
  stream.getVideoTracks()[0].addEventListener("ended", () => stream && close("camera_lost"));
  at("camera").srcObject = stream;
  await at("camera").play();
  session = { started: new Date().toISOString(), study: study.name, labels: task.labels, looks: [], answers: {} };
  at("light").hidden = false;
  at("ask").hidden = true;
  tell(say("camera_opened"));
  watch(stream, performance.now());
}

// A look, its picture thrown away, and the next one, as long as this stream is open.
async function watch(mine, start) {
  const points = [];
  while (stream === mine) {
    const begun = performance.now();
    const video = at("camera");
    const found = await judge(drawn(video, video.videoWidth, video.videoHeight, sheet), engine, task);
    if (stream !== mine) return;
    const second = (begun - start) / 1000;
    face = found.probabilities;
    at("seen").textContent = found.problem ? say(PROBLEMS[found.problem], { count: found.boxes?.length ?? 0 }) : say("seen_well");
    points.push({ time: second, values: face ? fused(task.labels, face, text) : null });
    if (face) session.looks.push({ second, face, together: points.at(-1).values });
    store();
    showNow();
    showLine(points);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY - (performance.now() - begun))));
  }
}

function close(why) {
  for (const track of stream.getTracks()) track.stop();
  stream = undefined;
  at("camera").srcObject = null;
  sheet.width = sheet.width; // empties it: not even the last picture stays
  if (session.looks.length) store();
  session = face = undefined;
  at("light").hidden = true;
  at("ask").hidden = false;
  at("open").disabled = false;
  at("seen").textContent = "";
  tell(say(why));
  showNow();
  showHistory();
}

function store() {
  session.answers = Object.fromEntries(new FormData(at("questions")).entries());
  if (session.looks.length) keep(session);
}

function showNow() {
  const names = task.labels.map(called);
  const said = text.words.length ? task.labels.map((label) => text[label] ?? 0) : null;
  bars(at("face"), names, face ?? null, percent);
  bars(at("text"), names, said, percent);
  bars(at("together"), names, face ? fused(task.labels, face, text) : said, percent);
  at("words-found").textContent = text.words.length
    ? say("text_found", { count: text.words.length, words: text.words.join(", ") }) : say("text_nothing");
}

function showLine(points) {
  at("timeline-empty").hidden = points.some(({ values }) => values);
  drawLines(at("timeline"), task.labels, points, (time) => say("seconds", { time: time.toFixed(0) }));
}

function showHistory() {
  const kept = sessions();
  const body = at("history").tBodies[0];
  body.replaceChildren(...kept.map(historyRow));
  at("history").hidden = !kept.length;
  at("history-empty").hidden = Boolean(kept.length);
  for (const id of ["export-csv", "export-json", "delete"]) at(id).disabled = !kept.length;
}

function historyRow({ started, labels, looks }) {
  const row = make("tr");
  const means = labels.map((_, place) => looks.reduce((sum, { together }) => sum + together[place], 0));
  const date = new Date(started).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  const cells = [
    date, (looks.at(-1).second / 60).toFixed(1), looks.length, called(labels[means.indexOf(Math.max(...means))]),
  ];
  row.append(...cells.map((value) => make("td", "", String(value))));
  return row;
}

function erase() {
  if (stream) close("camera_closed"); // else the next look would be kept again
  forget();
  at("questions").reset();
  at("words").value = "";
  text = sentiment("");
  showNow();
  showHistory();
  tell(say("deleted"));
}

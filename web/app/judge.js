// One picture, one answer: the face, its crop, the classes' probabilities, or why there is none.

import { cropBox, cut } from "./crop.js";
import { findFaces, plausible, side, turn } from "./detector.js";
import { toGrey } from "./pixels.js";

export const SURE = 0.75; // score of a face: renders and portraits have 0.85 and more
const RIVAL = 0.5; // of the largest face's area, as pipeline/faces/detect.py: a second face
const DARK = 32; // mean grey, of 255, below which little of a face is seen
const TURNED = 0.3; // some 25 degrees: the eye that is turned away is hardly seen
export const DOUBT = 0.6; // calibrated probability below which an answer is told as unsure

// {problem: "" | "none" | "two" | "dark" | "turned", box, crop, grey, probabilities, best, doubt}.
export async function judge(picture, engine, task) {
  const found = await findFaces(picture, (bytes) => engine.find(bytes));
  const faces = found.filter((face) => face.score >= SURE && plausible(face));
  if (!faces.length) return { problem: light(toGrey(picture)) < DARK ? "dark" : "none" };
  const rivals = faces.filter((face) => side(face) ** 2 >= RIVAL * side(faces[0]) ** 2);
  if (rivals.length > 1) return { problem: "two", boxes: rivals.map((face) => face.box) };
  return { ...(await answer(picture, faces[0], engine, task)), score: faces[0].score };
}

// The answer about one face that was found.
export async function answer(picture, face, engine, task) {
  const { box } = face;
  const crop = cut(picture, cropBox(box, engine.study.margin), task.size);
  const grey = toGrey(crop);
  const seen = { box, crop, turn: turn(face) };
  if (light(grey) < DARK) return { problem: "dark", ...seen };
  if (Math.abs(seen.turn) > TURNED) return { problem: "turned", ...seen };
  const input = task.channels === 3 ? crop : grey;
  const [probabilities] = await engine.probabilities(task, [input.data]);
  const best = probabilities.indexOf(Math.max(...probabilities));
  return { problem: "", ...seen, input, probabilities, best, doubt: probabilities[best] < DOUBT };
}

function light({ data }) {
  return data.reduce((sum, value) => sum + value, 0) / data.length;
}

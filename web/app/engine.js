// The networks of a study, run by onnxruntime in this page; nothing is sent anywhere.

import * as ort from "../vendor/ort.wasm.bundle.min.mjs";
import { SIDE } from "./detector.js";

const WASM = new URL("../vendor/ort-wasm-simd-threaded.wasm", import.meta.url).href;
const STUDY = new URL("../study/", import.meta.url).href;

ort.env.wasm.wasmPaths = { wasm: WASM };
ort.env.wasm.numThreads = 1; // more need headers that a plain host does not send
ort.env.logLevel = "error";

// What study/study.json says of the study.
export async function readStudy() {
  const answer = await fetch(`${STUDY}study.json`);
  if (!answer.ok) throw new Error(`study.json: ${answer.status}`);
  return answer.json();
}

export class Engine {
  constructor(study) {
    this.study = study;
    this.sessions = new Map();
  }

  // Load the detector and the network of a task, and run each once, so that the first answer is quick.
  async warm(task) {
    await this.find(new Uint8Array(SIDE * SIDE * 3));
    await this.probabilities(task, [new Uint8Array(task.size * task.size * task.channels)]);
  }

  // Rows of finds above the detector's threshold in SIDE x SIDE RGB bytes.
  async find(bytes) {
    const session = await this.session(this.study.detector.file);
    const input = new ort.Tensor("uint8", bytes, [1, SIDE, SIDE, 3]);
    const { finds } = await session.run({ picture: input });
    const rows = [];
    const [count, numbers] = finds.dims;
    for (let row = 0; row < count; row++) {
      const values = finds.data.subarray(row * numbers, (row + 1) * numbers);
      if (values[numbers - 1] >= this.study.detector.threshold) rows.push(Array.from(values));
    }
    finds.dispose();
    return rows;
  }

  // The calibrated probabilities of a task's classes, a list for each of several crops.
  async probabilities(task, crops) {
    const session = await this.session(task.file);
    const area = task.size * task.size * task.channels;
    const bytes = new Uint8Array(crops.length * task.window * area);
    crops.forEach((crop, number) => { // its window holds the picture in every place
      for (let frame = 0; frame < task.window; frame++) bytes.set(crop, (number * task.window + frame) * area);
    });
    const colours = task.channels > 1 ? [task.channels] : [];
    const input = new ort.Tensor("uint8", bytes, [crops.length, task.window, task.size, task.size, ...colours]);
    const { probabilities } = await session.run({ windows: input });
    const width = task.labels.length;
    const rows = crops.map((_, row) => Array.from(probabilities.data.subarray(row * width, (row + 1) * width)));
    probabilities.dispose();
    return rows;
  }

  async session(file) {
    if (!this.sessions.has(file)) {
      this.sessions.set(file, ort.InferenceSession.create(STUDY + file, { executionProviders: ["wasm"] }));
    }
    return this.sessions.get(file);
  }
}

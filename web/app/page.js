// What every page does first: words, the study's name, use without a network, and the engine.

import { Engine, readStudy } from "./engine.js";
import { say, speak } from "./words.js";

// Speak, keep the pages for use without a network, and give the study with an engine over it.
export async function begin() {
  speak();
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("sw.js").catch(() => {});
  const study = await readStudy();
  for (const element of document.querySelectorAll("[data-study]")) {
    element.textContent = study[element.dataset.study];
  }
  return { study, engine: new Engine(study) };
}

// Say how things stand, where it is read aloud too.
export function tell(text, kind = "") {
  const line = document.querySelector("#status");
  line.textContent = text;
  line.dataset.kind = kind;
}

// Run `body`; what goes wrong in it is said on the page.
export async function sayingErrors(body) {
  try {
    await body();
  } catch (error) {
    tell(say("broken", { why: error.message }), "bad");
    throw error;
  }
}

// A new element with text and class.
export function make(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

// The page's sentences in the person's language, put into the elements that name them.

import { en } from "./words.en.js";
import { de } from "./words.de.js";

const LANGUAGES = { en, de };
const KEY = "pallor-language";

export const language = chosen();

function chosen() {
  const kept = localStorage.getItem(KEY);
  if (kept in LANGUAGES) return kept;
  const wanted = navigator.languages.map((name) => name.slice(0, 2));
  return wanted.find((name) => name in LANGUAGES) ?? "en";
}

// The sentence `key`, with {name} replaced by a value.
export function say(key, values = {}) {
  const text = LANGUAGES[language][key];
  if (text === undefined) throw new Error(`no words for '${key}'`);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// The name of a task's class for people; a class that the words do not know keeps its own.
export function called(label, task = "") {
  const words = LANGUAGES[language];
  return words[`label_${task}_${label}`] ?? words[`label_${label}`] ?? label.replaceAll(/[_-]/g, " ");
}

export function percent(share) {
  return new Intl.NumberFormat(language, { style: "percent" }).format(share);
}

// Put words into every element with data-say (text), data-label (aria-label) or data-hint (placeholder).
export function speak(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
  }
  for (const element of root.querySelectorAll("[data-hint]")) element.placeholder = say(element.dataset.hint);
  const select = root.querySelector("#language");
  if (!select) return;
  for (const [name, words] of Object.entries(LANGUAGES)) select.add(new Option(words.language, name));
  select.value = language;
  select.addEventListener("change", () => {
    localStorage.setItem(KEY, select.value);
    location.reload();
  });
}

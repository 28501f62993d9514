// Small helpers: elements, questions to the server, words for people.

// A new element with attributes and children; texts become text, never markup.
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// The answer to a question; what the server refuses is thrown as its own sentence.
export async function ask(path) {
  let answer;
  try {
    answer = await fetch(path);
  } catch {
    throw new Error("The server does not answer; start `pallor view` again.");
  }
  const body = await answer.json().catch(() => ({ error: `the server failed (${answer.status})` }));
  if (!answer.ok) throw new Error(body.error ?? `the server failed (${answer.status})`);
  return body;
}

// Say how things stand, where it is read aloud too.
export function tell(text, kind = "") {
  const line = document.querySelector("#status");
  line.textContent = text;
  line.dataset.kind = kind;
}

// Run `body`; what goes wrong is said on the page.
export async function saying(body) {
  try {
    await body();
  } catch (error) {
    tell(error.message, "bad");
  }
  document.documentElement.dataset.ready = "yes";
}

export const percent = (share) => (share === null || share === undefined ? "–" : `${Math.round(100 * share)} %`);
export const years = (age) => (age === null || age === undefined ? "age unknown" : `${Math.round(age)} years`);
// "ID" or "ID@REVISION" > {id, revision, about, strip}: where the server answers about it.
export function named(text) {
  const [, id, revision = ""] = /^([^@]*)@?(.*)$/.exec(text);
  const asked = revision ? `?revision=${encodeURIComponent(revision)}` : "";
  return { id, revision, about: `/api/clip/${encodeURIComponent(id)}${asked}`, strip: (clip) => `/strip/${encodeURIComponent(revision ? id : clip)}.webp${asked}` };
}

export const page = (clip) => `clip.html?id=${encodeURIComponent(clip)}`;
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

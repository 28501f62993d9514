// The grid: pages of clips that fit the filters, which stand in the address too.

import { ask, calm, make, page, percent, saying, tell, years } from "./dom.js";

const NAMES = {
  label: "Label", band: "Age", sex: "Sex", tone: "Skin tone", condition: "Condition", severity: "Severity",
  unit: "Unit", side: "Side of the split", status: "Status", reason: "Quarantined for", error: "Error of the model",
  kind: "Kind", expression: "Expression", cohort: "Cohort", identity: "Person (id or key)",
};
const ORDERS = {
  id: "by id", worst: "worst predicted first", best: "best predicted first", oldest: "oldest first", youngest: "youngest first",
};
const RANGES = { severity: ["from", "to"], error: ["from", "to"] };
const state = new URLSearchParams(location.search);
const by = (id) => document.querySelector(id);
let about;
let playing = false;
let question = 0; // the answer to an older question than the last is not shown

await saying(async () => {
  const first = ask(`/api/clips?${state}`).catch((error) => error); // asked beside the first question
  about = await ask("/api/about");
  document.title = `Pallor: ${about.study}`;
  by("#title").textContent = about.title;
  by("#question").textContent = about.question;
  sayCounts();
  build();
  by("#order").append(...about.orders.map((name) => make("option", { value: name }, ORDERS[name] ?? name)));
  by("#order").value = state.get("order") ?? "id";
  by("#order").addEventListener("change", () => change("order", by("#order").value));
  by("#before").addEventListener("click", () => turn(-1));
  by("#after").addEventListener("click", () => turn(1));
  by("#play").addEventListener("click", playAll);
  by("#pair-none").addEventListener("click", () => pick([]));
  if (matchMedia("(max-width: 52rem)").matches) by("#filters").open = false;
  showPair();
  await show(first);
});

function sayCounts() {
  const { kept = 0, quarantined = 0, planned = 0 } = about.counts;
  by("#counts").textContent = `${about.study}: ${kept} kept, ${quarantined} quarantined, ${planned} only planned`;
  const total = kept + quarantined + planned;
  if (about.films < total) {
    by("#half").hidden = false;
    by("#half").textContent =
      `The corpus is half made: ${about.films} of ${total} clips have a film here. ` +
      `\`pallor run --study ${about.study}\` makes the others.`;
  }
}

// The form of all filters that this corpus has words for.
function build() {
  const fields = [];
  for (const [name, title] of Object.entries(NAMES)) {
    if (name in RANGES) fields.push(range(name, title));
    else if (name === "unit") fields.push(unit(title));
    else if (name === "identity") fields.push(text(name, title));
    else if (about.choices[name]?.length) fields.push(choice(name, title, about.choices[name]));
  }
  const clear = make("button", { type: "button", class: "button plain" }, "Clear filters");
  clear.addEventListener("click", () => {
    location.search = "";
  });
  by("#form").append(...fields.filter(Boolean), clear);
  by("#form").addEventListener("submit", (event) => event.preventDefault());
}

function choice(name, title, words) {
  const select = make("select", { name }, make("option", { value: "" }, "any"));
  select.append(...words.map((word) => make("option", { value: word }, word)));
  select.value = state.get(name) ?? "";
  select.addEventListener("change", () => change(name, select.value));
  return make("label", {}, title, select);
}

function text(name, title) {
  const input = make("input", { name, type: "text", value: state.get(name) ?? "", autocomplete: "off" });
  input.addEventListener("change", () => change(name, input.value.trim()));
  return make("label", {}, title, input);
}

function range(name, title, read = (value) => value, write = (value) => value) {
  if (name === "severity" && !about.choices.condition?.length) return null;
  const [low = "", high = ""] = read(state.get(name) ?? "").split(":");
  const ends = [low, high].map((value, end) =>
    make("input", { type: "number", min: 0, max: 1, step: 0.05, value, "aria-label": `${title}, ${end ? "to" : "from"}`, placeholder: end ? "to" : "from" }),
  );
  const said = () => (ends[0].value || ends[1].value ? `${ends[0].value}:${ends[1].value}` : "");
  for (const input of ends) input.addEventListener("change", () => change(name, write(said())));
  return make("label", {}, title, make("span", { class: "pairs" }, ...ends));
}

// A unit, a side and how far it goes: 12L=0.5:
function unit(title) {
  const units = about.choices.unit ?? [];
  if (!units.length) return null;
  const [, named = "", side = "", span = ""] = /^(\w+?)([LR]?)=(.*)$/.exec(state.get("unit") ?? "") ?? [];
  const which = make("select", { "aria-label": title, name: "unit" }, make("option", { value: "" }, "any"));
  which.append(...units.map((name) => make("option", { value: name }, `AU ${name}`)));
  which.value = named;
  const sides = make("select", { "aria-label": `${title}, side` });
  sides.append(...[["", "either"], ["L", "own left"], ["R", "own right"]].map(([value, word]) => make("option", { value }, word)));
  sides.value = side;
  const ends = span.split(":");
  const inputs = ["from", "to"].map((word, end) =>
    make("input", { type: "number", min: 0, max: 1, step: 0.05, value: ends[end] ?? "", placeholder: word, "aria-label": `${title}, ${word}` }),
  );
  const changed = () => {
    const low = inputs[0].value || (inputs[1].value ? "" : "0.1");
    change("unit", which.value ? `${which.value}${sides.value}=${low}:${inputs[1].value}` : "");
  };
  for (const input of [which, sides, ...inputs]) input.addEventListener("change", changed);
  const group = make("div", { class: "pairs", role: "group", "aria-label": title }, which, sides, ...inputs);
  const name = make("span", { "aria-hidden": "true" }, title);
  return make("div", { class: "unit" }, make("label", {}, name), group);
}

function change(name, value) {
  if (value) state.set(name, value);
  else state.delete(name);
  state.delete("page");
  show();
}

function turn(way) {
  state.set("page", Number(state.get("page") ?? 1) + way);
  show().then(() => by("#content").scrollIntoView());
}

async function show(asked = ask(`/api/clips?${state}`)) {
  const number = ++question;
  history.replaceState(null, "", state.size ? `?${state}` : location.pathname);
  const chosen = Object.keys(NAMES).filter((name) => state.has(name)).length;
  by("#chosen").textContent = chosen ? `${chosen} set` : "";
  try {
    const found = await asked;
    if (found instanceof Error) throw found;
    if (number === question) draw(found);
  } catch (error) {
    if (number !== question) return;
    tell(error.message, "bad");
    by("#clips").replaceChildren();
    by("#place").textContent = "";
    by("#before").disabled = by("#after").disabled = true;
  }
}

function draw(found) {
  const last = Math.max(1, Math.ceil(found.total / found.size));
  tell(found.total === 1 ? "1 clip fits." : found.total ? `${found.total.toLocaleString("en")} clips fit.` : "No clip fits; take a filter away.");
  if (unasked(found)) tell(`${by("#status").textContent} No model was tested on them, so they stand by id.`);
  by("#place").textContent = `Page ${found.page} of ${last.toLocaleString("en")}`;
  by("#before").disabled = found.page <= 1;
  by("#after").disabled = found.page >= last;
  by("#clips").replaceChildren(...found.clips.map(card));
  if (playing) begin();
}

// Are clips to stand by an error that none of them has? Those without one come last.
function unasked({ clips, page }) {
  const byError = ["worst", "best"].includes(state.get("order"));
  return byError && page === 1 && clips.length > 0 && clips[0].error === null;
}

function card(clip) {
  const seen = clip.film ? moving(clip) : make("div", { class: "gone" }, gone(clip));
  const facts = [clip.sex, years(clip.age), clip.tone && `${clip.tone} skin`].filter(Boolean).join(", ");
  const tags = make("span", { class: "tags" });
  if (clip.kind === "transfer") tags.append(make("span", { class: "tag" }, "transfer"), " ");
  if (clip.status === "quarantined") tags.append(make("span", { class: "tag warn" }, clip.reason ?? "quarantined"), " ");
  if (clip.error !== null) tags.append(make("span", { class: clip.error >= 0.5 ? "tag bad" : "tag" }, `error ${percent(clip.error)}`));
  const said = make("div", { class: "said" }, make("strong", {}, clip.label ?? clip.expression), make("span", { class: "small quiet" }, facts), make("span", { class: "id quiet" }, clip.id), tags);
  const link = make("a", { href: page(clip.id) }, seen, said);
  const tick = make("input", { type: "checkbox", id: `pick-${clip.id}` });
  tick.checked = picked().includes(clip.id);
  tick.addEventListener("change", () => pick(tick.checked ? [...picked(), clip.id].slice(-2) : picked().filter((id) => id !== clip.id)));
  const pickable = make("span", { class: "pick" }, tick, make("label", { for: tick.id }, "compare", make("span", { class: "unseen" }, ` ${clip.id}`)));
  const item = make("li", { class: "clip" }, link, pickable);
  item.dataset.id = clip.id;
  return item;
}

function gone(clip) {
  return clip.status === "planned" ? "not rendered yet" : "the film is gone; `dvc checkout` or `pallor run` brings it back";
}

function moving(clip) {
  const video = make("video", { preload: "none", muted: true, loop: true, playsinline: true, poster: `/still/${clip.id}.webp`, src: `/twin/${clip.id}.mp4`, "aria-hidden": "true", tabindex: -1 });
  video.muted = true; // the attribute alone does not mute what a script plays
  video.addEventListener("error", () => failed(video, clip));
  const start = () => calm() || video.play().catch(() => {});
  const stop = () => playing || video.pause();
  queueMicrotask(() => {
    const link = video.closest("a");
    for (const event of ["mouseenter", "focus"]) link?.addEventListener(event, start);
    for (const event of ["mouseleave", "blur"]) link?.addEventListener(event, stop);
  });
  return video;
}

// Why a twin does not play: the server says so, or the browser lacks the decoder.
async function failed(video, clip) {
  const place = make("div", { class: "gone" }, "…");
  video.replaceWith(place);
  try {
    await ask(`/twin/${clip.id}.mp4?why=1`);
    place.textContent = "";
  } catch (error) {
    place.textContent = error.message;
  }
  if (!place.textContent || place.textContent.startsWith("the server failed (2")) {
    place.textContent = "This browser cannot play H.264; the clip's own page shows its frames.";
  }
}

function playAll() {
  playing = !playing;
  by("#play").setAttribute("aria-pressed", playing);
  by("#play").textContent = playing ? "Stop all" : "Play all";
  if (playing) begin();
  else for (const video of document.querySelectorAll(".clip video")) video.pause();
}

// Only what is on the screen plays: two dozen decoders at once are enough.
const watcher = new IntersectionObserver((seen) => {
  for (const { target, isIntersecting } of seen) {
    if (playing && isIntersecting) target.play().catch(() => {});
    else target.pause();
  }
});

function begin() {
  watcher.disconnect();
  for (const video of document.querySelectorAll(".clip video")) watcher.observe(video);
}

function picked() {
  return JSON.parse(sessionStorage.getItem("pallor-pair") ?? "[]");
}

function pick(ids) {
  sessionStorage.setItem("pallor-pair", JSON.stringify(ids));
  for (const item of document.querySelectorAll(".clip")) item.querySelector("input").checked = ids.includes(item.dataset.id);
  showPair();
}

function showPair() {
  const [first, second] = picked();
  by("#pair").hidden = !first;
  by("#pair-said").textContent = second ? `${first} and ${second}` : `${first}: choose a second clip to compare it with`;
  by("#pair-go").hidden = !second;
  by("#pair-go").href = `compare.html?a=${first}&b=${second}`;
}

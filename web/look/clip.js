// All about one clip.

import { ask, make, page, percent, saying, tell, years } from "./dom.js";
import { drawBox, drawMarks, player, View } from "./frames.js";
import { linesOf, plots } from "./units.js";

const by = (id) => document.querySelector(id);
const id = new URLSearchParams(location.search).get("id") ?? "";

await saying(async () => {
  if (!id) throw new Error("The address names no clip; choose one from all clips.");
  if (document.referrer.startsWith(`${location.origin}/index.html`) || document.referrer.startsWith(`${location.origin}/?`)) {
    by("#back").href = document.referrer;
  }
  const about = await ask(`/api/clip/${encodeURIComponent(id)}`);
  const { clip, truth } = about;
  document.title = `Pallor: ${clip.id}`;
  by("#title").textContent = clip.id;
  by("#kind").textContent = [clip.kind === "transfer" ? "a portrait set in motion" : "an avatar", clip.label].filter(Boolean).join(", ");
  facts(about);
  versions();
  answers(about);
  beside(about);
  const move = units(truth);
  await frames(about, move);
  lineage();
  by("#ask-why").addEventListener("click", () => why(about));
});

function facts({ clip, conditions }) {
  const rows = {
    Key: clip.key, Label: clip.label, Expression: clip.expression, Status: clip.status,
    Quarantined: clip.reason && `${clip.reason}: ${clip.detail}`,
    "Who is seen": [clip.subject, clip.sex, years(clip.age), clip.ethnicity].filter(Boolean).join(", "),
    "Who performs": clip.person, "Skin tone": clip.tone,
    Conditions: conditions.map((row) => `${row.kind}, severity ${row.severity.toFixed(2)}, ${row.side}`).join("; ") || "none",
    Numbers: clip.targets === "{}" ? "" : clip.targets, Cohort: clip.cohort, Camera: clip.camera,
    "Learnt from": clip.trained ? "yes" : "no, only asked about", Seed: clip.seed,
  };
  by("#facts").replaceChildren(
    ...Object.entries(rows).filter(([, value]) => value !== null && value !== undefined && value !== "")
      .flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]),
  );
}

// The versions that git knows, to lay this clip beside.
async function versions() {
  const form = by("#versions");
  try {
    const found = await ask("/api/versions");
    if (!found.length) throw new Error("No version of this corpus is in git yet.");
    const select = make("select", { id: "revision" }, ...found.map(({ revision, said }) => make("option", { value: revision }, said)));
    form.append(make("label", { for: "revision" }, "Beside it as of"), select, make("button", { class: "button plain" }, "Compare"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      location.href = `compare.html?a=${encodeURIComponent(`${id}@${select.value}`)}&b=${encodeURIComponent(id)}`;
    });
  } catch (error) {
    form.replaceChildren(make("p", { class: "quiet" }, error.message));
  }
}

async function frames({ clip, film, crop, truth, boxes }, move) {
  const views = [];
  const marks = by("#marks");
  const box = by("#box");
  const draw = (context, number, scale) => {
    if (marks.checked && truth.landmarks_px?.[number]) drawMarks(context, truth.landmarks_px[number], truth.landmarks_visible?.[number], scale);
    if (box.checked && boxes[number]) drawBox(context, boxes[number], scale);
  };
  marks.disabled = !truth.landmarks_px;
  box.disabled = !boxes.length;
  if (!truth.landmarks_px) marks.checked = false;
  if (!boxes.length) box.checked = false;
  if (film.error) by("#whole").prepend(make("p", { class: "kind" }, film.error));
  else views.push(new View(by("#whole"), film, `/strip/${clip.id}.webp`, `whole frame of ${clip.id}`, draw));
  if (crop.error) by("#crop").hidden = true;
  else views.push(new View(by("#crop"), crop, `/strip/${clip.id}.webp?crop=1`, `crop of ${clip.id}`));
  if (!views.length) return;
  await Promise.all(views.map((view) => view.loaded));
  const moved = player(by("#player"), views, move);
  for (const input of [marks, box]) input.addEventListener("change", moved.again);
}

function units(truth) {
  if (truth.error) {
    by("#units-said").textContent = truth.error;
    by("#units-key").hidden = true;
    return () => {};
  }
  by("#units-said").textContent = truth.own
    ? "What the face shows, from 0 to 1 (FACS level E), as the truth file has it."
    : "Of the clip that drives it; what the portrait shows was never measured.";
  const rows = truth.units.map((unit, index) => ({ ...unit, lines: linesOf(truth, index) }));
  return plots(by("#units"), rows, truth.executed.length);
}

function answers({ answers: rows, clip }) {
  if (!rows.length) {
    by("#answers").append(make("p", { class: "quiet" }, "No model was tested on this clip."));
    return;
  }
  const body = rows.map((row) =>
    make("tr", {},
      make("td", {}, [row.task, row.model, row.draw].join(" ")), make("td", {}, String(row.start ?? "")),
      make("td", {}, make("span", { class: row.predicted === row.label ? "tag" : "tag bad" }, row.predicted)),
      make("td", {}, row.label), make("td", {}, percent(row.sure))));
  const head = ["Task, model, draw", "From frame", "Said", "Truth", "Truth's share"].map((name) => make("th", { scope: "col" }, name));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
  const error = clip.error === null ? null : make("p", {}, `Error of the study's main model: ${percent(clip.error)}`);
  by("#answers").append(...[error].filter(Boolean), make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Answers" }, table));
}

function beside({ clip, beside: found }) {
  const where = by("#beside");
  const sides = found.sides.length ? `${found.sides.join(" and ")} in ${found.draw}` : "on no side of a split yet";
  where.append(make("p", {}, "This clip is ", make("strong", {}, sides), "."));
  if (found.driver) {
    const list = people([found.driver], ({ sides: held }) => held.join(" and "));
    where.append(section("Its driver", list, compareWith(found.driver.id)));
  }
  if (found.portrait) {
    const image = make("img", { src: `/portrait/${found.portrait.id}.png`, alt: `portrait ${found.portrait.key}`, loading: "lazy" });
    where.append(section("Its portrait", make("ul", { class: "people" }, make("li", {}, image, `${found.portrait.key}, ${found.portrait.licence}`))));
  }
  const { same } = found;
  const other = same.count
    ? people(same.other, (row) => row.side)
    : make("p", {}, "None: nobody in it stands on both sides.");
  const more = same.count > same.other.length ? make("p", { class: "small quiet" }, `and ${same.count - same.other.length} more`) : null;
  where.append(section("The same people on the other side", other, more));
  where.append(make("p", { class: "small quiet" }, `${same.own} other clips of them stand on its own side.`));
  if (found.alike.length) {
    where.append(section("People learnt from who are most like who is seen (same label; then sex, group, age)", people(found.alike, (row) => years(row.age))));
  }
}

function section(title, ...content) {
  return make("div", {}, make("h3", {}, title), ...content);
}

function compareWith(other) {
  return make("p", {}, make("a", { href: `compare.html?a=${id}&b=${other}` }, "Compare with it"));
}

function people(rows, said) {
  return make("ul", { class: "people" }, ...rows.map((row) =>
    make("li", {}, make("a", { href: page(row.id) },
      make("img", { src: `/still/${row.id}.webp`, alt: "", loading: "lazy" }), row.id), make("br"), [row.label, said(row)].filter(Boolean).join(", "))));
}

async function lineage() {
  const place = by("#lineage");
  try {
    const found = await ask(`/api/lineage/${encodeURIComponent(id)}`);
    const leads = found.leads_to;
    const to = [
      ...leads["first clips"].map((name) => ["clip", name]),
      ...leads.samples.map((row) => [`${row.task}, ${row.draw}: ${row.side}`, `${row.windows} windows, ${row.copies} copies`]),
      ...leads.models.map((name) => ["model that learnt from it", name]), ...leads.metrics.map((name) => ["figure that tests it", name]),
    ];
    if (leads.clips > leads["first clips"].length) to.push(["clip", `and ${leads.clips - leads["first clips"].length} more`]);
    const from = found.made_from.map((row) => [row.role, row.id ?? row.name ?? row.path ?? ""]);
    const files = found.files.map((row) => make("li", {}, `${row.path}: ${row.state}`));
    place.replaceChildren(
      make("ul", { class: "sources", "aria-label": "made from" }, ...from.map(box)),
      make("div", { class: "self" }, make("span", { class: "role" }, found.kind), found.id),
      make("ul", { "aria-label": "leads to" }, ...(to.length ? to : [["", "nothing yet"]]).map(box)));
    place.after(make("details", { class: "small" }, make("summary", {}, "Its files"), make("ul", {}, ...files)));
  } catch (error) {
    place.replaceChildren(make("p", { class: "quiet" }, error.message));
  }
}

function box([role, name]) {
  const linked = /^(clip|transfer)-/.test(name) ? make("a", { href: page(name) }, name) : name;
  return make("li", {}, make("span", { class: "role" }, role), linked);
}

// What the main model's answer loses when a frame, or a part of all frames, is covered.
async function why({ clip, crop }) {
  const place = by("#why");
  by("#ask-why").disabled = true;
  place.replaceChildren(make("p", { class: "quiet" }, "Covering frames and parts in turn, some seconds…"));
  try {
    const found = await ask(`/api/why/${encodeURIComponent(clip.id)}`);
    const most = Math.max(...found.frames, 1e-6);
    const figure = make("figure", { class: "why" });
    const heat = (context, _, scale) => {
      const cells = found.parts.length;
      const side = (crop.width * scale) / cells;
      const top = Math.max(...found.parts.flat(), 1e-6);
      found.parts.forEach((row, y) => row.forEach((loss, x) => {
        context.fillStyle = `rgba(214, 40, 40, ${0.6 * Math.max(0, loss / top)})`;
        context.fillRect(x * side, y * side, side, side);
      }));
    };
    const view = new View(figure, crop, `/strip/${clip.id}.webp?crop=1`, `parts of the crop that decided`, heat);
    await view.loaded;
    view.show(found.frames.indexOf(Math.max(...found.frames)));
    const bars = found.frames.map((loss, number) => make("li", { class: "bar" },
      make("span", {}, `frame ${number}`), make("span", { class: "bar-value" }, `${(-100 * loss).toFixed(1)} points`),
      make("meter", { min: 0, max: most, value: Math.max(0, loss), "aria-label": `weight of frame ${number}` })));
    figure.append(make("figcaption", { class: "small quiet" }, "What is red costs the answer most when it is covered."));
    place.replaceChildren(
      make("p", {}, `${found.model} ${found.draw} says ${found.label}, ${percent(found.share)}: ${found.sentence}.`),
      make("div", { class: "halves even" }, figure, make("ol", { class: "bars", "aria-label": "Frames" }, ...bars)));
  } catch (error) {
    place.replaceChildren(make("p", { class: "kind" }, error.message));
  }
}

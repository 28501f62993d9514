// Two clips, or two versions of one, side by side: one player, what differs, units over each other.

import { ask, make, named, page, percent, saying, tell } from "./dom.js";
import { Difference, player, View } from "./frames.js";
import { further, plots } from "./units.js";

const by = (id) => document.querySelector(id);
const asked = new URLSearchParams(location.search);

await saying(async () => {
  const texts = ["a", "b"].map((key) => asked.get(key));
  if (texts.some((text) => !text)) throw new Error("The address names no two clips; tick two of all clips and compare them.");
  const names = texts.map(named);
  const both = await Promise.all(names.map(({ about }) => ask(about)));
  const versions = names.some(({ revision }) => revision);
  if (versions) document.title = by("h1").textContent = "Two versions side by side";
  facts(both);
  const move = units(both);
  const views = both.flatMap(({ clip, film }, place) => {
    const caption = make("figcaption", { class: "small" }, make("a", { href: page(clip.id) }, clip.id), ` ${clip.label ?? ""}`);
    if (versions) caption.append(make("br"), clip.version ?? "the workspace");
    const figure = make("figure", {}, caption);
    by("#stage").append(figure);
    if (film.error) {
      figure.prepend(make("p", { class: "kind" }, film.error));
      return [];
    }
    return [new View(figure, film, names[place].strip(clip.id), `whole frame of ${clip.id}`)];
  });
  if (!views.length) return;
  tell("The frames are on their way…");
  await Promise.all(views.map((view) => view.loaded));
  tell("");
  if (versions && views.length === 2) views.push(...difference(views));
  player(by("#player"), views, move);
});

// The view of what two versions differ by; none where they cannot be laid over each other.
function difference([first, second]) {
  const said = make("figcaption", { class: "small" });
  const figure = make("figure", {}, said);
  by("#stage").append(figure);
  const shape = ({ film }) => `${film.frames * film.step} frames of ${film.width} x ${film.height} px`;
  if (shape(first) !== shape(second)) {
    said.textContent = `No difference is drawn: ${shape(second)} against ${shape(first)}.`;
    return [];
  }
  const drawn = new Difference(figure, first, second);
  by("#stage").classList.replace("two", "three");
  said.textContent = drawn.most
    ? `Difference, frame ${drawn.worst} the most: ${drawn.most} of 255 levels, drawn as white`
    : "No difference: every pixel of every frame is the same";
  return [drawn];
}

function facts(both) {
  const [first, second] = both.map(({ clip, conditions }) => ({
    ...clip, ...("error" in clip ? { error: percent(clip.error) } : {}),
    conditions: conditions.map((row) => `${row.kind} ${row.severity.toFixed(2)} ${row.side}`).join("; ") || "none",
  }));
  const names = Object.keys(first).filter((name) => name in second && first[name] !== second[name]);
  const text = (value) => make("td", {}, value === null || value === undefined ? "–" : String(value));
  const rows = names.map((name) => make("tr", {}, make("th", { scope: "row" }, name), text(first[name]), text(second[name])));
  const head = make("tr", {}, make("th", { scope: "col" }, "of"), make("th", { scope: "col" }, "first"), make("th", { scope: "col" }, "second"));
  const equal = make("tr", {}, make("td", { colspan: 3 }, "Nothing that the plan says of them."));
  by("#facts").append(make("thead", {}, head), make("tbody", {}, ...(rows.length ? rows : [equal])));
}

function units(both) {
  const truths = both.map(({ truth }) => truth);
  for (const [key, { clip }] of [["#key-a", both[0]], ["#key-b", both[1]]]) {
    by(key).textContent = both.some(({ clip: { version } }) => version) ? clip.version ?? "the workspace" : clip.id;
  }
  const known = truths.find((truth) => truth.units);
  if (!known) {
    by("#units").textContent = truths[0].error;
    return () => {};
  }
  const rows = known.units.map((unit) => ({
    ...unit,
    lines: truths.map((truth, place) => ({ name: ["first", "second"][place], values: further(truth, unit.unit), className: `line tone-${place ? 0 : 5}` }))
      .filter(({ values }) => values),
  }));
  return plots(by("#units"), rows, known.executed.length);
}

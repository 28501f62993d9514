// Two clips side by side: one player, what differs, units over each other.

import { ask, make, page, percent, saying } from "./dom.js";
import { player, View } from "./frames.js";
import { further, plots } from "./units.js";

const by = (id) => document.querySelector(id);
const asked = new URLSearchParams(location.search);

await saying(async () => {
  const names = ["a", "b"].map((key) => asked.get(key));
  if (names.some((name) => !name)) throw new Error("The address names no two clips; tick two of all clips and compare them.");
  const both = await Promise.all(names.map((name) => ask(`/api/clip/${encodeURIComponent(name)}`)));
  facts(both);
  const move = units(both);
  const views = both.flatMap(({ clip, film }) => {
    const figure = make("figure", {}, make("figcaption", { class: "small" }, make("a", { href: page(clip.id) }, clip.id), ` ${clip.label ?? ""}`));
    by("#stage").append(figure);
    if (film.error) {
      figure.prepend(make("p", { class: "kind" }, film.error));
      return [];
    }
    return [new View(figure, film, `/strip/${clip.id}.webp`, `whole frame of ${clip.id}`)];
  });
  if (!views.length) return;
  await Promise.all(views.map((view) => view.loaded));
  player(by("#player"), views, move);
});

function facts(both) {
  const [first, second] = both.map(({ clip, conditions }) => ({
    ...clip, error: percent(clip.error),
    conditions: conditions.map((row) => `${row.kind} ${row.severity.toFixed(2)} ${row.side}`).join("; ") || "none",
  }));
  const names = Object.keys(first).filter((name) => first[name] !== second[name]);
  const text = (value) => make("td", {}, value === null || value === undefined ? "–" : String(value));
  const rows = names.map((name) => make("tr", {}, make("th", { scope: "row" }, name), text(first[name]), text(second[name])));
  const head = make("tr", {}, make("th", { scope: "col" }, "of"), make("th", { scope: "col" }, "first"), make("th", { scope: "col" }, "second"));
  const equal = make("tr", {}, make("td", { colspan: 3 }, "Nothing: both are one clip."));
  by("#facts").append(make("thead", {}, head), make("tbody", {}, ...(rows.length ? rows : [equal])));
}

function units(both) {
  const truths = both.map(({ truth }) => truth);
  by("#key-a").textContent = both[0].clip.id;
  by("#key-b").textContent = both[1].clip.id;
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

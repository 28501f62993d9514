// Late fusion of what the camera and the typed words say; pipeline/evaluation/fusion.py has the same.

// Bayes' rule: the face's answer is the belief before the words are read. A class that words cannot
// name goes with words as a neutral person does.
export function fused(labels, face, text) {
  const pooled = labels.map((label, place) => face[place] * (text[label] ?? text.neutral));
  const total = pooled.reduce((sum, value) => sum + value, 0);
  return pooled.map((value) => value / total);
}

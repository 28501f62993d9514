// What is kept of sessions, on this device alone: times, probabilities and the numbers chosen.

const KEY = "pallor-sessions";

export function sessions() {
  return JSON.parse(localStorage.getItem(KEY) ?? "[]");
}

// {started: ISO time, study, labels, looks: [{second, face, together}], answers: {question: 0 to 4}}.
export function keep(session) {
  const others = sessions().filter(({ started }) => started !== session.started);
  localStorage.setItem(KEY, JSON.stringify([...others, session]));
}

export function forget() {
  localStorage.removeItem(KEY);
}

// A row a look, as a clinician's spreadsheet takes it.
export function rows(kept) {
  const labels = [...new Set(kept.flatMap((session) => session.labels))];
  const questions = [...new Set(kept.flatMap((session) => Object.keys(session.answers)))];
  const head = [
    "session", "second", ...labels.map((label) => `face_${label}`),
    ...labels.map((label) => `together_${label}`), ...questions.map((name) => `answer_${name}`),
  ];
  const number = (session, values) => labels.map((label) => {
    const value = values[session.labels.indexOf(label)];
    return value === undefined ? "" : value.toFixed(4);
  });
  const body = kept.flatMap((session) => session.looks.map((look) => [
    session.started, look.second.toFixed(1), ...number(session, look.face),
    ...number(session, look.together), ...questions.map((name) => session.answers[name] ?? ""),
  ]));
  return [head, ...body];
}

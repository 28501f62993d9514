"""The page and Python give the same answer on the same picture, boxes included."""

import base64
import io

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from pipeline.evaluation.fusion import fused, sentiment
from pipeline.exports.parts import lexicon
from pipeline.media.video import read_clip

ASK = """async ([bytes, taskName]) => {
  const { Engine, readStudy } = await import("./app/engine.js");
  const { judge } = await import("./app/judge.js");
  const { openFile } = await import("./app/pictures.js");
  const study = await readStudy();
  window.engine ??= new Engine(study);
  const task = study.tasks.find(({ name }) => name === taskName);
  const blob =
    new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], { type: "image/png" });
  const { frames } = await openFile(new File([blob], "a.png", { type: "image/png" }));
  const { value } = await frames.next();
  const found = await judge(value.picture, window.engine, task);
  return { box: found.box, problem: found.problem, probabilities: found.probabilities,
           labels: task.labels };
}"""


def pictures(root):
    """Rendered frames, and a real portrait as it is, odd, wide and tall."""
    for number, frame in enumerate(read_clip(root / "tests/data/faces/turn.mp4")):
        yield f"turn {number}", frame
        large = cv2.resize(frame, (300 + number, 300 + number), interpolation=cv2.INTER_CUBIC)
        yield f"large turn {number}", large
    person = astronaut()
    yield "portrait", person
    yield "odd portrait", person[:357, 60:417]
    yield "wide portrait", person[:300]
    yield "tall portrait", person[:420, 80:370]


def png(picture):
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


@pytest.mark.parametrize(("study", "task"), [("mood", "mood"), ("synkinesis", "synkinesis")])
def test_page_and_python_agree(visiting, python_answer, request, study, task):
    apart = {}  # picture > the largest difference of a probability
    with visiting(study) as visit:
        page = visit.open("upload.html")
        for name, picture in pictures(request.config.rootpath):
            said = page.evaluate(ASK, [png(picture), task])
            if said["problem"] == "none":
                continue
            box, probabilities = python_answer(study, task, picture)
            assert np.abs(box - said["box"]).max() < 0.05, name
            if said["problem"]:
                continue
            ours = [probabilities[label] for label in said["labels"]]
            apart[name] = float(np.abs(np.array(said["probabilities"]) - ours).max())
    worst = max(apart, key=lambda name: apart[name])
    assert apart[worst] <= 1e-3, worst
    assert len(apart) >= 15


TEXTS = [
    "",
    "I am not happy, and tired.",
    "A wonderful, lovely day! Didn’t hurt.",
    "no pain, no gain",
]
POOL = """async ([labels, face, texts]) => {
  const { sentiment } = await import("./app/sentiment.js");
  const { fused } = await import("./app/fusion.js");
  return texts.map((text) => [sentiment(text).words, fused(labels, face, sentiment(text))]);
}"""


def test_page_and_python_fuse_alike(visiting, parts):
    words = lexicon(parts)
    labels, face = ["negative", "neutral", "other", "positive"], [0.5, 0.2, 0.2, 0.1]
    with visiting("mood") as visit:
        said = visit.open("index.html").evaluate(POOL, [labels, face, TEXTS])
    for text, (found, pooled) in zip(TEXTS, said, strict=True):
        ours = sentiment(text, words)
        assert found == ours.words
        assert pooled == pytest.approx(fused(labels, np.array(face), ours), abs=1e-9)

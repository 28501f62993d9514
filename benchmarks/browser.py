"""How fast and how steady the mood page is in a real browser, and whether it agrees with Python.

`python -m benchmarks.browser [--frames 2000]` serves a trained study (`--study`, default mood) and
drives Debian's Chromium. The last line is one JSON object: `ready_ms` from navigation to a model
that has answered once, `frame_ms` the median of 100 looks at 640 x 480 (detector and model),
`memory_growth_mb` from look 200 to the last one, `model_bytes` of the classifier's file, `parity`
the largest difference of a probability from Python's.
"""

import argparse
import base64
import io
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from flows.studies import opened
from flows.web import Site, server
from flows.workspace import home
from models import load, to_grey
from pipeline.exports.page import page_models, write_site
from pipeline.exports.parts import fetch_parts
from pipeline.faces.alignment import AlignmentDetector
from pipeline.faces.crop import crop_boxes, cut
from pipeline.faces.detect import OWN, find_weights
from pipeline.media.video import read_clip

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-precise-memory-info", "--js-flags=--expose-gc",
)  # fmt: skip
CLIP = Path("tests/data/faces/turn.mp4")
FRONTAL = (0, 1, 2, 13, 14, 15)  # of its frames
CAMERA = (640, 480)  # px, as the mood page asks a camera for
WARM = 200  # looks after which memory is first read
START = """async (bytes) => {
  const { Engine, readStudy } = await import("./app/engine.js");
  const { judge } = await import("./app/judge.js");
  const { openFile } = await import("./app/pictures.js");
  const study = await readStudy();
  const engine = new Engine(study);
  await engine.warm(study.tasks[0]);
  window.pictures = [];
  for (const text of bytes) {
    const data = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const { frames } = await openFile(new File([data], "a.png", { type: "image/png" }));
    window.pictures.push((await frames.next()).value.picture);
  }
  window.look = (number) => judge(window.pictures[number % bytes.length], engine, study.tasks[0]);
}"""
LOOKS = """async ([first, count]) => {
  const times = [];
  for (let number = first; number < first + count; number++) {
    const begun = performance.now();
    await window.look(number);
    times.push(performance.now() - begun);
  }
  globalThis.gc?.();
  return { times, heap: performance.memory.usedJSHeapSize };
}"""


def main() -> None:
    """Serve, drive, measure, print."""
    page = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    page.add_argument("--study", default="mood")
    page.add_argument("--frames", type=int, default=2000)
    options = page.parse_args()
    workspace, study, params = opened(options.study)
    site = Site(workspace, home())
    if not site.fresh():
        write_site(workspace, study, params, fetch_parts(home()), site.folder)
    site.prepare(print)
    frames = np.stack([as_camera(frame) for frame in read_clip(CLIP)[list(FRONTAL)]])
    with server(site, 0) as serving, tempfile.TemporaryDirectory() as profile:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{serving.server_port}"
        found = drive(base, profile, frames, options.frames)
        serving.shutdown()
    said = found.pop("answers")
    task, path = next(iter(page_models(workspace, study).items()))
    found["model_bytes"] = (site.folder / "study" / f"{task}.onnx").stat().st_size
    found["parity"] = difference(said, frames, path, params.faces.margin)
    print(json.dumps(found))


def as_camera(frame: np.ndarray) -> np.ndarray:
    """A frame as large and wide as a camera's, the face in its middle."""
    width, height = CAMERA
    large = cv2.resize(frame, (height, height), interpolation=cv2.INTER_CUBIC)
    rim = (width - height) // 2
    return cv2.copyMakeBorder(large, 0, 0, rim, rim, cv2.BORDER_REPLICATE)


def drive(base: str, profile: str, frames: np.ndarray, count: int) -> dict[str, Any]:
    """What is measured in the browser, and its `answers` about the frames."""
    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            profile, executable_path=shutil.which("chromium"), headless=True, args=list(FLAGS)
        )
        page = context.new_page()
        begun = time.monotonic()
        page.goto(f"{base}/upload.html")
        page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
        ready = 1000 * (time.monotonic() - begun)
        page.evaluate(START, [png(frame) for frame in frames])
        times = page.evaluate(LOOKS, [0, 100])["times"]
        before = page.evaluate(LOOKS, [100, WARM - 100])["heap"]
        after = page.evaluate(LOOKS, [WARM, max(1, count - WARM)])["heap"]
        answers = [page.evaluate("(n) => window.look(n)", n) for n in range(len(frames))]
        context.close()
    return {
        "ready_ms": round(ready),
        "frame_ms": round(median(times), 1),
        "memory_growth_mb": round((after - before) / 1e6, 2),
        "answers": answers,
    }


def difference(said: list[dict[str, Any]], frames: np.ndarray, model: Path, margin: float) -> float:
    """The largest difference between the page's probabilities and Python's."""
    classifier, detector = load(model), AlignmentDetector(find_weights(OWN))
    sizes = classifier.network.sizes
    worst = 0.0
    for answer, frame in zip(said, frames, strict=True):
        box = detector.find(frame)[:1]
        crop = cut(frame[None], crop_boxes(box, margin), sizes.size)
        seen = crop if sizes.channels == 3 else to_grey(crop)
        windows = np.repeat(seen[None], classifier.window, axis=1)
        ours = classifier.probabilities(windows)[0]
        worst = max(worst, float(np.abs(ours - answer["probabilities"]).max()))
    return round(worst, 6)


def png(frame: np.ndarray) -> str:
    """A frame as base64 of a PNG."""
    stream = io.BytesIO()
    Image.fromarray(frame).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


if __name__ == "__main__":
    main()

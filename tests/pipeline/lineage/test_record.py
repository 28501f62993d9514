import re
import subprocess

import numpy as np
import pytest

from pipeline.errors import StageError
from pipeline.faces.manifest import BLOCKS, STEP, make, read_signature, rows, signature
from pipeline.files import write_jsonl
from pipeline.lineage.record import TOLERANCE, compare, found, recorded
from pipeline.media.video import read_clip, write_clip
from pipeline.workspace import Workspace


def film(seed, frames=6, size=32):
    """A film whose frames differ, without an edge that a shift could hide."""
    return np.random.default_rng(seed).integers(40, 200, (frames, size, size, 3), dtype=np.uint8)


@pytest.fixture
def files(tmp_path):
    """A workspace of two clips, a transfer and a crop, its manifest committed."""
    files = Workspace("toy", tmp_path)
    for number, folder in enumerate((files.clips, files.clips, files.transferred, files.faces)):
        folder.mkdir(parents=True, exist_ok=True)
        write_clip(folder / f"clip-{number}.mp4", film(number), 8)
    make(files, None, None)
    for command in (
        ["init", "-q"], ["add", "data/toy/manifest.jsonl"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "record"],
    ):  # fmt: skip
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return files


def answer(files):
    return compare(recorded(files, "HEAD"), found(files))


def test_a_corpus_is_its_own_record(files):
    same = answer(files)
    assert (same.identical, same.within, same.processor, same.other) == (4, {}, {}, ())


def test_rounding_is_within_the_tolerance(files):
    frames = film(0)
    frames[2, 5, 5] += 1
    write_clip(files.clips / "clip-0.mp4", frames, 8)
    near = answer(files)
    assert near.identical == 3
    assert list(near.within) == ["clips/clip-0.mp4"]
    assert 0 <= near.within["clips/clip-0.mp4"] <= TOLERANCE
    assert not near.other


def noisy(frames, levels=12):
    noise = np.random.default_rng(9).integers(-levels, levels + 1, frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8)


def test_what_another_makers_processor_does_is_told_apart_from_rounding(files):
    write_clip(files.clips / "clip-0.mp4", noisy(film(0), 2), 8)
    near = answer(files)
    assert (near.identical, near.within, near.other) == (3, {}, ())
    assert TOLERANCE < near.processor["clips/clip-0.mp4"] < 1.5
    assert "1 as a processor of another kind renders them" in near.text()


def test_a_crop_may_be_cut_a_pixel_further_but_no_clip_may(files):
    for folder in (files.clips, files.faces):
        path = next(iter(sorted(folder.glob("*.mp4"))))
        write_clip(path, read_clip(path) + np.uint8(3), 8)
    further = answer(files)
    assert (list(further.processor), [f.where for f in further.other]) == (
        ["faces/clip-3.mp4"], ["clips/clip-0.mp4"],
    )  # fmt: skip


def test_one_frame_that_was_painted_over_is_named(files):
    frames = film(0)
    frames[3, :8, :8] += 2
    write_clip(files.clips / "clip-0.mp4", frames, 8)
    [finding] = answer(files).other
    assert "a block of frame 3 is 2 levels off, the median frame 0" in finding.detail


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda _: film(1), r"it shows clips/clip-1\.mp4 of the record"),
        (lambda f: np.concatenate([f[1:], f[-1:]]), "its frames are 1 early"),
        (lambda f: np.concatenate([f[:1], f[:-1]]), "its frames are 1 late"),
        (lambda f: f[:4], r"are \[4, 32, 32\], the record has \[6, 32, 32\]"),
        (noisy, r"levels off, the median frame"),
    ],
)
def test_other_pixels_are_named(files, change, why):
    write_clip(files.clips / "clip-0.mp4", change(film(0)), 8)
    [finding] = answer(files).other
    assert finding.where == "clips/clip-0.mp4"
    assert re.search(why, finding.detail), finding.detail


def test_missing_and_unknown_films_are_named(files):
    (files.faces / "clip-3.mp4").rename(files.faces / "clip-9.mp4")
    assert [(f.what, f.where) for f in answer(files).other] == [
        ("missing", "faces/clip-3.mp4"), ("unknown film", "faces/clip-9.mp4"),
    ]  # fmt: skip


def test_a_revision_without_a_manifest_is_refused(files):
    subprocess.run(["git", "rm", "-q", "data/toy/manifest.jsonl"], cwd=files.root, check=True)
    commit = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "gone"]
    subprocess.run(commit, cwd=files.root, check=True)
    with pytest.raises(StageError, match=r"HEAD records no pixels: it has no data/toy/manifest"):
        recorded(files, "HEAD")


def test_a_signature_is_the_mean_of_blocks(files):
    frames = read_clip(files.clips / "clip-0.mp4")
    [first, _] = rows(files.clips)
    luma = frames @ np.array([0.2126, 0.7152, 0.0722])
    means = luma.reshape(6, BLOCKS, 8, BLOCKS, 8).mean(axis=(2, 4))
    assert np.abs(read_signature(first) / STEP - means).max() <= 1 / STEP + 1e-9
    assert np.array_equal(read_signature(first), signature(frames))


def test_the_record_is_read_from_git(files):
    write_jsonl(files.manifest, [])  # what lies in the workspace is not asked
    assert len(recorded(files, "HEAD")) == 4

"""What two versions show, by their manifests; films from DVC's cache and from the workspace."""

import json
import shutil

import cv2
import numpy as np
import pytest

from flows.cli import main
from pipeline.errors import StageError
from pipeline.faces import manifest
from pipeline.files import write_json
from pipeline.lineage import diff
from pipeline.lineage.pixels import film_of
from pipeline.media.video import read_clip, write_clip


@pytest.fixture(scope="module")
def changed(template, copied, tmp_path_factory):
    """HEAD with a manifest, and a workspace in which one clip is another and one is rounded."""
    made = copied(template, tmp_path_factory.mktemp("changed"))
    manifest.make(made.files, None, None)
    made.dvc("commit", "--force", "--quiet")
    made.commit("manifest")
    keys = sorted(row.key for row in made.plan.clips)
    ids = {row.key: row.clip_id for row in made.plan.clips}
    near, far = (made.files.clips / f"{ids[key]}.mp4" for key in keys[:2])
    frames = read_clip(near)
    frames[2, 5, 5, 0] ^= 1
    write_clip(near, frames, 4)
    write_clip(far, 255 - read_clip(far), 4)
    manifest.make(made.files, None, None)
    return made, keys[0], keys[1]


@pytest.fixture
def versions(changed, copied, tmp_path):
    """A copy to be spoilt, and the keys of what changed."""
    made, near, far = changed
    return copied(made, tmp_path), near, far


def snapshots(made):
    return [diff.snapshot(made.root, revision) for revision in ("HEAD", None)]


def test_levels_name_the_worst_and_rounding(versions):
    made, near, far = versions
    found = diff.compare(*snapshots(made), made.place)
    pixels = found["pixels"]
    assert pixels["differ"] == [far, near]
    assert pixels["worst"] == far
    assert pixels["levels"][near] <= 1 / 16 < pixels["levels"][far]
    assert (pixels["compared"], pixels["within"]) == (11, 1)
    assert f"pixels changed: yes, in 2 of 11 clips under the same key, most in {far}, by" in (
        diff.text(found)
    )
    same = diff.snapshot(made.root, "HEAD")
    assert "no (11 clips under the same key, each pixel the same)" in diff.text(
        diff.compare(same, same, made.place)
    )


def test_a_figure_of_record_that_moved_is_named(versions):
    made, _, _ = versions
    seeds = {"one": {"accuracy": 0.6, "seeds": [0.5, 0.7]}}
    record = {"models": seeds, "single_run": {"low": 0.3, "high": 0.9}, "doubt": {"unknown": 0.1}}
    write_json(made.files.folds, record)
    found = diff.compare(*snapshots(made), made.place)
    moved = {name: pair for name, pair in found["figures"].items() if name.startswith("record.")}
    assert moved == {
        "record.one.accuracy": [None, 0.6],
        "record.one.seeds": [None, [0.5, 0.7]],
        "record.single_run.low": [None, 0.3],
        "record.single_run.high": [None, 0.9],
        "record.unknown": [None, 0.1],
    }
    assert "figures: record.one.accuracy None > 0.6" in diff.text(found)
    made.files.folds.write_text("{")
    with pytest.raises(StageError, match=r"folds\.json is not JSON .*; `pallor run` makes it anew"):
        snapshots(made)


def test_the_command_draws_the_worst_and_a_page(versions, monkeypatch, capsys):
    made, near, far = versions
    monkeypatch.chdir(made.root)
    assert main(["diff", "HEAD", "--html", "diff.html"]) == 0
    said = capsys.readouterr().out
    assert f".dvc/tmp/pallor-diff-deterioration.png: {far} before, after and the difference" in said
    picture = cv2.imread(".dvc/tmp/pallor-diff-deterioration.png")
    assert picture.shape == (48, 3 * 48 + 2 * 4, 3)
    before, after = picture[:, :48], picture[:, 52:100]
    assert np.array_equal(after, 255 - before)
    page = (made.root / "diff.html").read_text()
    assert page.count("<img") == 2
    assert page.index(f"{far}: before") < page.index(f"{near}: before")
    assert main(["diff", "HEAD", "HEAD", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pixels"]["differ"] == []


def test_films_that_are_not_at_hand_are_said(versions, monkeypatch, capsys):
    made, _, far = versions
    old, new = snapshots(made)
    assert film_of(old, far, made.place).parts[-4:-2] == ("files", "md5")
    assert film_of(new, far, made.place).parent == made.files.clips
    for store in made.place.stores:
        shutil.rmtree(store / "files")
    monkeypatch.chdir(made.root)
    assert main(["diff", "HEAD", "--html", "diff.html"]) == 0
    assert "is not at hand; `dvc fetch --all-commits` brings it" in capsys.readouterr().out
    assert "not at hand" in (made.root / "diff.html").read_text()


def test_another_shape_and_a_broken_manifest_are_said(versions):
    made, _, far = versions
    path = film_of(snapshots(made)[1], far, made.place)
    write_clip(path, read_clip(path)[:4], 4)
    manifest.make(made.files, None, None)
    found = diff.compare(*snapshots(made), made.place)
    assert found["pixels"]["levels"][far] is None
    assert f"most in {far}, in another shape" in diff.text(found)
    made.files.manifest.write_text("{\n")
    with pytest.raises(StageError, match="the manifest of the workspace is broken"):
        snapshots(made)

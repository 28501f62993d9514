from datetime import date

import numpy as np
import pytest

from pipeline.errors import StageError
from pipeline.exports.dataset import write_dataset
from pipeline.exports.source import read_source
from pipeline.exports.tables import clip_rows, window_rows
from pipeline.files import file_digest, read_jsonl, tree_digest, write_jsonl
from pipeline.media.video import read_clip

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    write_dataset(source, folder)
    return folder


def test_a_row_names_files_that_have_its_digests(folder):
    rows = read_jsonl(folder / "clips.jsonl")
    assert len(rows) == 7
    for row in rows:
        for name in ("video", "face", "truth"):
            if row[name]:
                assert file_digest(folder / row[name]) == row[f"{name}_sha256"]
    assert [row["clip_id"] for row in rows if not row["truth"]] == ["transfer-p", "transfer-s"]


def test_every_row_has_a_licence_of_the_face_that_is_seen(source):
    licences = {row["clip_id"]: row["licence"] for row in clip_rows(source)}
    assert licences["transfer-p"] == "public domain (NASA)"
    assert set(licences.values()) == {"CC0-1.0", "public domain (NASA)"}


def test_the_side_of_a_clip_is_that_of_all_its_clean_windows(source):
    sides = {row["clip_id"]: row["side"] for row in clip_rows(source)}
    clean = [row for row in window_rows(source) if row["protocol"] == "clean"]
    assert {row["clip_id"] for row in clean} == set(sides)
    assert all(row["side"] == sides[row["clip_id"]] for row in clean)
    assert set(sides.values()) == {"train", "test"}


def test_both_protocols_hold_the_same_windows(source):
    rows = window_rows(source)
    ids = {
        protocol: [row["sample_id"] for row in rows if row["protocol"] == protocol]
        for protocol in ("published", "clean")
    }
    assert ids["published"] == ids["clean"]
    assert len(ids["clean"]) == 21
    assert "origin" not in rows[0]


def test_media_open_where_they_were_laid(folder, source):
    row = read_jsonl(folder / "clips.jsonl")[0]
    assert np.array_equal(
        read_clip(folder / row["video"]), read_clip(source.video(source.tracks[0]))
    )
    with np.load(folder / row["truth"]) as truth:
        assert truth["head_deg"].shape == (row["frames"], 3)


def test_same_corpus_same_bytes(folder, source, tmp_path):
    write_dataset(source, tmp_path)
    assert tree_digest(tmp_path) == tree_digest(folder)


def test_a_missing_clip_is_named(copied, study):
    (copied.transferred / "transfer-s.mp4").unlink()
    with pytest.raises(StageError, match=r"transfer-s.mp4 is missing; `dvc checkout`"):
        clip_rows(read_source(copied, study, TODAY))


def test_a_face_whose_licence_forbids_derivatives_is_not_exported(copied, study):
    rows = read_jsonl(copied.plan)
    for row in rows:
        if row.get("portrait_id") == "portrait-p" and row["kind"] == "portrait":
            row["licence"] = "CC-BY-ND-4.0"
    write_jsonl(copied.plan, rows)
    with pytest.raises(StageError, match=r"transfer-p shows portrait-p.*pallor forget portrait-p"):
        clip_rows(read_source(copied, study, TODAY))


def test_a_clip_that_a_draw_leaves_out_has_no_side(copied, study):
    path = copied.samples("clean")
    write_jsonl(path, [row for row in read_jsonl(path) if row["clip_id"] != "clip-b1"])
    sides = {r["clip_id"]: r["side"] for r in clip_rows(read_source(copied, study, TODAY))}
    assert [clip for clip, side in sides.items() if side is None] == ["clip-b1"]


def test_a_split_of_other_clips_is_refused(copied, study):
    for protocol in study.protocols:
        path = copied.samples(protocol)
        write_jsonl(path, [row for row in read_jsonl(path) if row["clip_id"] != "clip-b1"])
    with pytest.raises(StageError, match=r"clean.jsonl has no window of clip-b1; run `pallor run`"):
        clip_rows(read_source(copied, study, TODAY))

import duckdb
import pytest

from pipeline.exports.cards import write_card
from pipeline.exports.huggingface import configurations, write_huggingface
from pipeline.exports.tables import clip_rows, window_rows
from pipeline.files import tree_digest

datasets = pytest.importorskip("datasets")


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    write_huggingface(source, folder)
    rows = clip_rows(source)
    write_card(source, rows, folder, configurations(rows, source))
    return folder


@pytest.fixture
def load(folder, tmp_path, monkeypatch):
    def loaded(name=None):
        return datasets.load_dataset(str(folder), name, cache_dir=str(tmp_path))

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    return loaded


def test_the_default_is_the_clips_on_the_sides_of_the_clean_split(load, source):
    loaded = load()
    for side in ("train", "test"):
        wanted = [row["clip_id"] for row in clip_rows(source) if row["side"] == side]
        assert loaded[side]["clip_id"][:] == wanted


def test_a_clip_arrives_whole(load, source):
    [row] = [row for row in load("clips")["train"] if row["clip_id"] == "transfer-p"]
    [track] = [track for track in source.tracks if track.clip_id == "transfer-p"]
    assert row["video"]["bytes"] == source.video(track).read_bytes()
    assert row["face"]["bytes"] == source.crop(track).read_bytes()
    assert row["truth"] is None
    assert (row["licence"], row["age"]) == ("public domain (NASA)", None)


@pytest.mark.parametrize("protocol", ["clean", "published"])
def test_the_windows_of_a_protocol_are_the_splits(load, source, protocol):
    loaded = load(protocol)
    rows = [row for row in window_rows(source) if row["protocol"] == protocol]
    assert [*loaded["train"], *loaded["test"]] == sorted(
        rows, key=lambda row: row["side"] != "train"
    )


def test_same_corpus_same_tables(folder, source, tmp_path):
    write_huggingface(source, tmp_path)
    assert tree_digest(tmp_path, "**/*.parquet") == tree_digest(folder, "**/*.parquet")


def test_what_the_hubs_viewer_asks_is_answered(folder, source, monkeypatch, tmp_path):
    """Its jobs, in their order: configurations, splits, first rows as a stream, Parquet by SQL."""
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    where = {"path": str(folder)}
    assert datasets.get_dataset_default_config_name(**where) == "clips"
    assert set(datasets.get_dataset_config_names(**where)) == {"clips", *source.splits}
    rows = clip_rows(source)
    for side in datasets.get_dataset_split_names(**where, config_name="clips"):
        stream = datasets.load_dataset(
            str(folder), "clips", split=side, streaming=True, cache_dir=str(tmp_path)
        )
        assert isinstance(stream.features["video"], datasets.Video)
        wanted = [row["clip_id"] for row in rows if row["side"] == side]
        assert [row["clip_id"] for row in stream] == wanted
        table = str(folder / "clips" / f"{side}.parquet")
        asked = "SELECT clip_id FROM read_parquet(?) WHERE label = 'FD1' ORDER BY clip_id"
        found = duckdb.execute(asked, [table]).fetchall()
        fits = [row["clip_id"] for row in rows if (row["side"], row["label"]) == (side, "FD1")]
        assert [name for (name,) in found] == sorted(fits)

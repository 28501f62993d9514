import numpy as np
import pytest

from pipeline.errors import ClipError, StageError
from pipeline.media.video import write_clip
from pipeline.records import Partner, Reference, Sample
from pipeline.splits.crop_shards import crop_shards, shard_crops
from pipeline.splits.windows import Windows, clips_of, cut_windows, load_crops


def sample(start=0, length=3, clip_id="clip-a"):
    return Sample(
        sample_id=f"sample-{start}", clip_id=clip_id, start=start, length=length, label="FD1",
        group="g", side="train",
    )  # fmt: skip


@pytest.fixture
def faces(tmp_path):
    for number, name in enumerate(("clip-a", "clip-b")):
        levels = 20 * np.arange(5, dtype=np.uint8)[:, None, None, None] + 7 * number
        write_clip(tmp_path / f"{name}.mp4", np.broadcast_to(levels, (5, 16, 16, 3)), 8)
    return tmp_path


def test_windows_are_the_frames_their_samples_name(faces):
    crops = load_crops(faces, ["clip-a", "clip-b", "clip-a"])
    windows = cut_windows([sample(1), sample(2, clip_id="clip-b")], crops)
    assert windows.shape == (2, 3, 16, 16)
    assert windows[..., 0, 0].tolist() == [[20, 40, 60], [47, 67, 87]]


def test_a_blend_is_a_share_of_each_window(faces):
    partner = Partner(sample_id="sample-b", clip_id="clip-b", start=2, share=0.25)
    blend = sample(0).model_copy(update={"partner": partner})
    assert clips_of([blend]) == {"clip-a", "clip-b"}
    [window] = cut_windows([blend], load_crops(faces, clips_of([blend])))
    assert window[:, 0, 0].tolist() == [12, 32, 52]  # 0.75 of 0, 20, 40 and 0.25 of 47, 67, 87


def test_a_missing_crop_is_named(faces):
    with pytest.raises(ClipError, match=r"clip-c\.mp4 is missing"):
        load_crops(faces, ["clip-c"])


def test_a_window_past_the_end_is_refused(faces):
    with pytest.raises(StageError, match="ends at frame 6 but clip clip-a has 5"):
        cut_windows([sample(3)], load_crops(faces, ["clip-a"]))


def test_windows_of_two_lengths_are_refused(faces):
    with pytest.raises(StageError, match="one length"):
        cut_windows([sample(0, 2), sample(0, 3)], load_crops(faces, ["clip-a"]))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_references_channels_stand_behind_the_samples_own(faces, channels):
    compared = sample(1).model_copy(update={"reference": Reference(clip_id="clip-b", start=2)})
    assert clips_of([compared]) == {"clip-a", "clip-b"}
    [window] = cut_windows([compared], load_crops(faces, clips_of([compared]), channels))
    assert window.shape == (3, 16, 16, 2 * channels)
    assert window[:, 0, 0, 0].tolist() == [20, 40, 60]
    assert window[:, 0, 0, channels].tolist() == [47, 67, 87]


def test_colour_is_kept_where_it_is_asked_for(faces):
    assert cut_windows([sample(1)], load_crops(faces, ["clip-a"], 3)).shape == (1, 3, 16, 16, 3)


def test_windows_over_shards_are_those_cut_at_once(faces, tmp_path):
    samples = [sample(1), sample(2, clip_id="clip-b"), sample(0)]
    whole = cut_windows(samples, load_crops(faces, clips_of(samples)))
    with crop_shards(tmp_path) as made:
        shards = shard_crops(made, faces, clips_of(samples))
        assert sorted(shards) == ["clip-a", "clip-b"]
        windows = Windows(samples, shards)
        assert (len(windows), windows.shape, windows.ndim) == (3, whole.shape, whole.ndim)
        assert np.array_equal(windows[np.array([2, 0])], whole[[2, 0]])
        assert np.array_equal(windows[1:9], whole[1:])


def test_windows_over_shards_are_refused_as_those_cut_at_once(faces, tmp_path):
    with crop_shards(tmp_path) as made:
        shards = shard_crops(made, faces, ["clip-a"])
        with pytest.raises(StageError, match="ends at frame"):
            Windows([sample(3)], shards)
        with pytest.raises(StageError, match="one length and size"):
            Windows([sample(0, 2), sample(0, 3)], shards)
        (tmp_path / "crops-0000.u8").write_bytes(b"")
        with pytest.raises(StageError, match="cut short; train again"):
            shards["clip-a"]

"""One network of the registry taught from samples: what it sees, and what its figures follow."""

import numpy as np
import pytest
import torch

from models import MODELS
from models.errors import ModelError
from pipeline.params import TrainParams
from pipeline.records import Partner, Reference, Sample
from pipeline.splits.crop_shards import crop_shards
from pipeline.training.learn import Recipe, build_for, learn

PARAMS = TrainParams(epochs=2, batch=8, learning_rate=1e-2)
SMALL = Recipe("convlstm", PARAMS, {"hidden": 4, "stem": 4})


def sample(number, label, reference=None):
    return Sample(
        sample_id=f"sample-{number}", clip_id=f"clip-{number}", start=1, length=4, label=label,
        group=f"g{number}", side="train", reference=reference,
    )  # fmt: skip


def crops_of(count, channels=1):
    """Clips of six frames whose class, even or odd, is the side that is bright."""
    rng = np.random.default_rng(0)
    shape = (6, 16, 16) if channels == 1 else (6, 16, 16, channels)
    made = {}
    for number in range(count):
        frames = rng.integers(0, 60, shape, dtype=np.uint8)
        frames[:, :, 8 * (number % 2) : 8 * (number % 2) + 8] += 150
        made[f"clip-{number}"] = frames
    return made


def parts_of(count):
    samples = [sample(number, "ab"[number % 2]) for number in range(count)]
    return samples[: count - 8], samples[count - 8 :]


def taught(recipe=SMALL, seed=1, channels=1, parts=None):
    return learn(recipe, parts or parts_of(24), crops_of(24, channels), seed, lambda row: None)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_classifier_knows_its_classes_window_and_temperature(channels):
    model, curve = taught(channels=channels)
    assert (model.name, model.labels, model.window) == ("convlstm", ("a", "b"), 4)
    assert model.temperature > 0
    assert [row.epoch for row in curve] == [1, 2]


def test_every_seed_has_its_weights_and_the_same_seed_the_same():
    def shares(seed):
        model, _ = taught(seed=seed)
        return model.probabilities(crops_of(2)["clip-0"][None, :4])

    assert np.array_equal(shares(1), shares(1))
    assert not np.array_equal(shares(1), shares(2))


def test_classes_that_are_only_validated_are_left_out():
    fitted, held = parts_of(24)
    strange = [*held, sample(23, "c")]
    model, _ = taught(parts=(fitted, strange))
    assert model.labels == ("a", "b")


def test_a_reference_is_part_of_what_is_seen():
    crops = crops_of(24)
    alone = build_for(SMALL, 2, crops["clip-0"][None, :4])
    fitted, held = parts_of(24)
    compared = [
        [s.model_copy(update={"reference": Reference(clip_id="clip-0", start=0)}) for s in part]
        for part in (fitted, held)
    ]
    model, _ = learn(SMALL, tuple(compared), crops, 1, lambda row: None)
    assert model.network.state_dict().keys() == alone.state_dict().keys()
    plain, _ = taught()
    same = [
        np.array_equal(one, other)
        for one, other in zip(
            plain.network.state_dict().values(), model.network.state_dict().values(), strict=True
        )
    ]
    assert not all(same)


@pytest.mark.parametrize("name", MODELS)
def test_every_network_of_the_registry_can_be_taught(name):
    model, curve = taught(Recipe(name, PARAMS.model_copy(update={"epochs": 1})))
    assert model.name == name
    assert len(curve) == 1


def test_a_network_that_is_not_there_is_named():
    with pytest.raises(ModelError, match="'convlsm'"):
        taught(Recipe("convlsm", PARAMS))


@pytest.mark.parametrize("channels", [1, 3])
def test_crops_in_shards_teach_the_same_weights(channels, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.splits.crop_shards.SHARD", 5000)  # several files
    reference = Reference(clip_id="clip-1", start=0)
    fitted, held = parts_of(24)
    fitted[3] = fitted[3].model_copy(
        update={"partner": Partner(sample_id="s", clip_id="clip-5", start=2, share=0.3)}
    )
    parts = [[s.model_copy(update={"reference": reference}) for s in p] for p in (fitted, held)]
    whole, curve = taught(channels=channels, parts=parts)
    with crop_shards(tmp_path) as shards:
        for clip, frames in crops_of(24, channels).items():
            shards.add(clip, frames)
        model, same = learn(SMALL, parts, shards, 1, lambda row: None)
    assert len([*tmp_path.iterdir()]) > 2
    assert same == curve
    assert model.temperature == whole.temperature
    for name, weights in whole.network.state_dict().items():
        assert torch.equal(model.network.state_dict()[name], weights)

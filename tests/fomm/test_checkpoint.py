"""Published and own checkpoint files, and files that are refused."""

import os

import numpy as np
import pytest
import torch

import fomm
from fomm.checkpoint import read_components
from fomm.config import CONFIGS
from fomm.model import MotionModel

COMPACT = "compact-128"


@pytest.fixture(scope="module")
def weights(states):
    return states(COMPACT, 13)


def tensors(model):
    return dict(model.state_dict())


@pytest.mark.parametrize("config", ["vox-256", "vox-adv-256", "compact-128"])
def test_keys_are_the_published_ones(config, table):
    for part, network in MotionModel(CONFIGS[config]).named_children():
        found = {key: list(t.shape) for key, t in network.state_dict().items()}
        assert found == table(config)[part]


@pytest.mark.parametrize("zip_form", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_published_forms(tmp_path, weights, zip_form, training):
    content = dict(weights) if training else {k: weights[k] for k in ("generator", "kp_detector")}
    if training:
        moments = {"step": torch.tensor(1.0), "exp_avg": torch.zeros(2)}
        groups = [{"lr": 2e-4, "betas": (0.5, 0.999), "params": [0]}]
        content |= {"optimizer_generator": {"state": {0: moments}, "param_groups": groups}}
        content |= {"epoch": 99}
    path = tmp_path / "vox-cpk.pth.tar"
    torch.save(content, path, _use_new_zipfile_serialization=zip_form)
    model = fomm.load_checkpoint(path, COMPACT)
    for part in ("generator", "kp_detector"):
        found = getattr(model, part).state_dict()
        assert all(torch.equal(found[key], value) for key, value in weights[part].items())


def test_own_form_is_exact_and_repeatable(tmp_path, saved):
    model = fomm.load_checkpoint(saved(COMPACT, 13), COMPACT)
    for name in ("a.safetensors", "b.safetensors"):
        fomm.save_checkpoint(tmp_path / name, model)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    again = tensors(fomm.load_checkpoint(tmp_path / "a.safetensors", COMPACT))
    assert all(torch.equal(again[key], value) for key, value in tensors(model).items())


def test_half_precision_form(tmp_path, saved):
    model = fomm.load_checkpoint(saved(COMPACT, 13), COMPACT)
    fomm.save_checkpoint(tmp_path / "half.safetensors", model, half=True)
    again = tensors(fomm.load_checkpoint(tmp_path / "half.safetensors", COMPACT))
    for key, value in tensors(model).items():
        assert again[key].dtype == value.dtype
        assert np.allclose(again[key], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda s: s.pop("final.bias"), "lacks final.bias"),
        (lambda s: s.update({"final.gain": torch.ones(1)}), "unknown final.gain"),
        (lambda s: s.update({"final.bias": torch.ones(4)}), r"final.bias \(4,\) for \(3,\)"),
        (lambda s: s["final.bias"].fill_(float("nan")), "not finite in final.bias"),
    ],
)
def test_misfits_are_named(tmp_path, weights, spoil, says):
    content = {part: {k: t.clone() for k, t in keys.items()} for part, keys in weights.items()}
    spoil(content["generator"])
    torch.save(content, tmp_path / "bent.pth")
    with pytest.raises(fomm.CheckpointError, match=says):
        fomm.load_checkpoint(tmp_path / "bent.pth", COMPACT)


def test_other_networks_are_refused(saved):
    with pytest.raises(fomm.CheckpointError, match="kp_detector does not fit"):
        fomm.load_checkpoint(saved(COMPACT, 13), "vox-256")


def test_missing_component(tmp_path, weights):
    torch.save({"generator": weights["generator"]}, tmp_path / "part.pth")
    with pytest.raises(fomm.CheckpointError, match="no 'kp_detector'; it holds generator"):
        fomm.load_checkpoint(tmp_path / "part.pth", COMPACT)


class Code:
    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


@pytest.mark.parametrize("zip_form", [True, False])
def test_code_in_a_pickle_is_refused(tmp_path, zip_form, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pth"
    torch.save({"generator": Code()}, path, _use_new_zipfile_serialization=zip_form)
    with pytest.raises(fomm.CheckpointError, match="refused"):
        fomm.load_checkpoint(path)
    assert not (tmp_path / "made-by-a-pickle").exists()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04half a zip"])
def test_rubbish_is_refused(tmp_path, content):
    path = tmp_path / "rubbish.pth"
    path.write_bytes(content)
    with pytest.raises(fomm.CheckpointError, match=r"rubbish\.pth"):
        fomm.load_checkpoint(path)


def test_half_a_file_is_refused(tmp_path, saved):
    whole = saved(COMPACT, 13).read_bytes()
    path = tmp_path / "half.pth"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(fomm.CheckpointError, match=r"half\.pth"):
        fomm.load_checkpoint(path, COMPACT)


def test_broken_safetensors_are_refused(tmp_path):
    path = tmp_path / "broken.safetensors"
    path.write_bytes((4).to_bytes(8, "little") + b"{bad" + b"0" * 20)
    with pytest.raises(fomm.CheckpointError, match="broken safetensors"):
        fomm.load_checkpoint(path)


def test_missing_file(tmp_path):
    with pytest.raises(fomm.CheckpointError, match="is missing"):
        fomm.load_checkpoint(tmp_path / "none.pth")


def test_a_bare_tensor_is_refused(tmp_path):
    torch.save(torch.ones(3), tmp_path / "tensor.pth")
    with pytest.raises(fomm.CheckpointError, match="holds a Tensor"):
        read_components(tmp_path / "tensor.pth")


def test_unknown_config(saved):
    with pytest.raises(fomm.MotionError, match="known: vox-256"):
        fomm.load_checkpoint(saved(COMPACT, 13), "vox-512")


def test_networks_are_known_by_their_shapes(saved, tmp_path):
    assert fomm.load_checkpoint(saved(COMPACT, 13), "auto").config.name == COMPACT
    torch.save({"kp_detector": {"a": torch.ones(1)}}, tmp_path / "other.pth")
    with pytest.raises(fomm.CheckpointError, match="none of the known networks"):
        fomm.load_checkpoint(tmp_path / "other.pth", "auto")

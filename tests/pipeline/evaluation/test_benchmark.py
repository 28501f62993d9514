"""Guests: our own network as a file of ONNX must reach its own figures; other forms are read."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models import load
from pipeline.errors import AssetError
from pipeline.evaluation.benchmark import benchmark, classes_of
from pipeline.evaluation.guest import Guest
from pipeline.evaluation.results import Results
from pipeline.report.scored import benchmark_lines
from pipeline.study import Input
from pipeline.training.portable import write_onnx

CLASSES = ["calm", "pain"]
VIEW = Input(frames=4, size=32)


def model(path, shape, kind=TensorProto.FLOAT, classes=2, metadata=None, scores=None):
    """A file that answers with the mean of its input as the last class' score, or with `scores`."""
    put = helper.make_tensor_value_info("x", kind, shape)
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", classes])
    axes = list(range(1, len(shape)))
    one_hot = np.zeros((1, classes), np.float32)
    one_hot[0, -1] = 1
    bias = np.asarray(scores if scores is not None else np.zeros(classes), np.float32)
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f"], ["m"], axes=axes, keepdims=0),
        helper.make_node("Reshape", ["m", "column"], ["c"]),
        helper.make_node("MatMul", ["c", "hot"], ["z"]),
        helper.make_node("Add", ["z", "bias"], ["y"]),
    ]
    constants = [
        helper.make_tensor("column", TensorProto.INT64, [2], [-1, 1]),
        helper.make_tensor("hot", TensorProto.FLOAT, [1, classes], one_hot.ravel()),
        helper.make_tensor("bias", TensorProto.FLOAT, [classes], bias),
    ]
    graph = helper.make_graph(nodes, "g", [put], [out], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    for key, value in (metadata or {}).items():
        entry = made.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(made, path)
    return path


@pytest.fixture
def windows():
    return np.random.default_rng(0).integers(0, 256, (5, 4, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "kind", "level", "said"),
    [
        (
            ["N", 4, 32, 32, 3],
            TensorProto.FLOAT,
            1.0,
            "windows of 4 frames of 32 px, RGB, as NTHWC",
        ),
        (["N", 4, 3, 32, 32], TensorProto.FLOAT, 1.0, "as NTCHW float32"),
        (["N", 3, 4, 32, 32], TensorProto.FLOAT, 1.0, "as NCTHW"),
        (["N", 3, "T", "H", "W"], TensorProto.FLOAT, 1.0, "windows of 4 frames of 32 px"),
        (["N", 3, 32, 32], TensorProto.FLOAT, 1.0, "single pictures of 32 px, RGB, as NCHW"),
        ([2, 4, 32, 32, 3], TensorProto.FLOAT, 255.0, "as NTHWC"),
        (["N", 4, 32, 32, 3], TensorProto.UINT8, 1.0, "as NTHWC uint8"),
    ],
)
def test_any_form_sees_the_same_pixels(tmp_path, windows, shape, kind, level, said):
    guest = Guest(model(tmp_path / "m.onnx", shape, kind), VIEW, CLASSES, None, level)
    assert said in guest.form.said()
    full = 255 if kind == TensorProto.UINT8 else level
    mean = windows.reshape(5, 4, -1).mean(2) / 255 * full
    share = 1 / (1 + np.exp(-(mean if "NCHW" in said else mean.mean(1, keepdims=True))))
    np.testing.assert_allclose(guest.probabilities(windows)[:, 1], share.mean(1), atol=1e-4)


def test_grey_and_other_sizes_are_made(tmp_path, windows):
    guest = Guest(model(tmp_path / "m.onnx", ["N", 4, 64, 64]), VIEW, CLASSES)
    assert guest.form.said() == "windows of 4 frames of 64 px, grey, as NTHW float32"
    assert guest.probabilities(windows).shape == (5, 2)


def test_classes_come_from_the_file_or_the_caller(tmp_path):
    shape = ["N", 4, 32, 32]
    told = model(tmp_path / "a.onnx", shape, metadata={"names": json.dumps({0: "pain", 1: "calm"})})
    assert Guest(told, VIEW, CLASSES).labels == ("pain", "calm")
    more = model(tmp_path / "b.onnx", shape, classes=3)
    assert Guest(more, VIEW, CLASSES, ["calm", "other", "pain"]).labels[1] == "other"


@pytest.mark.parametrize(
    ("make", "given", "said"),
    [
        (lambda p: p, None, "there is no model file"),
        (lambda p: p.write_bytes(b"no model") and p, None, "is no ONNX model that can be run"),
        (lambda p: model(p, ["N", 7]), None, "is neither windows nor pictures"),
        (lambda p: model(p, ["N", 4, 32, 48]), None, "with square pictures"),
        (lambda p: model(p, ["N", 4, 32, 32], TensorProto.INT64), None, "takes tensor.int64."),
        (lambda p: model(p, ["N", 4, 32, 32], classes=3), None, "has 3 outputs, but 2 classes"),
        (lambda p: model(p, ["N", 4, 32, 32]), ["calm", "pian"], "each must stand there once"),
    ],
)
def test_a_guest_that_cannot_be_asked_is_one_sentence(tmp_path, make, given, said):
    with pytest.raises(AssetError, match=said) as caught:
        Guest(make(tmp_path / "m.onnx"), VIEW, CLASSES, given)
    assert "\n" not in str(caught.value)


def test_answers_that_are_no_numbers_are_refused(tmp_path, windows):
    guest = Guest(model(tmp_path / "m.onnx", ["N", 4, 32, 32], scores=[np.nan, 0]), VIEW, CLASSES)
    with pytest.raises(AssetError, match="numbers that are not finite"):
        guest.probabilities(windows)


def test_our_own_network_reaches_its_own_figures_as_a_guest(line, tmp_path):
    path = line.workspace.model("display", "convlstm", "clean")
    write_onnx(path, tmp_path / "own.onnx")
    classes = classes_of(line.workspace, line.study, "display", "clean")
    assert classes == list(load(path).labels)
    guest = Guest(tmp_path / "own.onnx", line.study.input, classes)
    row = benchmark(
        (line.workspace, line.study, line.params), guest, ("display", "convlstm", "clean")
    )
    ours = Results.read(line.workspace.evaluation).row("display", "convlstm", "clean")
    for unit in ("by_window", "by_clip"):
        assert row["guest"][unit]["accuracy"] == ours[unit]["accuracy"]
        assert row["ours"][unit]["confusion"] == ours[unit]["confusion"]
    assert row["difference"]["accuracy"] == 0
    said = "\n".join(benchmark_lines(row, "own.onnx", "convlstm"))
    assert "guest less convlstm, over" in said
    assert "+0.0 points" in said
    assert "is not known here" in said


def test_windows_that_no_clip_fills_are_said(line, tmp_path):
    size = line.study.input.size
    guest = Guest(
        model(tmp_path / "m.onnx", ["N", 99, size, size], classes=5), line.study.input,
        classes_of(line.workspace, line.study, "display", "clean"),
    )  # fmt: skip
    with pytest.raises(AssetError, match="takes windows of 99 frames; the longest clip has 8"):
        benchmark(
            (line.workspace, line.study, line.params), guest, ("display", "convlstm", "clean")
        )

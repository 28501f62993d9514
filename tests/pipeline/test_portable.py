import os
import subprocess
import sys

import pytest

from pipeline import portable
from pipeline.closure import code_digest
from pipeline.portable import CAPS, asked, hold, processor_flags, standing
from pipeline.precision import processor_precision

needs_avx2 = pytest.mark.skipif("avx2" not in processor_flags(), reason="no AVX2 here")

SAY = """
from pathlib import Path
from pipeline.portable import hold, standing
hold(Path("params.yaml"))
import numpy, torch
groups = numpy._core._multiarray_umath.__cpu_features__
print(standing()[0], torch.backends.cpu.get_cpu_capability(), groups["AVX512F"])
"""


def begun(folder, text, **environment):
    """What a fresh process says that begins in a folder with such a params.yaml."""
    (folder / "params.yaml").write_text(text)
    bare = {name: value for name, value in os.environ.items() if name not in CAPS}
    bare.pop("NPY_DISABLE_CPU_FEATURES", None)
    command = [sys.executable, "-W", "error::ImportWarning", "-c", SAY]
    return subprocess.check_output(command, text=True, cwd=folder, env=bare | environment).split()


@needs_avx2
@pytest.mark.parametrize("text", ["deterministic: portable", "seed: 7", "not: [yaml"])
def test_libraries_are_held_to_avx2(tmp_path, text):
    assert begun(tmp_path, text) == ["portable", "AVX2", "False"]


@needs_avx2
def test_native_takes_what_there_is(tmp_path):
    mode, found, _ = begun(tmp_path, "deterministic: native", ATEN_CPU_CAPABILITY="avx2")
    assert mode == "native"
    assert (found == "AVX512") == ("avx512f" in processor_flags())


def test_numpy_has_code_for_every_group_that_it_is_told_to_leave():
    from numpy._core._multiarray_umath import __cpu_dispatch__

    assert set(portable._NUMPY) <= set(__cpu_dispatch__)


def test_native_takes_our_own_words_back_alone(tmp_path):
    (tmp_path / "params.yaml").write_text("deterministic: native")
    told = {"OPENBLAS_CORETYPE": "Haswell", "MKL_CBWR": "COMPATIBLE"}
    say = "import os; from pipeline.portable import hold; hold(); print(*sorted(os.environ))"
    command = [sys.executable, "-c", say]
    names = subprocess.check_output(command, text=True, cwd=tmp_path, env=os.environ | told).split()
    assert "MKL_CBWR" in names
    assert "OPENBLAS_CORETYPE" not in names


def test_who_has_numpy_already_is_left_as_it_is(tmp_path, monkeypatch):
    assert "numpy" in sys.modules
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    hold(tmp_path / "params.yaml")
    assert "OPENBLAS_CORETYPE" not in os.environ
    assert standing()[0] == "native"


def test_a_processor_without_avx2_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(portable, "_CPU", tmp_path / "nothing")
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert standing()[1] == "native: this processor has no AVX2"
    assert asked(tmp_path) == "portable"


def test_other_arithmetic_is_other_work(monkeypatch):
    for name, value in CAPS.items():
        monkeypatch.setenv(name, value)
    code_digest.cache_clear()
    held = code_digest("pipeline.media.video")
    assert processor_precision(vectors=True)[1].startswith("float32: the same on every")
    monkeypatch.delenv("MKL_CBWR")
    code_digest.cache_clear()
    assert code_digest("pipeline.media.video") != held
    code_digest.cache_clear()

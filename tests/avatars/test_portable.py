import subprocess
import sys
from pathlib import Path

import pytest

from avatars import portable
from avatars.errors import AvatarError

TWICE = "from avatars.portable import hold_denoiser; print(hold_denoiser()); print(hold_denoiser())"


def test_the_denoiser_is_held_once_in_a_process():
    root = Path(portable.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", TWICE], cwd=root, capture_output=True, text=True, check=False
    )
    assert run.stdout.startswith("portable: the denoiser is held to AVX2 in 9 places")
    assert "another build than the one that is known" in run.stderr  # the question is gone


def test_another_system_is_refused(monkeypatch):
    monkeypatch.setattr(portable.sys, "platform", "darwin")
    with pytest.raises(AvatarError, match=r"Linux on x86-64 alone.*deterministic: native"):
        portable.hold_denoiser()


def test_another_build_is_refused(monkeypatch):
    monkeypatch.setattr(portable, "_LIBRARY", "libNoDenoiser.so.*")
    with pytest.raises(AvatarError, match=r"libNoDenoiser.* is not where this Blender"):
        portable.hold_denoiser()

"""The same bytes on every x86-64 processor with AVX2: what each library may use of a processor.

Libraries choose their code by the processor they find, and a sum in another order ends in another
last bit. Measured at 0ad6192 on a Zen 4 against the digests of a Zen 3 (docs/decisions/bytes.md):
held to AVX2, clips, truth, portraits, transfers and crops are the same bytes. The denoiser has no
such option; `avatars.portable` holds it.

The variables are read when a library is loaded, so `hold` comes before numpy and torch (`flows`
calls it first of all), and the processes that we start inherit them.
"""

import os
import sys
from pathlib import Path
from typing import Literal

import yaml

Mode = Literal["portable", "native"]

CAPS = {
    "OPENBLAS_CORETYPE": "Haswell",  # numpy's and scipy's matrix products
    "ATEN_CPU_CAPABILITY": "avx2",  # torch's own loops
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # torch's convolutions
    "MKL_CBWR": "AVX2",  # torch's matrix products; AMD processors take this code by themselves
}
# numpy's groups by the flags that a processor must have for each. It warns of a group that the
# processor has not, and of one that the wheel has no code for (AVX512_SPR in 1.26).
_NUMPY = {
    "AVX512F": "avx512f", "AVX512CD": "avx512cd", "AVX512_SKX": "avx512vl avx512bw avx512dq",
    "AVX512_CLX": "avx512_vnni", "AVX512_CNL": "avx512ifma avx512vbmi",
    "AVX512_ICL": "avx512_vbmi2 avx512_bitalg avx512_vpopcntdq",
}  # fmt: skip
_CPU = Path("/proc/cpuinfo")


def hold(params: Path = Path("params.yaml")) -> None:
    """Hold this process and those it starts to AVX2, unless `deterministic: native` is asked for.

    Where the file cannot be read the default holds; whoever needs the file says what is wrong.
    A process that has numpy or torch already stays as it is: they have looked at the processor.
    """
    if {"numpy", "torch"} & sys.modules.keys():
        return
    if asked(params) == "native" or "avx2" not in processor_flags():
        for name, value in _caps().items():
            if os.environ.get(name) == value:  # ours, of the process that started this one
                del os.environ[name]
        return
    os.environ.update(_caps())


def asked(params: Path) -> Mode:
    """What the parameter `deterministic` says, without the cost of reading all parameters."""
    try:
        values = yaml.safe_load(params.read_text(encoding="utf-8"))
        return "native" if values["deterministic"] == "native" else "portable"
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return "portable"


def standing() -> tuple[Mode, str]:
    """How this process counts, and the reason in one sentence; part of every work key."""
    if all(os.environ.get(name) == value for name, value in CAPS.items()):
        return "portable", "portable: every library is held to AVX2"
    if "avx2" not in processor_flags():
        return "native", "native: this processor has no AVX2"
    return "native", "native: libraries use all that this processor has"


def processor_flags() -> frozenset[str]:
    """The processor's features by their Linux names; none where the system does not tell them."""
    try:
        lines = _CPU.read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())


def _caps() -> dict[str, str]:
    flags = processor_flags()
    groups = [name for name, needs in _NUMPY.items() if flags.issuperset(needs.split())]
    return CAPS | ({"NPY_DISABLE_CPU_FEATURES": " ".join(groups)} if groups else {})

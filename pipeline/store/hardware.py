"""The machine that a run record names: processor, instruction sets, memory, graphics card."""

import platform
from pathlib import Path
from typing import Any

import psutil

from pipeline.portable import processor_flags

# What changes the bytes or the speed of a run, among the hundred flags of a processor.
SETS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
CPU = Path("/proc/cpuinfo")
CARDS = Path("/proc/driver/nvidia/gpus")


def hardware(cpu: Path = CPU, cards: Path = CARDS) -> dict[str, Any]:
    """`cpu` (model), `instructions` (those of SETS), `ram_gb` and `gpus` (models, maybe none).

    Read without starting a program. On systems without /proc the processor is what Python calls it.
    """
    return {
        "cpu": _value(cpu, "model name") or platform.processor() or "unknown",
        "instructions": [name for name in SETS if name in processor_flags()],
        "ram_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "gpus": [_value(path, "Model") for path in sorted(cards.glob("*/information"))],
    }


def _value(path: Path, name: str) -> str:
    """The text after `name:` in a file of such lines; empty where there is none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return ""
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(found, "")

"""In which precision networks are trained on this processor, and why: the one answer to it.

`fomm` and `models` do not ask the processor; what trains them passes the answer down.
"""

import torch

from pipeline.portable import standing


def processor_precision(vectors: bool = False) -> tuple[torch.dtype, str]:
    """The dtype of a training's convolutions on this processor, and the reason in one sentence.

    bf16 where there are matrix units for it (AMX); emulated, it is two to ten times slower than
    float32. `vectors` says that vector units (AVX-512 BF16) are enough: they double the rate of
    large convolutions on a Zen 4, and gave the small ones of the classifiers nothing. float32 where
    the same bytes are asked of every processor.
    """
    if standing()[0] == "portable":
        return torch.float32, "float32: the same on every processor (deterministic: portable)"
    units = torch.cpu.get_capabilities()
    if units.get("amx_bf16"):
        return torch.bfloat16, "bf16: this processor has bf16 matrix units"
    if vectors and units.get("avx512_bf16"):
        return torch.bfloat16, "bf16: this processor has bf16 vector units"
    asked = "units" if vectors else "matrix units"
    return torch.float32, f"float32: this processor has no bf16 {asked}"

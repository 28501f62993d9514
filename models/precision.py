"""In which precision to compute, and why: what this processor has units for decides."""

import torch


def precision() -> tuple[torch.dtype, str]:
    """The dtype of convolutions on this processor and the reason, one sentence.

    bf16 where there are matrix units for it; emulated, it is ten times slower than float32.
    """
    if torch.cpu.get_capabilities().get("amx_bf16"):
        return torch.bfloat16, "bf16: this processor has bf16 matrix units"
    return torch.float32, "float32: this processor has no bf16 matrix units"

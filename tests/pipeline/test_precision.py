import pytest
import torch

from pipeline.precision import processor_precision


@pytest.mark.parametrize(
    ("units", "vectors", "dtype", "reason"),
    [({"amx_bf16": True, "avx512_bf16": True}, False, torch.bfloat16, "has bf16 matrix units"),
     ({"amx_bf16": True, "avx512_bf16": True}, True, torch.bfloat16, "has bf16 matrix units"),
     ({"avx512_bf16": True}, False, torch.float32, "has no bf16 matrix units"),
     ({"avx512_bf16": True}, True, torch.bfloat16, "has bf16 vector units"),
     ({}, True, torch.float32, "has no bf16 units")],
)  # fmt: skip
def test_the_processor_decides_and_says_why(units, vectors, dtype, reason, monkeypatch):
    monkeypatch.delenv("MKL_CBWR", raising=False)  # deterministic: native
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: units)
    chosen, because = processor_precision(vectors)
    assert chosen is dtype
    assert because.startswith("bf16: " if dtype is torch.bfloat16 else "float32: ")
    assert because.endswith(reason)

import pytest
import torch

from models import precision


@pytest.mark.parametrize(("units", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_the_processor_decides_and_says_why(monkeypatch, units, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": units})
    chosen, because = precision()
    assert chosen is dtype
    assert because.endswith("has bf16 matrix units" if units else "has no bf16 matrix units")

"""What a killed training goes on from: all that its next epoch depends on, in one file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from pipeline.files import writing


class Stateful(Protocol):
    """A network, an optimiser or a schedule."""

    def state_dict(self) -> Any: ...

    def load_state_dict(self, state_dict: Any) -> Any: ...


def save(
    path: Path | None, parts: Mapping[str, Stateful], draws: torch.Generator, done: dict[str, Any]
) -> None:
    """Write the parts' states, every generator's and `done` (tensors and plain values)."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as unfinished:
        torch.save(
            {
                "parts": {name: part.state_dict() for name, part in parts.items()},
                "draws": draws.get_state(),
                "torch": torch.get_rng_state(),
                "cuda": torch.cuda.get_rng_state_all(),
                "done": done,
            },
            unfinished,
        )


def load(
    path: Path | None, parts: Mapping[str, Stateful], draws: torch.Generator
) -> dict[str, Any]:
    """`done` as it was saved, with parts and generators put back; {} where nothing was saved."""
    if path is None or not path.is_file():
        return {}
    stored = torch.load(path, map_location="cpu", weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(stored["parts"][name])
    draws.set_state(stored["draws"])
    torch.set_rng_state(stored["torch"])
    torch.cuda.set_rng_state_all(stored["cuda"])
    return dict(stored["done"])

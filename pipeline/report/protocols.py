"""A protocol in words: how its sides are drawn, and who stands on both of them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.report.templates import counted, told

if TYPE_CHECKING:
    from pipeline.study import Protocol, Study

Proof = Mapping[str, Any]
WHOLE = {"clip": "whole clips", "person": "whole people", "group": "whole groups of people"}
# What a split proof counts, and what it is called; `person` is who is seen.
SHARED = {
    "groups": "groups of people", "person": "people seen", "identity": "people seen or driving",
    "portrait": "portraits", "driving_clip": "driving clips", "clips": "clips",
}  # fmt: skip


def drawn(protocol: "Protocol") -> str:
    """How sides are drawn: `15 % of the corpus is tested, drawn in whole clips`."""
    if protocol.copies:
        rest = drawn(protocol.model_copy(update={"copies": 0.0}))
        return f"{told(protocol.copies)} % of the {protocol.unit}s are copied first; {rest}"
    pieces = WHOLE.get(protocol.together, f"single {protocol.unit}s")
    if protocol.folds:
        again = f", {protocol.repeats} times" if protocol.repeats > 1 else ""
        return f"{protocol.folds} folds of {pieces}, each tested once{again}"
    if protocol.test_cohorts:
        return f"tested on {' and '.join(protocol.test_cohorts)}, trained on everybody else"
    if protocol.counts:
        sides = protocol.counts.model_dump().items()
        numbers = ", ".join(f"{counted(n, protocol.unit)} to {side}" for side, n in sides)
        return f"{numbers}, drawn in {pieces}"
    return f"{told(protocol.test or 0)} % of the corpus is tested, drawn in {pieces}"


def overlap(protocol: "Protocol", proof: Proof) -> str:
    """Who stands on both sides, in the words of what the protocol should hold together."""
    key = "groups" if protocol.together == "group" else "person"
    found = proof[key]
    people = "groups of people" if key == "groups" else "people"
    return f"{found['shared']} of {found['test']} tested {people} on both sides"


def proofs(study: "Study", by_draw: Mapping[str, Proof]) -> dict[str, Proof]:
    """The split proof of each protocol; those of folds are added up, the nearest is the least."""
    return {
        name: _added([by_draw[draw] for draw in protocol.draws(name)])
        for name, protocol in study.protocols.items()
    }


def _added(draws: Sequence[Proof]) -> Proof:
    sums = {
        key: {side: sum(proof[key][side] for proof in draws) for side in ("test", "shared")}
        for key in SHARED
    }
    return {
        **sums,
        "shared_frames": sum(proof["shared_frames"] for proof in draws),
        "nearest": min(proof["nearest"]["median"] for proof in draws),
        "draws": len(draws),
    }

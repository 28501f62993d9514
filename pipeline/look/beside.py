"""What a clip stands beside: its driver, its portrait, its people on the other side of a split."""

from typing import Any

from pipeline.lineage.database import Index, Row

FEW = 12  # clips that are named; the others are counted

# Sides of clips in one draw of the split. A clip of windows on both sides has two rows.
_SIDES = "SELECT clip, side FROM placed WHERE draw = $draw"
_TESTED = """
    SELECT answer.draw FROM answer JOIN main USING (task, model, protocol)
    WHERE answer.clip = $clip ORDER BY answer.draw LIMIT 1
"""
_ANY = """
    SELECT trial.draw FROM trial JOIN main USING (task, model, protocol)
    WHERE trial.kind = 'model' ORDER BY trial.draw LIMIT 1
"""
_SAME = f"""
    WITH sides AS ({_SIDES})
    SELECT seen.id, seen.label, seen.kind, sides.side FROM seen JOIN sides ON sides.clip = seen.id
    WHERE seen.id <> $clip AND (seen.subject IN ($subject, $person)
        OR seen.person IN ($subject, $person)) ORDER BY seen.id
"""
# Who was learnt from and is most like who is seen: of the same label, by what is known of people.
_ALIKE = f"""
    WITH sides AS ({_SIDES})
    SELECT seen.id, seen.label, seen.kind, seen.subject, seen.sex, seen.ethnicity, seen.age
    FROM seen JOIN sides ON sides.clip = seen.id
    WHERE sides.side = 'train' AND seen.subject <> $subject AND seen.label = $label
    ORDER BY seen.sex IS NOT DISTINCT FROM $sex DESC,
        seen.ethnicity IS NOT DISTINCT FROM $ethnicity DESC, abs(seen.age - $age) NULLS LAST,
        seen.id LIMIT {FEW // 2}
"""


def beside(index: Index, clip: Row) -> dict[str, Any]:
    """Of a row of `seen`: its `draw` and `sides` there, `driver`, `portrait`, `same`, `alike`.

    The draw is the one of the study's main trial that tests the clip, else the first. `same` are
    the clips of who is seen or drives on the `other` side, and how many on its own; `alike` the
    clips of the people learnt from who are most like who is seen.
    """
    name = clip["id"]
    found = index.column(_TESTED, clip=name) or index.column(_ANY)
    draw = found[0] if found else ""
    sides = sorted(index.column(f"SELECT side FROM ({_SIDES}) WHERE clip = $clip", draw=draw,
                                clip=name))  # fmt: skip
    same = index.rows(_SAME, draw=draw, clip=name, subject=clip["subject"], person=clip["person"])
    # Validation decides weights too, so it stands on the side that is learnt from.
    own = {side == "test" for side in sides}
    other = [row for row in same if sides and (row["side"] == "test") not in own]
    return {
        "draw": draw,
        "sides": sides,
        "driver": _driver(index, clip, draw),
        "portrait": _portrait(index, clip),
        "same": {"own": len(same) - len(other), "count": len(other), "other": other[:FEW]},
        "alike": index.rows(
            _ALIKE, draw=draw, subject=clip["subject"], label=clip["label"], sex=clip["sex"],
            ethnicity=clip["ethnicity"], age=clip["age"],
        ),
    }  # fmt: skip


def _driver(index: Index, clip: Row, draw: str) -> Row | None:
    if clip["kind"] != "transfer":
        return None
    row = index.one("SELECT id, label, status FROM clip WHERE id = $id", id=clip["driving"])
    sides = index.column(f"SELECT side FROM ({_SIDES}) WHERE clip = $clip", draw=draw,
                         clip=clip["driving"])  # fmt: skip
    return {**row, "sides": sorted(sides)} if row else None


def _portrait(index: Index, clip: Row) -> Row | None:
    if not clip["portrait"]:
        return None
    return index.one("SELECT id, key, person, licence FROM portrait WHERE id = $id",
                     id=clip["portrait"])  # fmt: skip

"""Who is in the corpus, and how often a model errs on them: by sex, ethnicity, age and kind."""

from collections.abc import Mapping
from typing import Any

from pipeline.lineage.database import Index
from pipeline.splits.groups import age_band

# Who is seen: the portrait's person, or the avatar itself; not who is only asked about.
_SEEN = """
    SELECT sample.id AS sample, clip.id AS clip, side.side AS side, seen.sex AS sex,
           seen.ethnicity AS ethnicity, clip.kind AS kind, seen.age AS age
    FROM side JOIN sample ON sample.id = side.sample JOIN clip ON clip.id = sample.clip
    LEFT JOIN portrait ON portrait.id = clip.portrait
    JOIN person AS seen ON seen.id = coalesce(portrait.person, clip.person)
    WHERE side.task = $task AND side.draw = $draw AND sample.origin IS NULL AND clip.trained"""
TRAITS = ("sex", "ethnicity", "age", "kind")


def coverage(
    database: Index, task: str, draws: list[str], wrong: Mapping[str, float]
) -> list[dict[str, Any]]:
    """One row a trait and value: `train` and `test` clips, tested `windows` and their `error`.

    `wrong` is the share of draws that err on each tested sample. `error` is their mean over the
    test windows, None where none was tested. Under folds a clip counts on both sides.
    """
    clips: dict[tuple[str, str, str], set[str]] = {}
    tested: dict[tuple[str, str], set[str]] = {}
    for row in (row for draw in draws for row in database.stream(_SEEN, task=task, draw=draw)):
        for trait in TRAITS:
            value = (age_band(row["age"]) if trait == "age" else row[trait]) or "unknown"
            clips.setdefault((trait, value, row["side"]), set()).add(row["clip"])
            if row["sample"] in wrong:
                tested.setdefault((trait, value), set()).add(row["sample"])
    errors = {key: sum(wrong[name] for name in names) for key, names in tested.items()}
    return [
        {
            "trait": key[0],
            "value": key[1],
            "train": len(clips.get((*key, "train"), ())),
            "test": len(clips.get((*key, "test"), ())),
            "windows": len(tested.get(key, ())),
            "error": round(errors[key] / len(tested[key]), 4) if key in tested else None,
        }
        for key in sorted({(trait, value) for trait, value, _ in clips})
    ]

"""Who is in the corpus, and how often the model errs on them: by sex, ethnicity, age and kind."""

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.lineage.corpus import PREDICTIONS
from pipeline.lineage.index import stream

# Who is seen: the portrait's person, or the avatar itself. Bands as the clean split's (groups.py).
_SEEN = """
    SELECT sample.id AS sample, clip.id AS clip, side.side AS side, seen.sex AS sex,
           seen.ethnicity AS ethnicity, clip.kind AS kind,
           CASE WHEN seen.age IS NULL THEN NULL WHEN seen.age < 40 THEN 'under 40'
                WHEN seen.age < 60 THEN '40 to 59' ELSE '60 and older' END AS age
    FROM side JOIN sample ON sample.id = side.sample JOIN clip ON clip.id = sample.clip
    LEFT JOIN portrait ON portrait.id = clip.portrait
    JOIN person AS seen ON seen.id = coalesce(portrait.person, clip.person)
    WHERE side.protocol = ? AND sample.origin IS NULL"""
TRAITS = ("sex", "ethnicity", "age", "kind")


def coverage(database: sqlite3.Connection, protocol: str, root: Path) -> list[dict[str, Any]]:
    """One row a trait and value: `train` and `test` clips, tested `windows` and their `error`.

    `error` is the share of test windows whose likeliest class is wrong, None where none was tested.
    """
    wrong = {
        row["sample_id"]: row["predicted"] != row["label"]
        for row in stream(root / PREDICTIONS / f"{protocol}.jsonl")
    }
    clips: dict[tuple[str, str, str], set[str]] = {}
    tested: Counter[tuple[str, str]] = Counter()
    errors: Counter[tuple[str, str]] = Counter()
    for row in database.execute(_SEEN, (protocol,)):
        for trait in TRAITS:
            value = row[trait] or "unknown"
            clips.setdefault((trait, value, row["side"]), set()).add(row["clip"])
            if row["sample"] in wrong:
                tested[trait, value] += 1
                errors[trait, value] += wrong[row["sample"]]
    rows = sorted({(trait, value) for trait, value, _ in clips})
    return [
        {
            "trait": trait,
            "value": value,
            "train": len(clips.get((trait, value, "train"), ())),
            "test": len(clips.get((trait, value, "test"), ())),
            "windows": tested[trait, value],
            "error": round(errors[trait, value] / tested[trait, value], 4)
            if tested[trait, value]
            else None,
        }
        for trait, value in rows
    ]

"""Clips for blind rating, in Label Studio's format, and the ratings back: `docs/formats/rating.md`.

A task names a clip by a hash that nobody can read a label from; the corpus itself finds it again.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from sklearn.metrics import cohen_kappa_score

from pipeline.errors import StageError
from pipeline.files import digest, read_json, write_json
from pipeline.naming import nearest
from pipeline.report.templates import counted
from pipeline.study import Study

CHOICES = "label"  # the name of the question in the configuration
UNSURE = "cannot tell"
SERVED = "/data/local-files/?d="  # Label Studio's address of files in its own document root


@dataclass(frozen=True)
class Rating:
    """What one rater called one clip."""

    clip_id: str
    rater: str
    label: str


@dataclass(frozen=True)
class Ratings:
    """All ratings: `agreed` clips and their label, `disputed` ones and who said what."""

    rows: list[Rating]
    agreed: dict[str, str]
    disputed: dict[str, dict[str, str]]


def blind(clip_id: str, seed: int) -> str:
    """The name of a clip for raters: ten hex digits that follow from the seed of the study."""
    return digest(["rating", seed, clip_id], 10)


def write_tasks(
    films: Mapping[str, Path], study: Study, seed: int, folder: Path, root: str = ""
) -> None:
    """Fill `folder` with config.xml, tasks.json and clips/<blind>.mp4, in the order of blind names.

    `films` are playable twins by clip id; `root` is where `folder` lies below Label Studio's
    document root.
    """
    (folder / "clips").mkdir(parents=True)
    tasks = []
    for name, film in sorted((blind(clip, seed), film) for clip, film in films.items()):
        shutil.copyfile(film, folder / "clips" / f"{name}.mp4")
        place = "/".join(part for part in (root.strip("/"), "clips", f"{name}.mp4") if part)
        tasks.append({"data": {"video": f"{SERVED}{place}", "item": name}})
    write_json(folder / "tasks.json", tasks)
    (folder / "config.xml").write_text(_configuration(study))


def _configuration(study: Study) -> str:
    words = [*study.labels, UNSURE]
    choices = "\n".join(f"    <Choice value={quoteattr(word)}/>" for word in words)
    return (
        f"<View>\n  <Header value={quoteattr(study.question)}/>\n"
        '  <Video name="video" value="$video"/>\n'
        f'  <Choices name="{CHOICES}" toName="video" choice="single" required="true">\n'
        f"{choices}\n  </Choices>\n</View>\n"
    )


def read_ratings(path: Path, clips: Sequence[str], study: Study, seed: int) -> Ratings:
    """The ratings of a file that Label Studio exported as JSON.

    Clips that all their raters call one thing are agreed; UNSURE counts as a word of its own.
    Raises StageError for a file of another form, a clip or label that is not there, and a rater who
    rated a clip twice.
    """
    known = {blind(clip, seed): clip for clip in clips}
    rows: list[Rating] = []
    for number, task in enumerate(_tasks(path)):
        clip = _clip(task, known, path, number)
        for annotation in task.get("annotations", []):
            if not annotation.get("was_cancelled"):
                rows.append(Rating(clip, _rater(annotation), _label(annotation, study, clip)))
    return _sorted_out(rows, path)


def _tasks(path: Path) -> list[dict[str, Any]]:
    tasks = read_json(path)
    if not isinstance(tasks, list) or not all(isinstance(t, dict) and "data" in t for t in tasks):
        raise StageError(f"{path} is no export of Label Studio; choose its format JSON, not CSV")
    return tasks


def _clip(task: dict[str, Any], known: Mapping[str, str], path: Path, number: int) -> str:
    name = str(task["data"].get("item"))
    if name not in known:
        raise StageError(
            f"{path}: task {task.get('id', number)} rates '{name}', which is no clip of this "
            "corpus; were the tasks made of another study or seed?"
        )
    return known[name]


def _rater(annotation: Mapping[str, Any]) -> str:
    """Label Studio gives a number, or a record with an address."""
    by = annotation.get("completed_by")
    return str(by.get("email") or by.get("id")) if isinstance(by, dict) else str(by)


def _label(annotation: Mapping[str, Any], study: Study, clip: str) -> str:
    for row in annotation.get("result", []):
        if row.get("from_name") == CHOICES and row.get("value", {}).get("choices"):
            label = str(row["value"]["choices"][0])
            words = [*study.labels, UNSURE]
            if label not in words:
                raise StageError(f"'{label}' of {clip} is no label; {nearest(label, words)}")
            return label
    raise StageError(f"a rating of {clip} has no answer to '{CHOICES}'; ask its rater again")


def _sorted_out(rows: list[Rating], path: Path) -> Ratings:
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        if row.rater in said[row.clip_id]:
            raise StageError(f"{path}: rater {row.rater} rated {row.clip_id} twice; keep one")
        said[row.clip_id][row.rater] = row.label
    one = {clip: set(found.values()) for clip, found in said.items()}
    agreed = {clip: next(iter(words)) for clip, words in sorted(one.items()) if len(words) == 1}
    disputed = {clip: said[clip] for clip in sorted(said) if clip not in agreed}
    return Ratings(sorted(rows, key=lambda row: (row.clip_id, row.rater)), agreed, disputed)


def summary(ratings: Ratings, truth: Mapping[str, str]) -> list[str]:
    """Sentences: each rater against the plan's labels, raters against each other, who disagrees."""
    lines = []
    raters = sorted({row.rater for row in ratings.rows})
    for rater in raters:
        mine = [row for row in ratings.rows if row.rater == rater]
        right = sum(row.label == truth[row.clip_id] for row in mine)
        lines.append(
            f"rater {rater}: {right} of {counted(len(mine), 'clip')} as the plan labels them"
        )
    for place, first in enumerate(raters):
        for second in raters[place + 1 :]:
            lines.append(_agreement(ratings, first, second))
    for clip, said in ratings.disputed.items():
        words = ", ".join(f"rater {rater} says {label}" for rater, label in sorted(said.items()))
        lines.append(f"{clip}: {words}; no label is taken from them")
    return lines


def _agreement(ratings: Ratings, first: str, second: str) -> str:
    by = {rater: {row.clip_id: row.label for row in ratings.rows if row.rater == rater}
          for rater in (first, second)}  # fmt: skip
    both = sorted(set(by[first]) & set(by[second]))
    if not both:
        return f"raters {first} and {second} rated no clip in common"
    pairs = Counter(by[first][clip] == by[second][clip] for clip in both)
    lists = [[by[rater][clip] for clip in both] for rater in (first, second)]
    one_word = len(set(lists[0]) | set(lists[1])) == 1  # kappa has nothing to divide by
    kappa = "" if one_word else f", Cohen's kappa {cohen_kappa_score(*lists):.2f}"
    return (
        f"raters {first} and {second} agree on {pairs[True]} of {counted(len(both), 'clip')}{kappa}"
    )

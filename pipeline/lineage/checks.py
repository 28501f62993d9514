"""The tables of a corpus against each other: ids, labels, sides, copies and figures.

A hash says that a file differs; these say what in it. They find an edit even when whoever made it
has put every hash right, because one table's edit contradicts the others.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.evaluation.metrics import mean_by
from pipeline.files import child_seed
from pipeline.lineage.corpus import FACES, METRICS, OVERSAMPLED, PLAN, PREDICTIONS, SPLIT, Corpus
from pipeline.params import Params
from pipeline.records import PROTOCOLS, FaceTrack, Partner, Protocol, Sample, short_id
from pipeline.splits.groups import group_clips
from pipeline.splits.split import split


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was made: `what` kind, `where` (a file or id), `detail`."""

    what: str
    where: str
    detail: str

    def text(self) -> str:
        """One line for people."""
        return f"{self.what}: {self.where}: {self.detail}"


def check_tables(corpus: Corpus, params: Params) -> Iterator[Finding]:
    """Every contradiction inside a corpus; none for one that the stages made."""
    planned = dict(_planned(corpus))
    labels = {name: facts["label"] for name, facts in planned.items()}
    yield from _check_ids(corpus)
    yield from _check_tracks(corpus, planned)
    for protocol in PROTOCOLS:
        yield from _check_windows(corpus, protocol, labels)
        yield from _check_copies(corpus, protocol)
        yield from _check_predictions(corpus, protocol, labels)
    # Drawn from what was planned: an edited track is one finding, not another split as well.
    known = [track for track in corpus.tracks if track.clip_id in planned]
    tracks = [FaceTrack.parse(track.row() | planned[track.clip_id]) for track in known]
    yield from _check_sides(corpus, tracks, params)
    yield from _check_people(corpus, tracks)


def _check_ids(corpus: Corpus) -> Iterator[Finding]:
    # An id is the digest of its row, so an edited row no longer has its own.
    plan = corpus.plan
    for clip in plan.clips:
        yield from _own_id(clip.clip_id, clip.row() | {"clip_id": ""})
        yield from _own_person(clip.clip_id, clip.person.identity_id, clip.identity)
    for portrait in plan.portraits:
        yield from _own_id(portrait.portrait_id, portrait.row() | {"portrait_id": ""})
        if portrait.clip:
            identity = portrait.clip.identity
            yield from _own_person(portrait.portrait_id, portrait.person.identity_id, identity)
    labels = {clip.clip_id: clip.expression for clip in plan.clips}
    for row in plan.transfers:
        content = row.row()
        del content["kind"], content["clip_id"]
        yield from _own_id(row.clip_id, content)
        if row.expression != labels.get(row.driving_clip_id):
            yield _label(PLAN, row.clip_id, row.expression, labels.get(row.driving_clip_id))


def _own_id(name: str, content: dict[str, Any]) -> Iterator[Finding]:
    if short_id(name.rpartition("-")[0], content) != name:
        yield Finding("edited manifest", str(PLAN), f"row {name} is not what its id was made of")


def _own_person(name: str, person: str, identity: dict[str, Any]) -> Iterator[Finding]:
    if short_id("identity", identity) != person:
        yield Finding("edited manifest", str(PLAN), f"{name} names a person it does not show")


def _check_tracks(corpus: Corpus, planned: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    table = FACES / "faces.jsonl"
    seen = Counter([t.clip_id for t in corpus.tracks] + [q["clip_id"] for q in corpus.quarantine])
    for name in sorted(set(planned) - set(seen)):
        yield Finding("edited manifest", str(table), f"{name} is neither kept nor quarantined")
    for name in sorted(set(seen) - set(planned)):
        yield Finding("edited manifest", str(table), f"{name} was never planned")
    for name in sorted(name for name, count in seen.items() if count > 1):
        yield Finding("edited manifest", str(table), f"{name} has {seen[name]} rows")
    for track in corpus.tracks:
        if track.clip_id in planned:
            yield from _check_track(track, planned[track.clip_id])


def _check_track(track: FaceTrack, planned: dict[str, Any]) -> Iterator[Finding]:
    table = FACES / "faces.jsonl"
    if track.label != planned["label"]:
        yield _label(table, track.clip_id, track.label, planned["label"])
    row = track.row()
    for field, value in planned.items():
        if field != "label" and row[field] != value:
            detail = f"{track.clip_id} has {field} {row[field]}, the plan has {value}"
            yield Finding("edited manifest", str(table), detail)


def _planned(corpus: Corpus) -> Iterator[tuple[str, dict[str, Any]]]:
    clips = {clip.clip_id: clip for clip in corpus.plan.clips}
    faces = {portrait.portrait_id: portrait.person for portrait in corpus.plan.portraits}
    for clip in corpus.plan.clips:
        yield clip.clip_id, _facts("avatar", clip, clip.clip_id, None, clip.person)
    for row in corpus.plan.transfers:
        driver = clips.get(row.driving_clip_id)
        if driver and row.portrait_id in faces:
            seen = faces[row.portrait_id]
            facts = _facts("transfer", driver, row.driving_clip_id, row.portrait_id, seen)
            yield row.clip_id, facts


def _facts(kind: str, driver: Any, driving: str, portrait: str | None, seen: Any) -> dict[str, Any]:
    return {
        "kind": kind, "label": driver.expression, "identity_id": driver.person.identity_id,
        "driving_clip_id": driving, "portrait_id": portrait, "person": seen.row(),
    }  # fmt: skip


def _check_windows(corpus: Corpus, protocol: Protocol, labels: dict[str, str]) -> Iterator[Finding]:
    table = SPLIT / f"{protocol}.jsonl"
    for row in corpus.splits[protocol]:
        content = {"clip_id": row.clip_id, "start": row.start, "length": row.length}
        if short_id("sample", content) != row.sample_id:
            yield Finding("edited manifest", str(table), f"{row.sample_id} is another window's id")
        if row.label != labels.get(row.clip_id):
            yield _label(table, row.sample_id, row.label, labels.get(row.clip_id))


def _check_sides(corpus: Corpus, tracks: list[FaceTrack], params: Params) -> Iterator[Finding]:
    # The draw is made again from its seed: whatever stands elsewhere was moved.
    drawn = split(tracks, params.split, child_seed(params.seed, "split"))
    for protocol in PROTOCOLS:
        samples = {sample.sample_id: sample for sample in drawn[protocol]}
        table = str(SPLIT / f"{protocol}.jsonl")
        for row in corpus.splits[protocol]:
            sample = samples.pop(row.sample_id, None)
            if sample is None or row.side != sample.side:
                side = sample.side if sample else "nowhere"
                detail = f"{row.sample_id} of {row.clip_id} is on {row.side}, drawn {side}"
                yield Finding("sample moved", table, detail)
            elif row != sample.model_copy(update={"label": row.label}):  # a label is said once
                yield Finding("edited manifest", table, f"{row.sample_id} is not as it was drawn")
        for name in samples:
            yield Finding("edited manifest", table, f"{name} was drawn but is not there")


def _check_people(corpus: Corpus, tracks: list[FaceTrack]) -> Iterator[Finding]:
    groups = group_clips(tracks)
    sides: dict[str, set[str]] = {}
    for row in corpus.splits["clean"]:
        sides.setdefault(groups.get(row.clip_id, row.group), set()).add(row.side)
    for name in sorted(group for group, found in sides.items() if len(found) == 2):
        yield Finding(
            "people on both sides", str(SPLIT / "clean.jsonl"), f"the group of {name} is split"
        )


def _check_copies(corpus: Corpus, protocol: Protocol) -> Iterator[Finding]:
    table = str(OVERSAMPLED / f"{protocol}.jsonl")
    split_rows, rows = corpus.splits[protocol], corpus.oversampled[protocol]
    for ours, theirs in zip(split_rows, rows, strict=False):
        if ours != theirs:
            detail = f"{theirs.sample_id} is not the row of {SPLIT / f'{protocol}.jsonl'}"
            yield Finding("edited manifest", table, detail)
    originals = {row.sample_id: row for row in split_rows}
    numbers: Counter[str] = Counter()
    for copy in rows[len(split_rows) :]:
        numbers[copy.origin or ""] += 1
        yield from _check_copy(copy, originals, numbers, table)


def _check_copy(
    copy: Sample, originals: dict[str, Sample], numbers: Counter[str], table: str
) -> Iterator[Finding]:
    origin = originals.get(copy.origin or "")
    if origin is None or origin.side != "train" or copy.side != "train":
        side = origin.side if origin else "no"
        detail = f"{copy.sample_id} is a copy on {copy.side} of a sample on the {side} side"
        yield Finding("oversampling outside training", table, detail)
        return
    if copy.partner and not _may_blend(copy.partner, originals, origin):
        detail = f"{copy.sample_id} is blended with {copy.partner.sample_id}, no training window "
        yield Finding("oversampling outside training", table, detail + f"of {origin.label}")
    if copy.label != origin.label:
        yield _label(table, copy.sample_id, copy.label, origin.label)
    elif copy != origin.copied(numbers[origin.sample_id], copy.partner):
        detail = f"{copy.sample_id} is not its origin's copy"
        yield Finding("edited manifest", table, detail)


def _may_blend(said: Partner, originals: dict[str, Sample], origin: Sample) -> bool:
    partner = originals.get(said.sample_id)
    if partner is None or partner.side != "train" or partner.label != origin.label:
        return False
    return (said.clip_id, said.start) == (partner.clip_id, partner.start)


def _check_predictions(
    corpus: Corpus, protocol: Protocol, labels: dict[str, str]
) -> Iterator[Finding]:
    table = str(PREDICTIONS / f"{protocol}.jsonl")
    rows = corpus.predictions[protocol]
    tested = [row.sample_id for row in corpus.splits[protocol] if row.side == "test"]
    for name in _differing(tested, (row["sample_id"] for row in rows)):
        yield Finding("edited manifest", table, f"{name} is not tested and predicted once")
    for row in rows:
        if row["label"] != labels.get(row["clip_id"]):
            yield _label(table, row["sample_id"], row["label"], labels.get(row["clip_id"]))
    if rows:
        yield from _check_figures(rows, corpus.evaluation[protocol], protocol)


def _check_figures(
    rows: list[dict[str, Any]], stated: dict[str, Any], protocol: Protocol
) -> Iterator[Finding]:
    for unit, accuracy in accuracies(rows).items():
        if abs(accuracy - stated[f"by_{unit}"]["accuracy"]) > 1e-6:
            detail = f"{protocol} accuracy by {unit} is stated as "
            detail += f"{stated[f'by_{unit}']['accuracy']}, its predictions give {accuracy}"
            yield Finding("figure without ground", str(METRICS / "evaluation.json"), detail)


def accuracies(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Accuracy by `window` and by `clip` (mean probabilities), from prediction rows alone."""
    labels = sorted(rows[0]["probabilities"])
    table = np.array([[row["probabilities"][label] for label in labels] for row in rows])
    truth = np.array([labels.index(row["label"]) for row in rows])
    _, classes, means = mean_by([row["clip_id"] for row in rows], truth, table)
    return {
        "window": round(float((table.argmax(1) == truth).mean()), 6),
        "clip": round(float((means.argmax(1) == classes).mean()), 6),
    }


def _differing(expected: Iterable[str], found: Iterable[str]) -> list[str]:
    once, seen = Counter(expected), Counter(found)
    return sorted(name for name in once | seen if once[name] != seen[name])


def _label(table: Any, name: str, found: str, true: str | None) -> Finding:
    return Finding("swapped label", str(table), f"{name} is called {found}, it was made as {true}")

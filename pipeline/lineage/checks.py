"""The plan of a study against its ids and arms, and the kept clips against the plan."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.lineage.corpus import Corpus
from pipeline.records import ClipPlan, Person, Planned, short_id
from pipeline.study import Study
from pipeline.workspace import Workspace

ARM = tuple(Planned.model_fields)  # what follows from a clip's arm: label, targets, cohort, trained
Facts = dict[str, dict[str, Any]]  # by clip: what its track must say


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was made: `what` kind, `where` (a file or id), `detail`."""

    what: str
    where: str
    detail: str

    def text(self) -> str:
        """One line for people."""
        return f"{self.what}: {self.where}: {self.detail}"


def check_plan(corpus: Corpus, study: Study, planned: Facts) -> Iterator[Finding]:
    """Rows that are not what their id says, or what no arm of the study makes of them."""
    names = Workspace(study.name)
    yield from _check_ids(corpus, names.plan)
    yield from _check_arms(corpus, study, names.plan)
    yield from _check_tracks(corpus, planned, names.faces / "faces.jsonl")


def _check_ids(corpus: Corpus, table: Path) -> Iterator[Finding]:
    # An id is the digest of its row, so an edited row no longer has its own.
    plan = corpus.plan
    people = [(c.clip_id, c.person, c.identity) for c in plan.clips]
    people += [(p.portrait_id, p.person, p.clip.identity) for p in plan.portraits if p.clip]
    rows = [(c.clip_id, c.content()) for c in plan.clips]
    rows += [(p.portrait_id, p.content()) for p in plan.portraits]
    rows += [(t.clip_id, t.content()) for t in plan.transfers]
    for name, content in rows:
        if short_id(name.rpartition("-")[0], content) != name:
            yield Finding(
                "edited manifest", str(table), f"row {name} is not what its id was made of"
            )
    for name, person, identity in people:
        if short_id("identity", identity) != person.identity_id:
            detail = f"{name} names a person it does not show"
            yield Finding("edited manifest", str(table), detail)


def _check_arms(corpus: Corpus, study: Study, table: Path) -> Iterator[Finding]:
    # What a clip is in its study is in no id: it follows from an arm, or from who drives it.
    drivers = {clip.clip_id: clip for clip in corpus.plan.clips}
    for clip in corpus.plan.clips:
        arms = [arm for arm in study.arms if _performs(clip, study, arm.expressions, arm.cohorts)]
        given = [(arm.label, arm.trained, {c.kind for c in arm.conditions}) for arm in arms
                 if clip.signs.keys() == arm.signs.keys()
                 and set(clip.occluders) <= arm.occluders.keys()]  # fmt: skip
        mine = (clip.label, clip.trained, {row["kind"] for row in clip.conditions})
        if mine not in given or clip.targets != _targets(clip):
            detail = f"{clip.clip_id} is {clip.label} {clip.targets or ''}".rstrip()
            yield Finding("swapped label", str(table), f"{detail}, which no arm of its study makes")
    for row in corpus.plan.transfers:
        driver = drivers.get(row.driving_clip_id)
        if driver is None or any(getattr(row, n) != getattr(driver, n) for n in ARM):
            yield mislabelled(table, row.clip_id, row.label, driver.label if driver else None)
        elif row.expression != driver.expression:
            yield mislabelled(table, row.clip_id, row.expression, driver.expression)


def _performs(clip: ClipPlan, study: Study, expressions: list[str], cohorts: list[str]) -> bool:
    return (
        clip.expression in expressions
        and clip.cohort in cohorts
        and int(clip.key.partition("/")[0]) in study.numbers(clip.cohort)
    )


def _targets(clip: ClipPlan) -> dict[str, float]:
    """The targets that the conditions of a clip give it (pipeline.corpus.plan)."""
    severities = {row["kind"]: row["severity"] for row in clip.conditions}
    worst = {"severity": max(severities.values())} if severities else {}
    return worst | severities if len(severities) > 1 else worst


def _check_tracks(corpus: Corpus, planned: Facts, table: Path) -> Iterator[Finding]:
    seen = Counter([t.clip_id for t in corpus.tracks] + [q["clip_id"] for q in corpus.quarantine])
    for name in sorted(set(planned) - set(seen)):
        yield Finding("edited manifest", str(table), f"{name} is neither kept nor quarantined")
    for name in sorted(set(seen) - set(planned)):
        yield Finding("edited manifest", str(table), f"{name} was never planned")
    for name in sorted(name for name, count in seen.items() if count > 1):
        yield Finding("edited manifest", str(table), f"{name} has {seen[name]} rows")
    for track in corpus.tracks:
        row = track.row()
        for field, value in planned.get(track.clip_id, {}).items():
            if row[field] != value and field == "label":
                yield mislabelled(table, track.clip_id, track.label, value)
            elif row[field] != value:
                detail = f"{track.clip_id} has {field} {row[field]}, the plan has {value}"
                yield Finding("edited manifest", str(table), detail)


def planned_facts(corpus: Corpus) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the plan says of each clip, as its track must."""
    clips = {clip.clip_id: clip for clip in corpus.plan.clips}
    faces = {portrait.portrait_id: portrait.person for portrait in corpus.plan.portraits}
    for clip in corpus.plan.clips:
        yield clip.clip_id, _facts("avatar", clip, None, clip.person)
    for row in corpus.plan.transfers:
        driver = clips.get(row.driving_clip_id)
        if driver and row.portrait_id in faces:
            facts = _facts("transfer", driver, row.portrait_id, faces[row.portrait_id])
            yield row.clip_id, facts


def _facts(kind: str, driver: ClipPlan, portrait: str | None, seen: Person) -> dict[str, Any]:
    return {
        **{name: getattr(driver, name) for name in ARM},
        "kind": kind, "identity_id": driver.person.identity_id,
        "driving_clip_id": driver.clip_id, "portrait_id": portrait, "person": seen.row(),
    }  # fmt: skip


def mislabelled(table: Any, name: str, found: str | None, true: str | None) -> Finding:
    """A row whose label is not the `true` one."""
    return Finding("swapped label", str(table), f"{name} is called {found}, it was made as {true}")

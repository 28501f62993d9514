"""After a removal no byte, look or name is left; before it, nothing is touched."""

import hashlib
import json
import shutil
from contextlib import closing
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from flows.cli import main
from pipeline.corpus.register import register_rows
from pipeline.errors import StageError
from pipeline.files import read_jsonl, write_jsonl
from pipeline.lineage import looks
from pipeline.lineage.erase import erase, going, leave_register, photographs
from pipeline.lineage.forget import consequences
from pipeline.lineage.index import open_index
from pipeline.lineage.lock import file_md5, listing, object_path, outs, read_lock
from pipeline.lineage.removal import (
    Removal,
    Subject,
    derived_names,
    find_subject,
    plan_removal,
    row_names,
)
from pipeline.lineage.search import known_looks, search
from pipeline.store.store import Job, Store
from pipeline.study_checks import open_study
from pipeline.workspace import MAIN

PAGE = Path(__file__).parents[3] / "docs/formats/tombstones.md"


def removal_of(made, name="photo/astronaut"):
    return plan_removal(made.place, find_subject(made.place, name))


def parts_of(made, removal, known=None):
    known = known_looks(made.place, removal) if known is None else known
    return going(made.place, removal, known, made.root / "portraits/register.csv")


def counts(parts):
    return {name: sum(part.files for part in rows) for name, rows in parts.items()}


def forgotten(made, removal, known=None):
    """Erase, and the counts by place."""
    parts = parts_of(made, removal, known)
    erase(made.place, removal, parts)
    leave_register(made.root / "portraits/register.csv", removal)
    return counts(parts)


def keep_work(made):
    """A work store as the stages leave it: one item of the subject, one of somebody else."""
    names = {}
    for number, portrait in enumerate(made.plan.portraits):
        store, job = Store(made.place.home, "portraits"), Job(f"{number:064x}", portrait.key, None)
        with store.making(job.key) as folder:
            still = made.files.portraits / f"{portrait.portrait_id}.png"
            shutil.copy(still, folder / "still.png")
        store.log("made", name=portrait.key, portrait=portrait.portrait_id, key=job.key)
        names[portrait.key] = store.path(job.key)
    return names


def test_a_dry_run_counts_what_derives_and_touches_nothing(made, tmp_path):
    before = {p: p.stat().st_mtime_ns for p in made.root.rglob("*") if p.is_file()}
    removal = removal_of(made)
    with closing(open_index(made.files, open_study(made.files), tmp_path / "i.db")) as database:
        indices = {MAIN: database}
        effect = consequences(indices, made.place, removal, parts_of(made, removal))
    portrait = next(p for p in made.plan.portraits if p.file)
    clips = [t.clip_id for t in made.plan.transfers if t.portrait_id == portrait.portrait_id]
    assert effect.clips == clips
    assert set(effect.ids) == {portrait.portrait_id, portrait.person.identity_id}
    assert effect.versions == 1
    assert min(effect.erased.files["cache"], effect.erased.files["remote:store"]) > 0
    assert "tainted models" in effect.text()
    assert {p: p.stat().st_mtime_ns for p in made.root.rglob("*") if p.is_file()} == before


def test_an_identity_takes_its_clips_and_those_it_drives(made):
    clip = made.plan.clips[0]
    subject = find_subject(made.place, clip.person.identity_id)
    names = derived_names([row.row() for row in made.plan.clips + made.plan.transfers], subject)
    own = {c.clip_id for c in made.plan.clips if c.person == clip.person}
    driven = {t.clip_id for t in made.plan.transfers if t.driving_clip_id in own}
    assert names == own | driven


def test_other_peoples_files_stay(made):
    removal = removal_of(made)
    theirs = {p.stem for p in (made.files.clips).iterdir()}
    assert not theirs & removal.names
    assert not any(Path(path).stem in theirs for path in removal.paths)
    assert not any("motion/" in path for path in removal.paths)


def test_nothing_is_left_in_workspace_cache_remote_and_work_store(made):
    items = keep_work(made)
    removal = removal_of(made)
    known = known_looks(made.place, removal)
    before = search(made.place, removal, known).traces
    assert {trace.how for trace in before} == {"bytes", "name"}
    assert forgotten(made, removal).keys() == {"workspace", "work store", "cache", "remote:store"}
    assert search(made.place, removal, known).traces == []
    assert not items["photo/astronaut"].exists()
    assert items["portrait/0"].exists()
    for store in made.place.stores:
        assert not any(file_md5(p) in removal.objects for p in store.rglob("*") if p.is_file())


def test_items_that_other_workspaces_left_in_the_store_go_by_look(made):
    removal = removal_of(made)
    portrait = next(p for p in made.plan.portraits if p.file)
    store, kept = Store(made.place.home, "portraits"), []
    for row, key in zip(made.plan.portraits, ("0" * 64, "1" * 64, "2" * 64), strict=True):
        still = iio.imread(made.files.portraits / f"{row.portrait_id}.png")
        with store.making(key) as folder:
            iio.imwrite(folder / "still.jpg", np.kron(still, np.ones((2, 2, 1), np.uint8)))
        store.log("made", name="as the other workspace calls it", key=key)
        kept += [] if row == portrait else [key]
    demo = made.place.home / "demo/data"
    demo.mkdir(parents=True)
    assert forgotten(made, removal)["work store"] == 1
    assert [row["key"] for row in store.read_log()] == kept
    assert all(map(store.has, kept))
    assert not demo.exists()


def test_everyone_else_can_still_be_restored(made):
    removal = removal_of(made)
    forgotten(made, removal)
    md5 = outs(read_lock(made.root / "dvc.lock"))["data/deterioration/clips"]
    assert set(listing(md5, [made.place.cache]).values()).isdisjoint(removal.objects)
    shutil.rmtree(made.files.clips)
    made.dvc("checkout", "data/deterioration/clips")
    assert len(list((made.files.clips).glob("*.mp4"))) == 8


def test_earlier_versions_lose_them_too(made):
    first = removal_of(made)
    cached = {md5 for md5 in first.objects if object_path(made.place.cache, md5).exists()}
    table = made.files.plan
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    table.write_text(
        "".join(f"{json.dumps(row)}\n" for row in rows if not row_names(row) & first.names)
    )
    for path in first.paths - {"data/deterioration/plan.jsonl"}:
        if Path(path).stem in first.names:
            (made.root / path).unlink()
        else:
            (made.root / path).write_text(f"{path} without them")
    made.dvc("commit", "--force", "--quiet")
    made.commit("A version without them")
    second = removal_of(made)
    assert second.objects >= cached
    assert second.paths == set()
    assert len(second.revisions) == 1
    forgotten(made, second)
    for store in made.place.stores:
        assert not any(object_path(store, md5).exists() for md5 in cached)


def test_of_what_no_version_lists_only_their_pictures_go(made):
    removal = removal_of(made)
    portrait = next(p for p in made.plan.portraits if p.file)
    still = iio.imread(made.files.portraits / f"{portrait.portrait_id}.png")
    orphans = {}
    for store in made.place.stores:
        for content in (
            b"of a run that nobody committed",
            iio.imwrite("<bytes>", still, extension=".bmp"),
        ):
            md5 = hashlib.md5(content).hexdigest()
            path = object_path(store, md5)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            orphans[path] = content
    forgotten(made, removal)
    text, picture, *theirs = orphans
    assert text.exists()
    assert not picture.exists()
    assert all(path.read_bytes() == orphans[path] for path in theirs)  # outside the clone


def test_a_recompressed_picture_under_another_name_is_found_by_look(made):
    removal = removal_of(made)
    known = known_looks(made.place, removal)
    portrait = next(p for p in made.plan.portraits if p.file)
    still = iio.imread(made.files.portraits / f"{portrait.portrait_id}.png")
    copy = made.root / "holiday.jpg"
    iio.imwrite(copy, np.kron(still, np.ones((2, 2, 1), np.uint8)), quality=60)
    forgotten(made, removal, known)
    looked = [trace for trace in search(made.place, removal, known).traces if trace.how == "look"]
    assert [trace.where for trace in looked] == [str(copy)]


def test_a_longer_name_does_not_name_them(made):
    (made.root / "other.txt").write_text("photo/astronaut-2, photo/astronauts")
    (made.root / "them.txt").write_text("(photo/astronaut)")
    found = search(made.place, removal_of(made), known_looks(made.place, removal_of(made)))
    named = {Path(trace.where).name for trace in found.traces if trace.how == "name"}
    assert "them.txt" in named
    assert "other.txt" not in named


def test_a_photograph_leaves_folder_and_register(made):
    register = made.root / "portraits/register.csv"
    (register.parent / "ada.png").write_bytes(b"a photograph")
    (register.parent / "both.png").write_bytes(b"of two people")
    row = ",{},CC0-1.0,signed,,,,her own\n".format
    rows = f"ada{row('ada.png')}bob{row('both.png')}"
    register.write_text(register.read_text() + rows)
    removal = Removal(Subject((), "portrait", ("photo/ada",), ("ada.png", "both.png")))
    assert photographs(register, removal) == [register.parent / "ada.png"]
    leave_register(register, removal)
    assert "ada" not in register.read_text()
    assert "astronaut" in register.read_text()


def test_copies_of_the_photograph_itself_are_found_and_go_from_the_cache(made, monkeypatch, capsys):
    monkeypatch.chdir(made.root)
    register, rows = (
        made.root / "portraits/register.csv",
        made.files.plan,
    )
    photograph = np.random.default_rng(3).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    photograph = np.kron(photograph, np.ones((30, 30, 1), np.uint8))
    iio.imwrite("portraits/ada.png", photograph)
    register.write_text(register.read_text().replace("skimage:astronaut", "ada.png"))
    rows.write_text(rows.read_text().replace("skimage:astronaut", "ada.png"))
    made.dvc("add", "--quiet", "portraits/ada.png")
    made.commit("A photograph of her own")
    md5 = file_md5(made.root / "portraits/ada.png")
    assert object_path(made.place.cache, md5).exists()
    copy = made.root / ".pallor/holiday"
    iio.imwrite(copy, photograph[::2, ::2], extension=".webp")
    assert main(["forget", "photo/astronaut", "--apply", "--no-run"]) == 2
    assert "left behind, by look: .pallor/holiday" in capsys.readouterr().out
    assert not Path("portraits/ada.png").exists()
    assert not object_path(made.place.cache, md5).exists()


def test_a_register_of_a_spreadsheet_loses_its_row_and_no_file_outside_the_folder(made):
    register = made.root / "portraits/register.csv"
    (made.root / "mine.png").write_bytes(b"not the register's")
    text = register.read_text() + "ada,../mine.png,CC0-1.0,withdrawn 2026-01-05,,,,her own\n"
    register.write_bytes(text.encode("utf-16"))
    removal = Removal(Subject((), "portrait", ("photo/ada",), ()))
    assert made.root / "mine.png" not in [p.resolve() for p in photographs(register, removal)]
    leave_register(register, removal)
    assert [row.cells["id"] for row in register_rows(register)] == ["astronaut"]
    assert (made.root / "mine.png").is_file()


def test_who_has_several_pictures_leaves_with_all_of_them(made):
    rows = read_jsonl(made.files.plan)
    photo = next(row for row in rows if row["kind"] == "portrait" and row["file"])
    other = {**photo, "portrait_id": "portrait-00000000aa", "key": "photo/later"}
    write_jsonl(made.files.plan, [*rows, other])
    subject = find_subject(made.place, "photo/later")
    assert set(subject.keys) == {photo["key"], "photo/later"}
    assert {photo["portrait_id"], "portrait-00000000aa"} < set(subject.ids)


def test_who_is_nobody_is_one_sentence(made):
    with pytest.raises(StageError, match="'portrait-0000000000' is no portrait or identity"):
        find_subject(made.place, "portrait-0000000000")


def test_looks_tell_people_apart_and_know_the_same_again(made):
    clips = sorted((made.files.clips).glob("*.mp4"))
    seen = {path: looks.looks_of(path) for path in clips[:4]}
    assert looks.distance(seen[clips[0]], seen[clips[0]]) == pytest.approx(0, abs=1e-5)
    people = {c.clip_id: c.person.identity_id for c in made.plan.clips}
    others = [p for p in seen if people[p.stem] != people[clips[0].stem]]
    assert others
    assert all(looks.distance(seen[clips[0]], seen[p]) > looks.ALIKE for p in others)
    assert looks.nearest(made.root / "params.yaml", seen[clips[0]]) == ("nothing", 1.0)

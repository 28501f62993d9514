"""After a removal no byte, look or name is left; before it, nothing is touched."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from flows.cli import main
from pipeline.corpus.plan import make_plan
from pipeline.errors import StageError
from pipeline.files import read_jsonl, write_jsonl
from pipeline.lineage import looks
from pipeline.lineage.erase import Erased, erase, erase_register
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
from pipeline.params import load_params
from pipeline.store.store import Job, Store

PAGE = Path(__file__).parents[3] / "docs/formats/tombstones.md"


def removal_of(made, name="photo/astronaut"):
    return plan_removal(made.place, find_subject(made.place, name))


def keep_work(made):
    """A work store as the stages leave it: one item of the subject, one of somebody else."""
    names = {}
    for number, portrait in enumerate(made.plan.portraits):
        store, job = Store(made.place.home, "portraits"), Job(f"{number:064x}", portrait.key, None)
        with store.making(job.key) as folder:
            still = made.root / f"data/portraits/{portrait.portrait_id}.png"
            shutil.copy(still, folder / "still.png")
        store.log("made", name=portrait.key, portrait=portrait.portrait_id, key=job.key)
        names[portrait.key] = store.path(job.key)
    return names


def test_a_dry_run_counts_what_derives_and_touches_nothing(made, tmp_path):
    before = {p: p.stat().st_mtime_ns for p in made.root.rglob("*") if p.is_file()}
    removal = removal_of(made)
    with closing(open_index(made.root, tmp_path / "i.db")) as database:
        effect = consequences(database, made.place, removal)
    portrait = next(p for p in made.plan.portraits if p.file)
    clips = [t.clip_id for t in made.plan.transfers if t.portrait_id == portrait.portrait_id]
    assert effect.clips == clips
    assert set(effect.ids) == {portrait.portrait_id, portrait.person.identity_id}
    assert effect.versions == 1
    assert min(effect.objects["cache"], effect.objects["remote:store"]) > 0
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
    theirs = {p.stem for p in (made.root / "data/clips").iterdir()}
    assert not theirs & removal.names
    assert not any(Path(path).stem in theirs for path in removal.paths)
    assert not any("motion/" in path for path in removal.paths)


def test_nothing_is_left_in_workspace_cache_remote_and_work_store(made):
    items = keep_work(made)
    removal = removal_of(made)
    known = known_looks(made.place, removal)
    before = list(search(made.place, removal, known))
    assert {trace.how for trace in before} == {"bytes", "name"}
    erased = erase(made.place, removal, known)
    erase_register(made.root / "portraits/register.csv", removal, erased)
    assert erased.files.keys() == {"workspace", "work store", "cache", "remote:store"}
    left = list(search(made.place, removal, known))
    assert left == []
    assert not items["photo/astronaut"].exists()
    assert items["portrait/0"].exists()
    for store in made.place.stores:
        assert not any(file_md5(p) in removal.objects for p in store.rglob("*") if p.is_file())


def test_items_that_other_workspaces_left_in_the_store_go_by_look(made):
    removal = removal_of(made)
    portrait = next(p for p in made.plan.portraits if p.file)
    store, kept = Store(made.place.home, "portraits"), []
    for row, key in zip(made.plan.portraits, ("0" * 64, "1" * 64, "2" * 64), strict=True):
        still = iio.imread(made.root / f"data/portraits/{row.portrait_id}.png")
        with store.making(key) as folder:
            iio.imwrite(folder / "still.jpg", np.kron(still, np.ones((2, 2, 1), np.uint8)))
        store.log("made", name="as the other workspace calls it", key=key)
        kept += [] if row == portrait else [key]
    demo = made.place.home / "demo/data"
    demo.mkdir(parents=True)
    erased = erase(made.place, removal, known_looks(made.place, removal))
    assert erased.files["work store"] == 1
    assert [row["key"] for row in store.read_log()] == kept
    assert all(map(store.has, kept))
    assert not demo.exists()


def test_everyone_else_can_still_be_restored(made):
    removal = removal_of(made)
    erase(made.place, removal, known_looks(made.place, removal))
    md5 = outs(read_lock(made.root / "dvc.lock"))["data/clips"]
    assert set(listing(md5, [made.place.cache]).values()).isdisjoint(removal.objects)
    shutil.rmtree(made.root / "data/clips")
    made.dvc("checkout", "data/clips")
    assert len(list((made.root / "data/clips").glob("*.mp4"))) == 8


def test_earlier_versions_lose_them_too(made):
    first = removal_of(made)
    cached = {md5 for md5 in first.objects if object_path(made.place.cache, md5).exists()}
    table = made.root / "data/plan.jsonl"
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    table.write_text(
        "".join(f"{json.dumps(row)}\n" for row in rows if not row_names(row) & first.names)
    )
    for path in first.paths - {"data/plan.jsonl"}:
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
    erase(made.place, second, known_looks(made.place, second))
    for store in made.place.stores:
        assert not any(object_path(store, md5).exists() for md5 in cached)


def test_what_no_version_has_goes_as_well(made):
    orphan = made.place.cache / "files/md5/ab/cdef0123456789abcdef0123456789"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"of a run that nobody committed")
    removal = removal_of(made)
    erase(made.place, removal, known_looks(made.place, removal))
    assert not orphan.exists()


def test_a_recompressed_picture_under_another_name_is_found_by_look(made):
    removal = removal_of(made)
    known = known_looks(made.place, removal)
    portrait = next(p for p in made.plan.portraits if p.file)
    still = iio.imread(made.root / f"data/portraits/{portrait.portrait_id}.png")
    copy = made.root / "holiday.jpg"
    iio.imwrite(copy, np.kron(still, np.ones((2, 2, 1), np.uint8)), quality=60)
    erase(made.place, removal, known)
    looked = [trace for trace in search(made.place, removal, known) if trace.how == "look"]
    assert [trace.where for trace in looked] == [str(copy)]


def test_a_photograph_leaves_folder_and_register(made):
    register = made.root / "portraits/register.csv"
    (register.parent / "ada.png").write_bytes(b"a photograph")
    register.write_text(register.read_text() + "ada,ada.png,CC0-1.0,signed,,,,her own\n")
    removal = Removal(Subject((), "portrait", ("photo/ada",), ("ada.png",)))
    erased = Erased()
    assert erase_register(register, removal, erased)
    assert "ada" not in register.read_text()
    assert "astronaut" in register.read_text()
    assert erased.files == {"workspace": 1}


def test_who_is_nobody_is_one_sentence(made):
    with pytest.raises(StageError, match="'portrait-0000000000' is no portrait or identity"):
        find_subject(made.place, "portrait-0000000000")


def test_the_command_excludes_erases_buries_and_explain_remembers(made, monkeypatch, capsys):
    monkeypatch.chdir(made.root)
    monkeypatch.delenv("PALLOR_HOME", raising=False)
    portrait = next(p for p in made.plan.portraits if p.file)
    transfer = next(t for t in made.plan.transfers if t.portrait_id == portrait.portrait_id)
    assert main(["forget", "photo/astronaut"]) == 0
    assert "nothing was removed" in capsys.readouterr().out
    assert main(["forget", "photo/astronaut", "--apply", "--no-run"]) == 0
    assert "searched by hash, by look and by name: nothing is left" in capsys.readouterr().out
    assert portrait.portrait_id in load_params().plan.exclude
    [stone] = read_jsonl(made.root / "data/tombstones.jsonl")
    assert set(stone["ids"]) == {portrait.portrait_id, portrait.person.identity_id}
    assert "astronaut" not in str(stone)
    described = PAGE.read_text()
    assert all(f"`{field}`" in described for field in stone)
    assert json.loads(described.split("```json\n")[1].split("```")[0]).keys() == stone.keys()
    planned = [r.row() for r in make_plan(load_params(), Path("portraits/register.csv"))]
    assert portrait.portrait_id not in str(planned)
    write_jsonl(Path("data/plan.jsonl"), planned)  # as `pallor run` leaves it
    for name in (portrait.portrait_id, "photo/astronaut", transfer.clip_id):
        assert main(["explain", name]) == 0
        said = capsys.readouterr().out
        assert "removed" in said
        assert "pallor forget" in said
        assert stone["when"] in said
    assert main(["explain", "photo/nobody"]) == 2


def test_a_dirty_tree_is_not_forgotten_from(made, monkeypatch, capsys):
    monkeypatch.chdir(made.root)
    monkeypatch.delenv("PALLOR_HOME", raising=False)
    (made.root / "notes").write_text("mine")
    assert main(["forget", "photo/astronaut", "--apply"]) == 2
    assert "the tree is dirty (notes)" in capsys.readouterr().err
    assert (made.root / "data/plan.jsonl").exists()


def test_looks_tell_people_apart_and_know_the_same_again(made):
    clips = sorted((made.root / "data/clips").glob("*.mp4"))
    seen = {path: looks.look(looks.read_frames(path)) for path in clips[:4]}
    assert looks.distance(seen[clips[0]], seen[clips[0]]) == pytest.approx(0, abs=1e-5)
    people = {c.clip_id: c.person.identity_id for c in made.plan.clips}
    others = [p for p in seen if people[p.stem] != people[clips[0].stem]]
    assert others
    assert all(looks.distance(seen[clips[0]], seen[p]) > looks.ALIKE for p in others)
    assert looks.read_frames(made.root / "params.yaml") is None

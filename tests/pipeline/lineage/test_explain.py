import json
import shutil
from contextlib import closing
from xml.etree import ElementTree

import duckdb
import pytest

from pipeline.errors import StageError
from pipeline.files import write_jsonl
from pipeline.lineage import filters, page, provenance, query
from pipeline.lineage.corpus import read_corpus
from pipeline.lineage.coverage import coverage
from pipeline.lineage.database import read_only
from pipeline.lineage.explain import Scope, explain
from pipeline.lineage.index import open_index
from pipeline.lineage.tables import wrong
from pipeline.params import load_params
from pipeline.study_checks import open_study
from pipeline.workspace import Workspace


@pytest.fixture(scope="module")
def index_file(tmp_path_factory):
    return tmp_path_factory.mktemp("index") / "i.duckdb"


@pytest.fixture(scope="module")
def database(template, index_file):
    with closing(open_index(template.files, open_study(template.files), index_file)) as made:
        yield made


@pytest.fixture(scope="module")
def corpus(template):
    return read_corpus(template.files, open_study(template.files))


def ask(database, template, name):
    return explain(Scope(database, template.place, open_study(template.files)), name)


def test_a_clip_says_seed_people_camera_and_assets_with_licence(database, template, corpus):
    clip = corpus.plan.clips[3]
    answer = ask(database, template, clip.clip_id)
    assert answer["kind"] == "clip"
    assert answer["is"]["seed"] == clip.seed
    roles = {row["role"]: row for row in answer["made_from"]}
    assert roles["performer"]["id"] == clip.person.identity_id
    assert roles["display"]["id"] == clip.expression
    assert len(roles["asset"]["sha256"]) == 64
    assert "CC0" in roles["asset"]["licence"]


def test_a_clip_is_found_by_its_key(database, template, corpus):
    clip = corpus.plan.clips[0]
    assert ask(database, template, clip.key)["id"] == clip.clip_id


def test_a_clip_says_its_stages_params_inputs_and_run(database, template, corpus):
    answer = ask(database, template, corpus.plan.clips[0].clip_id)
    render = next(stage for stage in answer["stages"] if stage["stage"] == "render")
    assert render["code"] == render["closure"]["digest"]
    assert "pipeline/corpus/render.py" in render["closure"]["files"]
    plan = next(stage for stage in answer["stages"] if stage["stage"] == "plan")
    assert plan["params"]["study.cohorts"] == {"cast": 4}
    assert plan["params"]["plan"] == load_params(template.root / "params.yaml").plan.model_dump()
    assert "data/deterioration/plan.jsonl" in render["inputs"]
    assert render["run"]["user"] == "ada"
    said = page.text(answer)
    assert "by ada on ward in 1.5 s, commit 0123456789 with uncommitted changes; bpy 4.5.15" in said
    assert "run: no record here" in said  # the other stages


def test_a_file_says_whether_it_is_as_locked(made, tmp_path):
    clip = made.plan.clips[0].clip_id
    (made.files.clips / f"{clip}.npz").write_bytes(b"x")
    (made.files.faces / f"{clip}.mp4").unlink()
    with closing(open_index(made.files, open_study(made.files), tmp_path / "i.db")) as database:
        states = {f["path"]: f["state"] for f in ask(database, made, clip)["files"]}
    assert states == {
        f"data/deterioration/clips/{clip}.mp4": "as locked",
        f"data/deterioration/clips/{clip}.npz": "ALTERED",
        f"data/deterioration/faces/{clip}.mp4": "missing",
    }


def test_a_portrait_says_licence_use_and_every_clip(database, template, corpus):
    portrait = next(p for p in corpus.plan.portraits if p.file)
    answer = ask(database, template, portrait.portrait_id)
    assert answer["is"]["licence"] == portrait.licence
    assert answer["is"]["use allowed"].startswith("yes")
    performed = [t.clip_id for t in corpus.plan.transfers if t.portrait_id == portrait.portrait_id]
    assert answer["leads_to"]["first clips"] == performed


def test_an_identity_leads_to_its_clips_and_those_it_drives(database, template, corpus):
    clip = corpus.plan.clips[0]
    name = clip.person.identity_id
    own = {c.clip_id for c in corpus.plan.clips if c.person.identity_id == name}
    driven = {t.clip_id for t in corpus.plan.transfers if t.driving_clip_id in own}
    assert set(query.derived_clips(database, "identity", name)) == own | driven
    assert ask(database, template, name)["leads_to"]["clips"] == len(own | driven)


def test_windows_and_copies_are_counted_as_the_tables_have_them(database, corpus):
    for clip in (corpus.tracks[0].clip_id, corpus.tracks[-1].clip_id):
        for row in query.derived_samples(database, "clip", clip):
            table = corpus.oversampled[row["task"], row["draw"]]
            follows = {t.clip_id for t in corpus.plan.transfers if t.driving_clip_id == clip}
            mine = [s for s in table if s.clip_id in {clip} | follows and s.side == row["side"]]
            assert row["windows"] == sum(s.origin is None for s in mine)
            assert row["copies"] == sum(s.origin is not None for s in mine)


def test_a_blend_counts_for_both_of_its_windows(database, index_file, tmp_path):
    copy = database.one("SELECT * FROM sample WHERE origin IS NOT NULL ORDER BY id")
    others = "SELECT * FROM sample WHERE origin IS NULL AND family <> $family ORDER BY id"
    other = database.one(others, family=copy["family"])
    before = query.derived_samples(database, "clip", other["clip"])
    assert copy["id"] not in query.sample_ids(database, "clip", other["clip"])
    with closing(duckdb.connect(shutil.copy(index_file, tmp_path))) as changed:
        changed.execute("UPDATE sample SET partner = ? WHERE id = ?", [other["id"], copy["id"]])
    with closing(read_only(tmp_path / index_file.name)) as blended:
        after = query.derived_samples(blended, "clip", other["clip"])
        assert sum(r["copies"] for r in after) == sum(r["copies"] for r in before) + 1
        assert sum(r["windows"] for r in after) == sum(r["windows"] for r in before)
        assert copy["id"] in query.sample_ids(blended, "clip", other["clip"])
        assert copy["id"] in query.sample_ids(blended, "clip", copy["clip"])


def test_a_sample_says_its_sides_and_what_it_trains_or_judges(database, template, corpus):
    for sample in corpus.splits["clean"]:
        answer = ask(database, template, sample.sample_id)
        assert answer["sides"]["clean"] == sample.side
        assert ("model:display/convlstm/clean" in answer["leads_to"]["trains"]) == (
            sample.side == "train"
        )
        assert ("metric:display/convlstm/clean" in answer["leads_to"]["judges"]) == (
            sample.side == "test"
        )


def test_a_copy_says_its_origin(database, template, corpus):
    copy = next(s for s in corpus.oversampled["display", "published"] if s.origin)
    answer = ask(database, template, copy.sample_id)
    assert {"role": "copy of", "id": copy.origin} in answer["made_from"]
    assert copy.sample_id in ask(database, template, copy.origin)["leads_to"]["copies"]


def test_a_model_says_its_data_its_version_and_who_is_on_both_sides(database, template):
    answer = ask(database, template, "model:clean")
    assert any(row.get("path") == "data/deterioration/oversampled" for row in answer["made_from"])
    assert any("The corpus" in str(row.get("commit")) for row in answer["made_from"])
    assert answer["sides"]["groups of people on both sides"] == 0
    published = ask(database, template, "model:published")
    assert published["sides"]["groups of people on both sides"] > 0


def test_a_metric_says_coverage_and_error_that_add_up(database, template, corpus):
    rows = ask(database, template, "metric:clean")["coverage"]
    clips = {track.clip_id for track in corpus.tracks}
    for trait in ("sex", "ethnicity", "age", "kind"):
        of_trait = [row for row in rows if row["trait"] == trait]
        assert sum(row["train"] + row["test"] for row in of_trait) == len(clips)
        errors = sum((row["error"] or 0) * row["windows"] for row in of_trait)
        windows = sum(row["windows"] for row in of_trait)
        row = corpus.evaluation.row("display", "convlstm", "clean")
        stated = row["by_window"]["accuracy"]
        assert 1 - errors / windows == pytest.approx(stated, abs=1e-3)
    predictions = corpus.predictions["display", "convlstm", "clean"]
    assert coverage(database, "display", ["clean"], wrong(predictions)) == rows


@pytest.mark.parametrize("name", ["FD1", "model:published", "metric:published"])
def test_every_kind_reads_as_text_and_page(database, template, name):
    answer = ask(database, template, name)
    assert page.text(answer).startswith(f"{answer['id']}: {answer['kind']}")
    html = page.html(answer)
    assert html.startswith("<!doctype html>")
    assert "<script" not in html


def test_the_page_draws_what_a_portrait_leads_to(database, template, corpus):
    portrait = corpus.plan.portraits[0]
    html = page.html(ask(database, template, portrait.portrait_id))
    svg = html[html.index("<svg") : html.index("</svg>") + 6]
    drawn = "".join(ElementTree.fromstring(svg).itertext())
    performed = next(t for t in corpus.plan.transfers if t.portrait_id == portrait.portrait_id)
    assert portrait.portrait_id in drawn
    assert performed.clip_id in drawn
    assert portrait.person.identity_id in drawn


def test_an_unknown_id_names_the_nearest(database, template, corpus):
    name = corpus.plan.clips[0].clip_id
    with pytest.raises(StageError, match=f"the nearest is '{name}'"):
        ask(database, template, name[:-1] + "x")
    with pytest.raises(StageError, match="`pallor find` lists"):
        ask(database, template, "???")


def test_filters_find_what_the_tables_say(database, corpus):
    clip = corpus.plan.clips[1]
    found = filters.find(
        database, {"identity": clip.person.identity_id, "expression": clip.expression}
    )
    follows = [t.clip_id for t in corpus.plan.transfers if t.driving_clip_id == clip.clip_id]
    assert found == sorted([clip.clip_id, *follows])
    lost = [row["clip_id"] for row in corpus.quarantine]
    assert filters.find(database, {"status": "quarantined"}) == lost
    tested = {s.clip_id for s in corpus.splits["clean"] if s.side == "test"}
    assert set(filters.find(database, {"side": "clean:test"})) == tested
    camera = query.row_of(database, "clip", clip.clip_id)["camera"]
    assert clip.clip_id in filters.find(database, {"camera": camera})


def test_sex_and_age_are_those_of_who_is_seen(database, corpus):
    seen = {clip.clip_id: clip.person for clip in corpus.plan.clips}
    faces = {face.portrait_id: face.person for face in corpus.plan.portraits}
    seen |= {t.clip_id: faces[t.portrait_id] for t in corpus.plan.transfers}
    women = sorted(name for name, person in seen.items() if person.sex == "female")
    assert 0 < len(women) < len(seen)
    assert filters.find(database, filters.meant(database, {"sex": "female"})) == women
    ages = sorted(person.age for person in seen.values() if person.age is not None)
    middle = ages[len(ages) // 2]
    old = sorted(n for n, person in seen.items() if person.age is not None and person.age >= middle)
    assert filters.find(database, filters.meant(database, {"age": f"{middle}:"})) == old
    assert filters.find(database, {"age": f"{middle}"}) == [n for n in old if seen[n].age == middle]
    with pytest.raises(StageError, match="the nearest is 'female'"):
        filters.meant(database, {"sex": "femal"})


@pytest.mark.parametrize("text", [":", "", "old:", "60:30", "nan", "1:2:3"])
def test_what_is_no_range_of_ages_is_refused(database, text):
    with pytest.raises(StageError, match="is no range; write 60:"):
        filters.meant(database, {"age": text})


def test_filters_know_the_keys_that_explain_knows(database, corpus):
    clip, row = corpus.plan.clips[1], corpus.plan.transfers[0]
    face = next(p for p in corpus.plan.portraits if p.portrait_id == row.portrait_id)
    camera = query.row_of(database, "clip", clip.clip_id)["camera"]
    for name, key, meant in (
        ("portrait", face.key, face.portrait_id),
        ("portrait", face.portrait_id, face.portrait_id),
        ("portrait", row.clip_id, face.portrait_id),
        ("identity", face.key, face.person.identity_id),
        ("identity", clip.key, clip.person.identity_id),
        ("camera", clip.key, camera),
        ("expression", clip.key, clip.expression),
    ):
        assert filters.meant(database, {name: key}) == {name: meant}
    assert filters.find(database, filters.meant(database, {"portrait": face.key})) == [row.clip_id]
    for name, key in (("portrait", "photo/nobody"), ("camera", "c"), ("status", "lost")):
        with pytest.raises(StageError, match=f"'{key}' is"):
            filters.meant(database, {name: key})


@pytest.mark.parametrize("text", ["clean", "clean:both", "any:test"])
def test_a_side_that_is_none_is_one_sentence(database, text):
    with pytest.raises(StageError, match=r"is no side of .*; the nearest is '(clean|published):t"):
        filters.meant(database, {"side": text})


def test_the_index_is_made_anew_when_a_table_changes(made, tmp_path):
    path = tmp_path / "i.db"
    study = open_study(made.files)
    open_index(made.files, study, path).close()
    before = path.stat().st_mtime_ns
    open_index(made.files, study, path).close()
    assert path.stat().st_mtime_ns == before
    table = made.files.faces / "quarantine.jsonl"
    row = json.loads(table.read_text())
    write_jsonl(table, [row | {"reason": "frozen"}])
    with closing(open_index(made.files, study, path)) as database:
        assert query.row_of(database, "clip", row["clip_id"])["reason"] == "frozen"


def test_a_broken_index_is_made_anew(template, tmp_path):
    (tmp_path / "i.db").write_text("no database")
    study = open_study(template.files)
    with closing(open_index(template.files, study, tmp_path / "i.db")) as database:
        assert query.kind_of(database, "FD1") == "expression"


def test_without_a_plan_there_is_nothing_to_index(template, tmp_path):
    with pytest.raises(StageError, match=r"plan\.jsonl is missing; run `pallor run --study det"):
        open_index(Workspace(root=tmp_path), open_study(template.files), tmp_path / "i.db")


@pytest.mark.parametrize(
    ("licence", "use"),
    [("CC0-1.0", "yes"), ("public domain (NASA)", "yes"), ("CC-BY-4.0", "yes, with attribution"),
     ("CC BY-NC 4.0", "yes, not commercially"), ("CC-BY-ND-4.0", "no"),
     ("own photograph", "ask the rights holder")],
)  # fmt: skip
def test_what_a_licence_allows(licence, use):
    [row] = provenance.allowed([licence])
    assert row["use"] == use

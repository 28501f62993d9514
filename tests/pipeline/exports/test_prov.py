import pytest

from pipeline.exports.prov import prov_document, write_prov
from pipeline.exports.steps import read_steps

model = pytest.importorskip("prov.model")


@pytest.fixture(scope="module")
def steps(workspace):
    return read_steps(workspace, workspace.root / ".pallor" / "runs")


def names(records):
    return sorted(str(record.identifier) for record in records)


def test_its_own_library_reads_it_back(steps, tmp_path):
    write_prov(steps, tmp_path)
    read = model.ProvDocument.deserialize(tmp_path / "prov.json")
    assert read == prov_document(steps)
    notation = (tmp_path / "prov.provn").read_text()
    assert notation.startswith("document")
    assert "wasDerivedFrom(pallor:data/ward/clips@" in notation


def test_stages_files_and_people_are_told_apart(steps):
    document = prov_document(steps)
    assert names(document.get_records(model.ProvActivity)) == ["pallor:plan", "pallor:render"]
    assert names(document.get_records(model.ProvAgent)) == ["pallor:software", "pallor:user/nurse"]
    assert len(list(document.get_records(model.ProvEntity))) == 2  # the plan is one, made and used


def test_a_stage_without_a_record_has_no_time_and_no_person(steps):
    [plan] = [a for a in prov_document(steps).get_records(model.ProvActivity)
              if str(a.identifier) == "pallor:plan"]  # fmt: skip
    assert plan.get_startTime() is None
    [render] = [a for a in prov_document(steps).get_records(model.ProvActivity)
                if str(a.identifier) == "pallor:render"]  # fmt: skip
    assert (render.get_endTime() - render.get_startTime()).total_seconds() == 12.5

"""What the real stages make of studies of every kind holds against itself, and is explained."""

import shutil
from contextlib import closing

import pytest

from pipeline.files import read_json, write_json
from pipeline.lineage import query
from pipeline.lineage.corpus import read_corpus
from pipeline.lineage.coverage import coverage
from pipeline.lineage.index import open_index
from pipeline.lineage.tables import check_tables, wrong
from pipeline.workspace import Workspace


@pytest.fixture(scope="module", params=["line", "toy"])
def made(request):
    """Puppets look alike, so whether two are one face is not asked (pipeline.splits.twins)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.splits.proof.nearest_pairs", lambda samples, seen: [])
        return request.getfixturevalue(request.param)


def test_what_the_stages_made_contradicts_nothing(made, tmp_path):
    corpus = read_corpus(made.workspace, made.study)
    found = [f.text() for f in check_tables(corpus, made.study, made.params)]
    assert found == []
    with closing(open_index(made.workspace, made.study, tmp_path / "i.db")) as database:
        for task, model, protocol in made.study.trials():
            draws = made.study.protocols[protocol].draws(protocol)
            rows = [row for draw in draws for row in corpus.predictions[task, model, draw]]
            stated = corpus.evaluation.row(task, model, protocol)["by_window"]
            traits = coverage(database, task, draws, wrong(rows))
            kinds = [row for row in traits if row["trait"] == "kind"]
            assert sum(row["windows"] for row in kinds) == stated["n_test"]
            errors = sum(row["error"] * row["windows"] for row in kinds)
            assert 1 - errors / stated["n_test"] == pytest.approx(stated["accuracy"], abs=1e-3)
            assert query.trial(database, f"metric:{task}/{model}/{protocol}")["draw"] is None


def test_every_figure_that_was_altered_is_named(made, tmp_path):
    root = shutil.copytree(made.workspace.root, tmp_path / "w")
    files = Workspace(made.study.name, root)
    table = read_json(files.evaluation)
    altered = set()
    for row in table["results"]:
        for unit in (unit for unit in ("window", "clip", "person") if f"by_{unit}" in row):
            row[f"by_{unit}"]["accuracy"] += 0.01
            altered.add(f"{row['task']} {row['model']} {row['protocol']}: accuracy by {unit}")
    write_json(files.evaluation, table)
    found = list(check_tables(read_corpus(files, made.study), made.study, made.params))
    assert {finding.what for finding in found} == {"figure without ground"}
    assert {finding.detail.partition(" is stated")[0] for finding in found} == altered

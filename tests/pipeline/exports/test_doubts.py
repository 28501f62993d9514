"""The audit of labels: a clip that answers contradict, and checks of a study's own."""

from contextlib import closing

import duckdb
import pytest

from pipeline.errors import StageError
from pipeline.exports.doubts import doubts, failed_checks
from pipeline.files import write_jsonl
from pipeline.lineage.database import read_only

pytest.importorskip("cleanlab")


def answer(number, label, said, sure):
    other = {"FD1": "FD2-L", "FD2-L": "FD1"}[said]
    return {"sample_id": f"s-{number}", "clip_id": f"clip-{number:02}", "start": 0, "label": label,
            "predicted": said, "probabilities": {said: sure, other: 1 - sure}}  # fmt: skip


def test_a_label_that_the_answers_contradict_is_named(copied, study):
    rows = [answer(n, ("FD1", "FD2-L")[n % 2], ("FD1", "FD2-L")[n % 2], 0.9) for n in range(20)]
    rows.append(answer(20, "FD1", "FD2-L", 0.97))
    write_jsonl(copied.answers("display", "convlstm", "clean"), rows)
    [found] = doubts(copied, study)
    assert found.text() == "clip-20: labelled FD1, answered FD2-L (0.03)"


def test_without_answers_it_says_so(copied, study):
    write_jsonl(copied.answers("display", "convlstm", "clean"), [])
    with pytest.raises(StageError, match=r"clean.jsonl holds no answer; `pallor run --study ward`"):
        doubts(copied, study)


@pytest.fixture
def index(tmp_path):
    with closing(duckdb.connect(str(tmp_path / "i.duckdb"))) as made:
        made.execute("CREATE TABLE clip AS SELECT 'clip-' || n AS id, n AS age FROM range(9) t(n)")
    with closing(read_only(tmp_path / "i.duckdb")) as found:
        yield found


def test_a_check_that_finds_a_row_is_one_sentence(copied, index):
    checks = copied.study_folder / "checks.yaml"
    checks.write_text("nobody is old: SELECT id FROM clip WHERE age > 2\nall named: SELECT id "
                      "FROM clip WHERE id IS NULL\n")  # fmt: skip
    assert list(failed_checks(copied, index)) == [
        "nobody is old: 6 found: id clip-3; id clip-4; id clip-5; id clip-6; id clip-7; and 1 more"
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- SELECT 1", r"holds checks as `name: SELECT"),
        ("old: SELECT idd FROM clip", "check 'old' of .*: 'idd' is no column of the index"),
        ("old: DROP TABLE clip", "check 'old' of .*: the index is read only"),
        ("old: [", "is no YAML"),
    ],
)
def test_a_check_that_is_none_is_refused(copied, index, text, sentence):
    (copied.study_folder / "checks.yaml").write_text(text)
    with pytest.raises(StageError, match=sentence):
        list(failed_checks(copied, index))

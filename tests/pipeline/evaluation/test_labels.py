import pytest

from pipeline.errors import AssetError
from pipeline.evaluation.labels import read_labels

CLASSES = ("calm", "pain")


@pytest.fixture
def folder(tmp_path):
    films = tmp_path / "films"
    films.mkdir()
    for name in ("a.mp4", "b.mp4"):
        (films / name).write_bytes(b"its content is not looked at")
    return films


def read(folder, text):
    table = folder.parent / "labels.csv"
    table.write_text(text)
    return read_labels(table, folder, CLASSES)


def test_spans_and_subjects_are_read(folder):
    rows, notes = read(
        folder,
        "file;label;start;end;subject\na.mp4;calm;0;2.5;ada\na.mp4;pain;2.5;;\nb.mp4;none;;;\n",
    )
    assert [(row.label, row.start, row.end, row.subject) for row in rows] == [
        ("calm", 0, 2.5, "ada"), ("pain", 2.5, None, "a.mp4"), ("none", 0, None, "b.mp4"),
    ]  # fmt: skip
    assert notes == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("c.mp4,calm,,", "there is no c.mp4"),
        ("../a.mp4,calm,,", "is no path below"),
        ("a.mp4,pian,,", "'pian' is no class of the model; the nearest is 'pain'"),
        ("a.mp4,calm,two,", "start is 'two'; write seconds such as 4 or 4.5"),
        ("a.mp4,calm,3,2", "ends at 2 s, not after its start, 3 s"),
    ],
)
def test_a_row_that_does_not_fit_is_a_sentence_and_the_rest_stands(folder, row, said):
    rows, notes = read(folder, f"file,label,start,end\nb.mp4,calm,,\n{row}\n")
    assert [kept.file for kept in rows] == ["b.mp4"]
    assert any("line 3" in note and said in note for note in notes)


def test_a_second_label_at_one_time_does_not_count(folder):
    rows, notes = read(folder, "file,label\na.mp4,calm\na.mp4,pain\nb.mp4,pain\n")
    assert [(row.file, row.label) for row in rows] == [("a.mp4", "calm"), ("b.mp4", "pain")]
    assert notes == ["labels.csv lines 2 and 3: a.mp4 has two labels at one time; the first counts"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,labl\na.mp4,calm\n", "lacks the columns label"),
        ("file,label,subjct\na.mp4,calm,x\n", "the nearest is 'subject'"),
        ("file,label\n", "has no row that can be judged"),
        ("file,label\nc.mp4,calm\n", "no row that can be judged .*there is no c.mp4"),
    ],
)
def test_a_table_that_is_none_is_refused(folder, text, said):
    with pytest.raises(AssetError, match=said):
        read(folder, text)

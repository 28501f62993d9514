import pytest

from pipeline.corpus.register import COLUMNS, read_register
from pipeline.errors import AssetError

ROW = "a,a.png,CC0,given on paper,44,female,asian,own"


HEADER = ",".join(COLUMNS)


def register(folder, *rows, header=HEADER):
    path = folder / "register.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_rows_come_in_the_order_of_their_ids_with_unknown_facts_none(tmp_path):
    path = register(tmp_path, ROW.replace("a,a", "b,a", 1), "a,b.png,CC0,yes,,,,")
    first, second = read_register(path)
    assert (first.id, first.age, first.sex) == ("a", None, None)
    assert (second.id, second.age) == ("b", 44.0)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (ROW.replace("CC0", ""), "a has no recorded licence"),
        (ROW.replace("given on paper", " "), "a has no recorded consent"),
        (ROW.replace("44", "old"), "age 'old', not a number"),
        (ROW.replace("a.png", "../a.png"), "points outside the folder"),
    ],
)
def test_bad_rows_are_one_sentence(tmp_path, row, sentence):
    with pytest.raises(AssetError, match=sentence):
        read_register(register(tmp_path, row))


def test_a_link_does_not_lead_out_of_the_folder(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"elsewhere")
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "a.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(AssetError, match="a points outside the folder"):
        read_register(register(tmp_path / "faces", ROW))


def test_an_id_comes_once(tmp_path):
    with pytest.raises(AssetError, match="ids a more than once"):
        read_register(register(tmp_path, ROW, ROW))


def test_missing_column_is_named(tmp_path):
    with pytest.raises(AssetError, match="lacks the columns licence"):
        read_register(register(tmp_path, header=",".join(c for c in COLUMNS if c != "licence")))


def test_missing_register_says_what_it_needs(tmp_path):
    with pytest.raises(AssetError, match=r"needs a register\.csv"):
        read_register(tmp_path / "register.csv")

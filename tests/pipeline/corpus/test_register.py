from datetime import date

import pytest

from pipeline.corpus.register import COLUMNS, read_register
from pipeline.errors import AssetError

ROW = "a,a.png,CC0,written 2025-03-01,44,female,asian,own"
OTHER = "b,b.png,CC0,signed 2025-03-01,,,,"
HEADER = ",".join(COLUMNS)
PERSON = f"{HEADER},person"


def register(folder, *rows, header=HEADER):
    """A register, and for `a` and `b` a file each."""
    path = folder / "register.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    for name in ("a.png", "b.png"):
        if not (folder / name).exists():
            (folder / name).write_bytes(name.encode())
    return path


def test_rows_come_in_the_order_of_their_ids_with_unknown_facts_none(tmp_path):
    first, second = read_register(register(tmp_path, OTHER.replace("b,", "z,", 1), ROW))
    assert (first.id, first.age, first.sex, first.person) == ("a", 44.0, "female", "a")
    assert (second.id, second.age, second.sex, second.ethnicity) == ("z", None, None, None)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (ROW.replace("CC0", ""), "a has no recorded licence"),
        (ROW.replace("written 2025-03-01", " "), "a has no recorded consent"),
        (ROW.replace("written 2025-03-01", "withdrawn 2026-01-05"), "which does not allow the use"),
        (ROW.replace("written 2025-03-01", "a form, signed"), "9 cells for 8 columns"),
        (ROW.replace("CC0", "all rights reserved"), "a has licence 'all rights reserved'"),
        (ROW.replace("44", "old"), "age 'old', not a number"),
        (ROW.replace("44", "nan"), "a has age 'nan'; write years from 0 to 130"),
        (ROW.replace("44", "inf"), "a has age 'inf'; write years"),
        (ROW.replace("44", "-3"), "a has age '-3'; write years"),
        (ROW.replace("44", "430"), "a has age '430'; write years"),
        (ROW.replace("44", "1e2"), "a has age '1e2'; write years"),
        (ROW.replace("44", '"44,5"'), "a has age '44,5'; write years"),
        (ROW.replace("female", "asian"), "a has sex 'asian'; write female, male"),
        (ROW.replace("asian", "44"), "a has ethnicity '44'"),
        (ROW.replace("a,", "../a,", 1), r"has id '\.\./a', no plain name"),
        (ROW.replace("a,", "x" * 101 + ",", 1), "no plain name"),
        (ROW.replace("a.png", "../a.png"), "points outside the folder"),
        (ROW.replace("a.png", "/etc/passwd"), "points outside the folder"),
        (ROW.replace("a.png", "gone.png"), "a names the file gone.png, which is not in the folder"),
        (ROW.replace("a.png", "x" * 5000), "which is not in the folder"),
        (ROW.replace("a.png", "."), "which is not in the folder"),
    ],
)
def test_bad_rows_are_one_sentence(tmp_path, row, sentence):
    with pytest.raises(AssetError, match=sentence):
        read_register(register(tmp_path, row))


def test_a_consent_is_asked_for_on_a_day_that_changes_no_row(tmp_path):
    path = register(tmp_path, ROW.replace("2025-03-01", "2025-03-01 until 2025-12-31"))
    assert read_register(path, date(2025, 12, 31)) == read_register(path)
    with pytest.raises(AssetError, match="expired before 2026-01-01"):
        read_register(path, date(2026, 1, 1))
    with pytest.raises(AssetError, match="lies in the future of 2025-02-28"):
        read_register(path, date(2025, 2, 28))


def test_the_same_file_under_two_ids_needs_one_person(tmp_path):
    (tmp_path / "b.png").write_bytes(b"a.png")
    with pytest.raises(AssetError, match="a and b are one and the same picture; remove a row"):
        read_register(register(tmp_path, ROW, OTHER))
    with pytest.raises(AssetError, match="a and b are one and the same picture"):
        read_register(register(tmp_path, ROW, OTHER.replace("b.png", "a.png")))
    rows = (f"{ROW},ada", OTHER.replace(",,,,", ",,female,asian,,ada"))
    assert [p.person for p in read_register(register(tmp_path, *rows, header=PERSON))] == [
        "ada"
    ] * 2


def test_a_person_may_be_the_id_of_their_first_picture(tmp_path):
    rows = (f"{ROW},", OTHER.replace(",,,,", ",,female,asian,,a"))
    assert [p.person for p in read_register(register(tmp_path, *rows, header=PERSON))] == ["a"] * 2


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("ada", ",,male,asian,,ada", "a and b are one person with two entries under sex"),
        ("ada", ",,female,,,ada", "two entries under ethnicity"),
        ("ada", ",,female,asian,,Ada", "the names Ada and ada look the same"),
        ("ada", ",,female,asian,,a", "b has person a, but the picture of that id has person ada"),
        ("ada", ",,female,asian,,../ada", "b has person '../ada', no plain name"),
    ],
)
def test_people_that_do_not_agree_are_one_sentence(tmp_path, first, second, says):
    rows = (f"{ROW},{first}", OTHER.replace(",,,,", second))
    with pytest.raises(AssetError, match=says):
        read_register(register(tmp_path, *rows, header=PERSON))


@pytest.mark.parametrize("other", ["A", "а", "Α", "ａ"])  # Latin, Cyrillic, Greek, full width
def test_ids_that_look_the_same_are_refused(tmp_path, other):
    with pytest.raises(AssetError, match=r"the names . and . look the same"):
        read_register(register(tmp_path, ROW, OTHER.replace("b,", f"{other},", 1)))


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

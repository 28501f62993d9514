import pytest

from pipeline.corpus.table import read_table
from pipeline.errors import AssetError

COLUMNS = ("id", "consent", "origin")
TEXT = "id,consent,origin\na,yes,Zoë's\n"


def read(folder, data, optional=()):
    path = folder / "table.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return [row.cells for row in read_table(path, COLUMNS, optional)]


PLAIN = [{"id": "a", "consent": "yes", "origin": "Zoë's"}]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", ""), ("utf-8", "\ufeff"), ("utf-16-le", ""), ("utf-16-le", "\ufeff"),
     ("utf-16-be", ""), ("utf-16-be", "\ufeff"), ("utf-32-le", "\ufeff")],
)  # fmt: skip
def test_exports_of_spreadsheets_are_one_table(tmp_path, separator, ending, encoding, mark):
    text = mark + TEXT.replace(",", separator).replace("\n", ending)
    assert read(tmp_path, text.encode(encoding)) == PLAIN


@pytest.mark.parametrize(
    "text",
    [
        "\n\n" + TEXT,
        "sep=;\n" + TEXT.replace(",", ";"),
        TEXT + ",,\n\n  ,,,,\n",
        TEXT.replace("\n", ",,\n"),
        TEXT.replace("a,yes", ' a ,"yes"'),
        TEXT.replace("id,", "ID ,").replace("consent", "Consent"),
        "origin,id,,consent\nZoë's,a,,yes\n",
        TEXT.rstrip("\n"),
    ],
)
def test_what_a_spreadsheet_does_not_show_counts_for_nothing(tmp_path, text):
    assert read(tmp_path, text) == PLAIN


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "lacks the columns consent, id, origin"),
        (TEXT.encode("cp1252"), r"not UTF-8 \(byte 0xEB in line 2\).*Windows-1252 or Latin-1"),
        (TEXT.encode("utf-16")[:-1], "begins as UTF-16-LE but is cut short"),
        (TEXT.replace("yes", "y\0"), "holds NUL bytes"),
        (b"PK\x03\x04" + b"\x00" * 50, "a spreadsheet or zip file; save it as CSV"),
        (TEXT.replace(",yes", ",given, on paper"), r"line 2: \"Zoë's\" stands in a column without"),
        (TEXT.replace("yes,", ""), "line 2 has 2 cells for 3 columns"),
        (TEXT.replace("yes", '"yes'), "line 2 cannot be read"),
        (TEXT.replace("yes", '"yes"x'), "line 2 cannot be read"),
        (TEXT.replace("yes", '"yes\nno"'), "line 3: 'yes.nno' holds a line break"),
        (TEXT.replace("yes", "yes\u2028no"), "holds a line break"),
        (TEXT.replace("id,", "id,ID,"), "column id more than once"),
        (TEXT.replace("origin", "origin,withdrawn"), "unknown column 'withdrawn'"),
        (TEXT.replace("origin", "orgin"), "lacks the columns origin"),
        (TEXT.replace("yes", "y" * 200_000), "line 2 cannot be read"),
        (TEXT.replace(",", "|"), "lacks the columns consent, id, origin"),
    ],
)
def test_what_is_not_certain_is_one_sentence(tmp_path, data, says):
    with pytest.raises(AssetError, match=says) as caught:
        read(tmp_path, data)
    assert str(caught.value).startswith(f"{tmp_path}/table.csv ")
    assert "\n" not in str(caught.value)


def test_an_optional_column_may_be_there(tmp_path):
    [row] = read(tmp_path, TEXT.replace("\n", ",x\n").replace("origin,x", "origin,note"), ["note"])
    assert row["note"] == "x"


def test_what_cannot_be_opened_says_why(tmp_path):
    with pytest.raises(AssetError, match=r"cannot be read: Is a directory"):
        read_table(tmp_path, COLUMNS)

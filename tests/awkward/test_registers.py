"""Registers as people's tools write and damage them: the table, or one sentence; never a shift."""

import csv
import io
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.corpus.consent import check_consent
from pipeline.corpus.register import COLUMNS, OPTIONAL, read_register
from pipeline.errors import AssetError

TODAY = date(2026, 6, 30)
SOME = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
CONSENTS = (
    "written 2025-03-01", "signed 2025-03-01 until 2027-01-01", "public domain",
    "official portrait released by NASA, Houston for public use", "not a person: a bust; marble",
)  # fmt: skip
DENIALS = ("", " ", "no", "refused", "withdrawn 2026-01-05", "signed 2019-01-01 until 2020-01-01")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")
words = st.text(st.sampled_from("ab z'\"\t,;|=ü€日-.()01\u00a0"), max_size=12)


@st.composite
def tables(draw, consents=CONSENTS):
    """Rows as dicts whose every cell is allowed, but for what `consents` brings in."""
    ids = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True))
    return [
        {
            "id": name,
            "file": f"{name}.png",
            "licence": draw(st.sampled_from(["CC0-1.0", "public domain (NASA)", "CC BY 4.0"])),
            "consent": draw(st.sampled_from(consents)),
            "age": draw(st.sampled_from(["", "0", "44", "44.5", "125"])),
            "sex": draw(st.sampled_from(["", "female", "male"])),
            "ethnicity": draw(st.sampled_from(["", "asian", "mixed, asian"])),
            "origin": draw(words).replace("\t", " "),
        }
        for name in ids
    ]


@st.composite
def layouts(draw):
    """Separator, quoting, line ending and order of the columns."""
    return {
        "columns": draw(st.permutations(COLUMNS)),
        "delimiter": draw(st.sampled_from(",;\t")),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
        "lineterminator": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "blank": draw(st.integers(0, 2)),
        "trailing": draw(st.integers(0, 3)),
    }


def written(rows, layout):
    """The text that a spreadsheet of these rows exports."""
    out = io.StringIO(newline="")
    options = {k: v for k, v in layout.items() if k in ("delimiter", "quoting", "lineterminator")}
    writer = csv.writer(out, **options)
    tail = [""] * layout["trailing"]
    for cells in [layout["columns"], *([row[c] for c in layout["columns"]] for row in rows)]:
        writer.writerow([*cells, *tail])
        for _ in range(layout["blank"]):
            writer.writerow([""] * len(cells))
    return out.getvalue()


def answer(folder, data):
    """The photographs or the sentence."""
    for name in "abcdef":
        (folder / f"{name}.png").write_bytes(name.encode())
    (folder / "register.csv").write_bytes(data)
    try:
        return read_register(folder / "register.csv", TODAY)
    except AssetError as error:
        text = str(error)
        assert text.startswith(f"{folder}/register.csv")
        assert "\n" not in text
        assert 20 < len(text) - len(str(folder)) < 400
        return text


def shown(photographs):
    return [
        (p.id, p.file, p.licence, p.consent, p.age, p.sex or "", p.ethnicity or "", p.origin)
        for p in photographs
    ]


def meant(rows):
    return sorted(
        tuple(float(r[c]) if c == "age" and r[c] else r[c].strip() or None if c == "age"
              else r[c].strip() for c in COLUMNS)
        for r in rows
    )  # fmt: skip


@SOME
@given(tables(), layouts(), st.sampled_from(ENCODINGS))
def test_an_undamaged_register_is_what_the_spreadsheet_shows(tmp_path, rows, layout, encoding):
    text = written(rows, layout)
    if encoding == "cp1252":
        text = text.replace("日", "é")
    found = answer(tmp_path, text.encode(encoding))
    if encoding == "cp1252" and not text.isascii():
        assert "Windows-1252" in found
    else:
        assert shown(found) == meant(rows)


@SOME
@given(tables(), layouts(), st.data())
def test_a_cell_too_many_or_too_few_never_shifts_a_consent(tmp_path, rows, layout, data):
    lines = written(rows, {**layout, "quoting": csv.QUOTE_ALL, "blank": 0}).split(
        layout["lineterminator"]
    )
    number = data.draw(st.integers(0, len(rows)))
    mark = f'"{layout["delimiter"]}"'
    cells = lines[number][1:-1].split(mark)
    place = data.draw(st.integers(0, len(cells) - 1))
    done = data.draw(st.sampled_from(["drop", "add", "swap", "blank"]))
    if done == "drop":
        del cells[place]
    elif done == "add":
        cells.insert(place, data.draw(st.sampled_from(["", "x", "written 2025-03-01"])))
    elif done == "swap":
        cells[place - 1], cells[place] = cells[place], cells[place - 1]
    else:
        cells[place] = ""
    lines[number] = '"' + mark.join(cells) + '"'
    found = answer(tmp_path, layout["lineterminator"].join(lines).encode())
    if not isinstance(found, str):
        if (number, done) == (0, "swap"):  # another table: the cells are what their new names say
            tail = [""] * layout["trailing"]
            values = ([*(row[c] for c in layout["columns"]), *tail] for row in rows)
            rows = [dict(zip(cells, row, strict=True)) for row in values]
        right = {r["id"].strip(): (r["file"], r["licence"], r["consent"]) for r in rows}
        assert all(right.get(p.id) == (p.file, p.licence, p.consent) for p in found)


@SOME
@given(tables(CONSENTS + DENIALS), layouts())
def test_no_denial_ends_up_in_a_corpus(tmp_path, rows, layout):
    found = answer(tmp_path, written(rows, layout).encode())
    denied = any(row["consent"] in DENIALS for row in rows)
    assert isinstance(found, str) == denied


@SOME
@given(tables(), layouts(), st.sampled_from(ENCODINGS[:-1]), st.data())
def test_damaged_bytes_are_a_table_whose_consents_hold_or_a_sentence(
    tmp_path, rows, layout, encoding, data
):
    whole = written(rows, layout).encode(encoding)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 6)))
    found = answer(tmp_path, whole[:start] + data.draw(st.binary(max_size=4)) + whole[end:])
    if not isinstance(found, str):
        for photo in found:
            check_consent(photo.consent, TODAY)
            assert photo.age is None or 0 <= photo.age <= 125


@SOME
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
def test_no_bytes_are_a_traceback(tmp_path, data):
    header = ",".join((*COLUMNS, *OPTIONAL)).encode() + b"\n"
    answer(tmp_path, data)
    answer(tmp_path, header + data)

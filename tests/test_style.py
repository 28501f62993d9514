"""Plain English, as far as a program can tell: short sentences, and no abbreviation unexplained."""

import argparse
import re
from pathlib import Path

import pytest

from flows.cli import COMMANDS, parser

ROOT = Path(__file__).parents[1]
GLOSSARY = ROOT / "docs" / "glossary.md"
MOST = 30  # words; half of the sentences have fewer than 15
STUDIES = sorted((ROOT / "studies").glob("*/README.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *STUDIES]
TEMPLATES = sorted((ROOT / "pipeline").rglob("*.j2"))
ABBREVIATION = re.compile(r"\b[A-Z][A-Z0-9]+s?\b")
# Not abbreviations: labels, numbers, words that stand for a value, words of a command.
NAMES = re.compile(r"FD\d|AU\d+|[A-Z]\d+|PMC\d+|II|III|IV|VI|VII|VIII|FAIL|FAST|FILE|FOLDER|FORMAT|"
                   r"HEAD|HOST|KEY|KIND|NAME|PYTHONPATH|README|SELECT|TIME")  # fmt: skip


def plain(text):
    """Prose alone, a paragraph, a list item or a cell a line; what stands in code is one word."""
    text = re.sub(r"^---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"```.*?```", "\n\n", text, flags=re.DOTALL)
    text = re.sub(
        r"\{%.*?%\}|\{#.*?#\}|<style.*?</style>|<script.*?</script>", "", text, flags=re.DOTALL
    )
    text = re.sub(r"\{\{.*?\}\}", "value", text, flags=re.DOTALL)
    text = re.sub(r"<(p|li|td|th|h\d|figcaption|summary|div|tr|br)\b[^>]*>", "\n\n", text)
    text = re.sub(r"<[^>]+>", "", text)
    text = re.sub(r"`[^`]*`", "code", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"^(\s*[-*] |\s*\d+\. |#+ |> )", "\n", text, flags=re.MULTILINE)
    parts = []
    for block in re.split(r"\n\s*\n", text):
        if block.lstrip().startswith("|"):
            parts += [cell.strip() for line in block.splitlines() for cell in line.split("|")]
        else:
            parts.append(" ".join(block.split()))
    return [part for part in parts if part]


def sentences(part):
    return re.split(r"(?<=[.!?])\s+(?=code\b|[A-Z\d\"'(*])|(?<=[.!?]\*\*)\s+|(?<=[;:])\s+", part)


def helps():
    """(where, text) of all that --help says."""
    page = parser()
    yield "pallor --help", page.description
    [commands] = [a for a in page._actions if isinstance(a, argparse._SubParsersAction)]
    for name, own in commands.choices.items():
        yield f"pallor {name}", COMMANDS[name].help
        yield from ((f"pallor {name} {a.dest}", a.help) for a in own._actions if a.help)


def texts():
    for path in [*PAGES, *TEMPLATES]:
        yield str(path.relative_to(ROOT)), path.read_text()
    yield from helps()


TEXTS = list(texts())


@pytest.mark.parametrize(("where", "text"), TEXTS, ids=[where for where, _ in TEXTS])
def test_no_sentence_must_be_read_twice(where, text):
    long = [s for part in plain(text) for s in sentences(part) if len(s.split()) > MOST]
    assert not long, f"{len(long)} sentences of more than {MOST} words, such as: {long[0]}"


def known():
    """What the glossary explains: the bold word that each of its rows begins with."""
    return {word for row in re.findall(r"^\| \*\*(.+?)\*\*", GLOSSARY.read_text(), re.MULTILINE)
            for word in re.split(r", ", row)}  # fmt: skip


@pytest.mark.parametrize(("where", "text"), TEXTS, ids=[where for where, _ in TEXTS])
def test_every_abbreviation_is_explained(where, text):
    used = {word for part in plain(text) for word in ABBREVIATION.findall(part)}
    unknown = {w for w in used if not {w, w.removesuffix("s")} & known() and not NAMES.fullmatch(w)}
    assert not unknown, f"not in docs/glossary.md: {', '.join(sorted(unknown))}"


def test_the_glossary_explains_nothing_that_nobody_says():
    said = " ".join(text for where, text in TEXTS if where != "docs/glossary.md")
    assert {word for word in known() if word not in said} == set()

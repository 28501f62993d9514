"""What a register may say under `licence` and `consent`: closed lists (`docs/formats/register.md`).

Anything else is refused: a denial that is taken for a note would put a face into the corpus whose
owner said no.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from pipeline.errors import AssetError

_DATE = r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
_DATED = re.compile(rf"(?:written|signed|recorded)(?: consent)? {_DATE}(?: until {_DATE})?", re.I)
_UNDATED = re.compile(
    r"public domain|not a person: (\w.*)|official portrait released by (\w.*) for public use", re.I
)
_LICENCE = re.compile(
    r"CC0(?:[- ]1\.0)?|PDDL-1\.0|CC-PDDC|OGL-UK-3\.0|MIT|own photograph"
    r"|CC[- ]BY(?:-NC)?(?:-SA)?[- ](?:1\.0|2\.0|2\.5|3\.0|4\.0)"
    r"|public domain(?: \((\w.*)\))?|agreement with (\w.*)",
    re.I,
)
_NO_DERIVATIVES = re.compile(r"\bND\b|no ?deriv", re.I)
# Words of a denial or a doubt, wherever they stand.
_DENIAL = re.compile(
    r"\b(no|not|none|never|nobody|without|unknown|pending|only|until|void|null|stop\w*|lapsed|ended"
    r"|(withdr|revo[ck]|refus|declin|deni|deny|reject|object|expir|rescind|retract|cancel|terminat"
    r"|invalid|forb|disput|question)\w*)\b|\?|reserved",
    re.I,
)
EARLIEST = 1900  # a year before is a slip of the pen


@contextmanager
def about(subject: str) -> Iterator[None]:
    """Put `subject` before the sentence of an AssetError that is raised inside."""
    try:
        yield
    except AssetError as error:
        raise AssetError(f"{subject} {error}") from error


def check_consent(text: str, today: date | None = None) -> None:
    """Raise AssetError, worded to follow "a row", unless `text` is a documented consent in force.

    `today` is the day on which it is asked; None leaves open whether a date has come or passed.
    """
    if dated := _DATED.fullmatch(text):
        given, until = (_day(found, text) if found else None for found in dated.groups())
        _check_days(text, given, until, today)
    elif not (free := _UNDATED.fullmatch(text)) or _denied(free):
        if _DENIAL.search(text):
            raise AssetError(f"has consent '{text}', which does not allow the use; remove the row")
        raise AssetError(
            f"has consent '{text}', which is none of the documented values; "
            "write such as 'written 2025-03-01' (docs/formats/register.md)"
        )


def check_licence(text: str) -> None:
    """Raise AssetError, worded to follow "a row", unless `text` is a documented licence."""
    found = _LICENCE.fullmatch(text)
    if not found and _NO_DERIVATIVES.search(text):
        raise AssetError(
            f"has licence '{text}', which forbids derivatives, and an animated face is one; "
            "remove the row"
        )
    if not found or _denied(found):
        raise AssetError(
            f"has licence '{text}', which is none of the documented values; write such as "
            "'CC-BY-4.0' (docs/formats/register.md), or remove the row"
        )


def _denied(found: re.Match[str]) -> bool:
    return any(_DENIAL.search(part) for part in found.groups() if part)


def _day(text: str, consent: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise AssetError(f"has consent '{consent}', but there is no day {text}") from error
    if day.year < EARLIEST:
        raise AssetError(f"has consent '{consent}', but {text} is before {EARLIEST}")
    return day


def _check_days(text: str, given: date | None, until: date | None, today: date | None) -> None:
    if given and until and until < given:
        raise AssetError(f"has consent '{text}', which ends before it begins")
    if today and given and given > today:
        raise AssetError(f"has consent '{text}', which lies in the future of {today}")
    if today and until and until < today:
        raise AssetError(f"has consent '{text}', which expired before {today}; remove the row")

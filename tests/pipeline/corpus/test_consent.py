from datetime import date

import pytest

from pipeline.corpus.consent import about, check_consent, check_licence
from pipeline.errors import AssetError

TODAY = date(2026, 6, 30)


@pytest.mark.parametrize(
    "text",
    [
        "written 2025-03-01",
        "Signed 2026-06-30",
        "recorded consent 2020-02-29 until 2026-06-30",
        "official portrait released by NASA for public use",
        "not a person: rendered geometry",
        "public domain",
    ],
)
def test_documented_consents_hold(text):
    check_consent(text, TODAY)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        *[(text, "does not allow the use") for text in (
            "no", "No.", "refused", "withdrawn 2026-01-05", "written 2025-03-01, withdrawn", "?",
            "not given", "revoked", "never asked", "unknown", "consent denied", "expired",
            "written 2025-03-01 (withdrawn 2026-01-05)", "none", "declined by mail", "pending",
            "not a person: he withdrew", "official portrait released by nobody for public use",
        )],
        *[(text, "none of the documented values") for text in (
            "yes", "44", "female", "given on paper", "written", "written 2025", "signed 1.3.2025",
            "written 2025-3-1", "written 2025-03-01 2026-01-01", "ja", "widerrufen",
            "written 2025-03-01\u200b", "written ٢٠٢٥-03-01", "CC0-1.0", "x",
        )],
        ("written 2025-02-29", "there is no day 2025-02-29"),
        ("written 0000-01-01", "there is no day"),
        ("written 0025-03-01", "before 1900"),
        ("written 2025-03-01 until 2025-02-28", "ends before it begins"),
        ("written 2026-07-01", "lies in the future of 2026-06-30"),
        ("written 2025-03-01 until 2026-06-29", "expired before 2026-06-30"),
    ],
)  # fmt: skip
def test_denial_doubt_and_wrong_days_are_refused(text, says):
    with pytest.raises(AssetError, match=says):
        check_consent(text, TODAY)


@pytest.mark.parametrize("text", ["written 2090-01-01", "written 1990-01-01 until 1991-01-01"])
def test_without_a_day_only_the_wording_is_asked(text):
    check_consent(text)


@pytest.mark.parametrize(
    "text",
    [
        "CC0-1.0", "CC0", "CC-BY-4.0", "cc by-nc-sa 3.0", "PDDL-1.0", "own photograph",
        "public domain", "public domain (NASA)", "agreement with St. Mary's Hospital, 2025-03-01",
    ],
)  # fmt: skip
def test_documented_licences_hold(text):
    check_licence(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("CC-BY-ND-4.0", "forbids derivatives"),
        ("CC BY-NC-ND 4.0", "forbids derivatives"),
        *[(text, "none of the documented values") for text in (
            "all rights reserved", "unknown", "no", "none", "CC", "CC-BY", "CC-BY-9.0", "©", "?",
            "proprietary", "public domain (unknown)", "agreement with nobody", "licence expired",
            "written 2025-03-01",
        )],
    ],
)  # fmt: skip
def test_other_licences_are_refused(text, says):
    with pytest.raises(AssetError, match=says):
        check_licence(text)


def test_a_sentence_says_whom_it_is_about():
    says = pytest.raises(AssetError, match=r"^register\.csv: ada has consent 'no', which does not")
    with says, about("register.csv: ada"):
        check_consent("no")

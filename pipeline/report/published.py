"""The arithmetic of a published accuracy: which units of analysis can and cannot yield it."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pipeline.study import Study

MOST = 5000  # test units that are tried


def explain_published(study: "Study") -> dict[str, Any] | None:
    """What the first claimed accuracy says of its unit; None without clips, fraction and accuracy.

    `test_clips` of the published `clips` are tested and `one_error` is their accuracy with a
    single error. `errors` among them yield the `accuracy` when rounded as it is (None: no number
    does); one error among `fewest` to `most` units does (None: never).
    """
    paper = study.published
    if not paper or paper.clips is None or paper.test_fraction is None:
        return None
    claims = [claim for claim in paper.claims if "accuracy" in claim.figures]
    if not claims:
        return None
    accuracy, tested = claims[0].figures["accuracy"], round(paper.test_fraction * paper.clips)
    digits = -int(Decimal(str(accuracy)).as_tuple().exponent)
    wrong, units = np.arange(tested + 1), np.arange(2, MOST)
    yields = wrong[np.round(1 - wrong / tested, digits) == accuracy] if tested else wrong[:0]
    fits = units[np.round(1 - 1 / units, digits) == accuracy]
    return {
        "claim": claims[0],
        "accuracy": accuracy,
        "clips": paper.clips,
        "test_fraction": paper.test_fraction,
        "test_clips": tested,
        "one_error": 1 - 1 / tested if tested else None,
        "errors": int(yields[0]) if len(yields) else None,
        "fewest": int(fits.min()) if len(fits) else None,
        "most": int(fits.max()) if len(fits) else None,
    }

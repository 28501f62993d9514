"""Pages of clips that fit: what the grid of `pallor view` shows."""

from collections.abc import Mapping
from typing import Any

from pipeline.errors import StageError
from pipeline.lineage.database import Index
from pipeline.lineage.filters import clause, meant
from pipeline.naming import nearest
from pipeline.report.templates import counted

SIZE = 24  # clips a page
MOST = 96
ORDERS = {
    "id": "id", "worst": "error DESC NULLS LAST, id", "best": "error NULLS LAST, id",
    "oldest": "age DESC NULLS LAST, id", "youngest": "age NULLS LAST, id",
}  # fmt: skip
COLUMNS = (
    "id", "kind", "key", "label", "expression", "sex", "age", "ethnicity", "tone", "status",
    "reason", "error", "driving", "portrait", "subject", "trained",
)  # fmt: skip


def page(
    index: Index, filters: Mapping[str, str], order: str = "id", number: int = 1, size: int = SIZE
) -> dict[str, Any]:
    """`total` clips that fit, and the `clips` of one page of them, in an order of ORDERS.

    Pages count from 1; one behind the last is empty. Raises StageError for an unknown filter,
    word or order, with the nearest, and for a page or size that is none.
    """
    if order not in ORDERS:
        raise StageError(f"'{order}' is no order of clips; {nearest(order, ORDERS)}")
    if number < 1 or not 1 <= size <= MOST:
        raise StageError(
            f"page {number} of {counted(size, 'clip')} is none; count from 1, up to {MOST} a page"
        )
    where, values = clause(meant(index, filters))
    [total] = index.column(f"SELECT count(*) FROM seen WHERE {where}", **values)
    clips = index.rows(
        f"SELECT {', '.join(COLUMNS)} FROM seen WHERE {where} ORDER BY {ORDERS[order]} "
        f"LIMIT {size} OFFSET {(number - 1) * size}",
        **values,
    )
    return {"total": total, "page": number, "size": size, "clips": clips}


def counts(index: Index) -> dict[str, int]:
    """How many clips are kept, quarantined, or only planned."""
    rows = index.rows("SELECT status, count(*) AS n FROM clip GROUP BY status")
    return {row["status"]: row["n"] for row in rows}

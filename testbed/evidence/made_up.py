"""Marks on the evidence of a run whose people do not exist: every row says so, and no group is judged."""

from __future__ import annotations

from typing import Any

NOT_JUDGED = "not judged"
WHY = "made-up people: a difference between groups that were drawn says nothing of real people"
UNJUDGED = {"differentials": "words", "indices": "why"}
"""What is said of groups, by the field that says it in words."""


def marked(evidence: dict[str, Any]) -> dict[str, Any]:
    """The evidence with `synthetic: true` in every row, and no verdict, and no test, on differences between groups.

    What has too few people stays `insufficient`; the numbers stay. Contrasts, in which one person is drawn twice, are
    judged elsewhere, and are the only thing that is.
    """
    return {
        name: [_row(row, UNJUDGED.get(name)) for row in rows] if isinstance(rows, list) else rows
        for name, rows in evidence.items()
    }


def _row(row: dict[str, Any], words: str | None) -> dict[str, Any]:
    row = {**row, "synthetic": True}
    if words is None:
        return row
    row |= {name: None for name in ("family_p", "holm_p") if name in row}
    if row["verdict"] == "insufficient":
        return row
    said = f"{row['group']}: {NOT_JUDGED}. {WHY[0].upper()}{WHY[1:]}." if "group" in row else f"{NOT_JUDGED}, {WHY}"
    return {**row, "verdict": NOT_JUDGED, words: said}

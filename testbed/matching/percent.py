"""Percent rules: how a score becomes "67 %", and back (METRICS.md § What a similarity or a "percent" means)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import atanh, tanh
from pathlib import Path

import numpy as np
from scipy import optimize

from pipelines.errors import InputError
from testbed.matching.thresholds import Direction

WIKI_THRESHOLD = 0.6
COMPREFACE = (1.1817961, 5.291995557)
"""CompreFace's constants for Facenet: the distance shown as 50 %, and the slope there."""

ROWS = 10_000
PERCENTS = (50, 67, 80, 90, 95)
"""What a report explains of every rule: who is shown at least as much is counted exactly, at edges of their own."""


@dataclass(frozen=True)
class PercentRule:
    """A monotone rule from scores to percent: `percent(score)`, 0 to 100, and its inverse `score(percent)`.

    direction: which scores the rule takes. `shown` `(2,)`: the least and the greatest percent it has a score for.
    """

    name: str
    direction: Direction
    percent: Callable[[float], float]
    inverse: Callable[[float], float]
    shown: tuple[float, float] = (0.0, 100.0)

    def score(self, percent: float) -> float:
        """The score shown as `percent`. Raises InputError where the rule shows no such value."""
        low, high = self.shown
        if not low <= percent <= high:
            raise InputError(
                f"{percent:g} %: the rule {self.name} shows {low:g} to {high:g} %; give a value in between"
            )
        # A rule's rounding errors must not carry a score past the threshold it stands on.
        return round(self.inverse(percent), 12)


def face_recognition_wiki(distance: float) -> float:
    """The rule of the face_recognition wiki at its threshold 0.6: 0.6 → 50 %, 0.5 → 87.5 %."""
    if distance > WIKI_THRESHOLD:
        return 100 * (1 - distance) / (2 * (1 - WIKI_THRESHOLD))
    linear = max(0.5, 1 - distance / (2 * WIKI_THRESHOLD))
    lift: float = (2 * (linear - 0.5)) ** 0.2
    return 100 * (linear + (1 - linear) * lift)


def face_recognition_wiki_inverse(percent: float) -> float:
    """The distance shown as `percent`."""
    if percent <= 50:
        return 1 - percent / 100 * 2 * (1 - WIKI_THRESHOLD)
    root = optimize.brentq(lambda d: face_recognition_wiki(d) - percent, 0, WIKI_THRESHOLD, xtol=1e-15)
    return float(root)


def compreface(distance: float) -> float:
    """CompreFace: `(tanh((c0 − d)·c1) + 1)/2` with the constants for Facenet."""
    return 50 * (tanh((COMPREFACE[0] - distance) * COMPREFACE[1]) + 1)


def compreface_inverse(percent: float) -> float:
    """The distance shown as `percent`, which must lie strictly between 0 and 100."""
    return COMPREFACE[0] - atanh(percent / 50 - 1) / COMPREFACE[1]


def one_minus_distance(distance: float) -> float:
    """`1 − d`."""
    return 100 * (1 - distance)


def one_minus_distance_inverse(percent: float) -> float:
    """The distance shown as `percent`."""
    return 1 - percent / 100


def half_one_plus_cosine(cosine: float) -> float:
    """`(1 + cos)/2`."""
    return 50 * (1 + cosine)


def half_one_plus_cosine_inverse(percent: float) -> float:
    """The cosine shown as `percent`."""
    return percent / 50 - 1


RULES: dict[str, PercentRule] = {
    rule.name: rule
    for rule in (
        PercentRule("face_recognition wiki", "distance", face_recognition_wiki, face_recognition_wiki_inverse),
        PercentRule("CompreFace", "distance", compreface, compreface_inverse, (1e-6, 100 - 1e-6)),
        PercentRule("1-d", "distance", one_minus_distance, one_minus_distance_inverse),
        PercentRule("(1+cos)/2", "similarity", half_one_plus_cosine, half_one_plus_cosine_inverse),
    )
}
"""By the names that `PipelineInfo.percent_rule` uses."""


def explained(name: str | None, direction: Direction, within: Sequence[float]) -> list[float]:
    """The scores of PERCENTS under the rule of that name, those inside `within`; none where no such rule is known."""
    rule = RULES.get(name or "")
    if rule is None or rule.direction != direction:
        return []
    return [score for score in map(rule.score, PERCENTS) if within[0] < score < within[1]]


def rule_named(name: str, direction: Direction) -> PercentRule:
    """The rule of that name for scores of that direction. Raises InputError where there is none."""
    rule = RULES.get(name)
    if rule is None:
        raise InputError(f"percent rule {name!r}: is not known; name one of {', '.join(map(repr, RULES))}, or a table")
    return _fitting(rule, direction)


def rule_from_table(path: Path, direction: Direction) -> PercentRule:
    """A vendor's own rule from a CSV with columns score, percent: straight lines between its rows.

    Scores must ascend, and percents strictly rise with them for a similarity, fall for a distance. Raises InputError.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if not {"score", "percent"} <= set(reader.fieldnames or ()):
                raise InputError(f"{path}: the columns must be named score and percent")
            rows = [_numbers(path, reader.line_num, row) for row, _ in zip(reader, range(ROWS + 1), strict=False)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: cannot be read as a CSV ({error}); give a table with columns score, percent"
        ) from None
    if not 2 <= len(rows) <= ROWS:
        raise InputError(f"{path}: a percent rule needs 2 to {ROWS:,} rows of score and percent")
    lines, scores, percents = (np.array(column) for column in zip(*rows, strict=True))
    rising = 1 if direction == "similarity" else -1
    wrong = np.flatnonzero((np.diff(scores) <= 0) | (np.diff(percents) * rising <= 0))
    if len(wrong):
        raise InputError(
            f"{path}:{int(lines[wrong[0] + 1])}: scores must ascend from row to row and percents "
            f"{'rise' if rising > 0 else 'fall'} with them, since the scores are those of a {direction}"
        )
    shares, at = percents[::rising], scores[::rising]

    def percent(score: float) -> float:
        return float(np.interp(score, scores, percents))

    def inverse(shown: float) -> float:
        return float(np.interp(shown, shares, at))

    return PercentRule(path.name, direction, percent, inverse, (float(shares[0]), float(shares[-1])))


def _numbers(path: Path, line: int, row: dict[str, str | None]) -> tuple[int, float, float]:
    try:
        score, percent = float(row["score"] or ""), float(row["percent"] or "")
    except ValueError:
        score = percent = float("nan")
    if not (np.isfinite(score) and 0 <= percent <= 100):
        raise InputError(f"{path}:{line}: score must be a number and percent one from 0 to 100")
    return line, score, percent


def _fitting(rule: PercentRule, direction: Direction) -> PercentRule:
    if rule.direction != direction:
        raise InputError(
            f"percent rule {rule.name!r}: is for a {rule.direction}, these scores are of a {direction}; name one of "
            f"{', '.join(repr(name) for name, each in RULES.items() if each.direction == direction)}, or a table"
        )
    return rule

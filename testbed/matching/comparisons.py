"""The two passes over all comparisons of one cell, and the tables they fill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from kernels.crosscount import Faces, Tally, choose_tier, count, tally
from testbed.matching.people import People
from testbed.matching.percent import explained
from testbed.matching.thresholds import Point, edges_for, points_in_use
from testbed.runs.tables import COUNTS, EDGES, MOMENTS, PAIRS, TALLIES, THRESHOLDS, Table

SCORE_BINS = 1500
Tables = list[tuple[Table, pl.DataFrame]]


@dataclass(frozen=True)
class Matcher:
    """How a cell's system compares: metric, and score edges, fixed thresholds and explained percents among them."""

    metric: Literal["euclidean", "cosine"]
    direction: Literal["distance", "similarity"]
    edges: npt.NDArray[np.float64]
    fixed: dict[str, float]
    """Operating points that are known beforehand: `own`, `given=…` → threshold."""

    @classmethod
    def of(cls, info: dict[str, Any], operating_points: list[str | float]) -> Matcher:
        """From a PipelineInfo (as `run.json` holds it) and the scenario's operating points."""
        fixed = {
            (p if isinstance(p, str) else f"given={p:g}"): float(info["threshold"] if p == "own" else p)
            for p in operating_points
            if not str(p).startswith("fmr=")
        }
        shown = explained(info.get("percent_rule"), info["direction"], info["score_range"])
        edges = edges_for(info["score_range"], SCORE_BINS, [*fixed.values(), *shown])
        return cls(info["metric"], info["direction"], edges, fixed)

    @property
    def points(self) -> list[Point]:
        """The fixed thresholds: no halves of the people are needed to find them."""
        return [(name, False, value, value) for name, value in self.fixed.items()]


def compare(
    cell: str, matcher: Matcher, probes: Faces, references: Faces, people: People, operating_points: list[str | float]
) -> tuple[Tables, str]:
    """Tables EDGES, THRESHOLDS, COUNTS, TALLIES, MOMENTS, PAIRS of transits against references, and the tier used."""
    counts = count(probes, references, people.groups, people.folds, matcher.edges, matcher.metric)
    points = points_in_use(counts, matcher.edges, matcher.fixed, operating_points, matcher.direction, people)
    result = _tally(probes, references, people, points, matcher.metric)
    return recorded(cell, people, matcher.edges, counts, points, result), choose_tier(probes, references)


def recorded(
    cell: str, people: People, edges: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], points: list[Point],
    result: Tally,
) -> Tables:  # fmt: skip
    """Tables EDGES, THRESHOLDS, COUNTS, TALLIES, MOMENTS, PAIRS per transit, whoever counted: templates or a log.

    counts `(G, G, 2, 3, B + 1)` as `kernels.crosscount.count` gives them, at `edges` `(B,)`; result at `points`.
    """
    tables: Tables = [
        (EDGES, pl.DataFrame({"cell": cell, "edge": np.arange(len(edges)), "score": edges})),
        (THRESHOLDS, pl.DataFrame([(cell, *p) for p in points], schema=THRESHOLDS.columns, orient="row")),
        (COUNTS, _counts_table(counts, cell, "transit", people.labels)),
        *tallied(cell, "transit", people, points, result),
    ]
    return [typed(*each) for each in tables]


def compare_passers_by(cell: str, matcher: Matcher, probes: Faces, references: Faces, crowd: People) -> Tables:
    """The same per capture, for clips that show nobody enrolled: every match is false by construction."""
    counts = count(probes, references, crowd.groups, crowd.folds, matcher.edges, matcher.metric)
    result = _tally(probes, references, crowd, matcher.points, matcher.metric)
    return recorded_passers_by(cell, crowd, counts, matcher.points, result)


def recorded_passers_by(
    cell: str, crowd: People, counts: npt.NDArray[np.int64], points: list[Point], result: Tally
) -> Tables:
    """Tables COUNTS, TALLIES, MOMENTS, PAIRS per capture, whoever counted."""
    tables = [
        (COUNTS, _counts_table(counts, cell, "capture", crowd.labels)),
        *tallied(cell, "capture", crowd, points, result),
    ]
    return [typed(*each) for each in tables]


def typed(table: Table, frame: pl.DataFrame) -> tuple[Table, pl.DataFrame]:
    """A frame with the table's columns, in its order and types."""
    return table, frame.select(pl.col(name).cast(dtype) for name, dtype in table.columns.items())


def in_use(point: str) -> bool:
    """Whether a threshold decides anything: the ladders for design effects only lend their variance."""
    return not point.startswith(("looser:", "stricter:", "eer:"))


def _tally(
    probes: Faces, references: Faces, people: People, points: list[Point], metric: Literal["euclidean", "cosine"]
) -> Tally:
    limits = np.array([point[2:] for point in points], np.float64).reshape(-1, 2)
    crossfit = np.array([point[1] for point in points], bool)
    listed = np.array([in_use(point[0]) for point in points], bool)
    return tally(probes, references, people.groups, people.folds, limits, crossfit, metric, listed=listed)


def _counts_table(counts: npt.NDArray[np.int64], cell: str, unit: str, labels: tuple[str, ...]) -> pl.DataFrame:
    p, r, mated, fold, bins = np.nonzero(counts)
    return _strings(probe_group=(labels, p), reference_group=(labels, r)).with_columns(
        cell=pl.lit(cell), unit=pl.lit(unit), mated=mated == 1, fold=np.where(fold == 2, -1, fold), bin=bins,
        comparisons=counts[p, r, mated, fold, bins],
    )  # fmt: skip


def tallied(cell: str, unit: str, people: People, points: list[Point], result: Tally) -> Tables:
    """Pass 2 at `points`, as tables TALLIES, MOMENTS and PAIRS."""
    names, subjects, groups = [point[0] for point in points], people.subjects, people.labels
    constant = [pl.lit(cell).alias("cell"), pl.lit(unit).alias("unit")]
    k, role, s, g = np.nonzero(result.comparisons)
    non_mated = _strings(point=(names, k), role=(("probe", "reference"), role), subject=(subjects, s),
                         opposite_group=(groups, g)).with_columns(
        mated=pl.lit(value=False), errors=result.errors[k, role, s, g], comparisons=result.comparisons[k, role, s, g]
    )  # fmt: skip
    k, s = np.nonzero(result.mated_comparisons)
    mated = _strings(point=(names, k), role=(("probe",), np.zeros_like(k)), subject=(subjects, s),
                     opposite_group=(groups, people.groups[s])).with_columns(
        mated=pl.lit(value=True), errors=result.mated_errors[k, s], comparisons=result.mated_comparisons[k, s]
    )  # fmt: skip
    k, p, r = np.nonzero(result.squares[..., 2])
    sums = [*np.moveaxis(result.squares[k, p, r], -1, 0), *np.moveaxis(result.crosses[k, p, r], -1, 0)]
    moments = _strings(point=(names, k), probe_group=(groups, p), reference_group=(groups, r)).with_columns(
        **dict(zip(("err2", "err_n", "n2", "cross_err2", "cross_err_n", "cross_n2"), sums, strict=True))
    )
    used = np.array([in_use(name) for name in names], bool)
    sparse = result.pairs[used[result.pairs[:, 0]]]
    pairs = _strings(
        point=(names, sparse[:, 0]), probe_subject=(subjects, sparse[:, 1]), reference_subject=(subjects, sparse[:, 2])
    ).with_columns(errors=sparse[:, 3], comparisons=sparse[:, 4])
    return [
        (TALLIES, pl.concat([non_mated, mated]).with_columns(constant)),
        (MOMENTS, moments.with_columns(constant)),
        (PAIRS, pairs.with_columns(constant)),
    ]


def _strings(**columns: tuple[Sequence[str], npt.NDArray[np.int64]]) -> pl.DataFrame:
    """Columns of names, each given as the names there are and which of them stands in every row."""
    return pl.DataFrame({
        name: pl.Series(list(words), dtype=pl.String).gather(pl.Series(rows, dtype=pl.Int64))
        for name, (words, rows) in columns.items()
    })  # fmt: skip

"""A cell's tallies as arrays, and the clustered rate of any pair of groups from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from testbed.evidence.intervals import Clustered, across_groups, by_subject, may_lend, within_group
from testbed.matching.people import Group, People
from testbed.matching.thresholds import Direction

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Tallied:
    """Tables TALLIES and MOMENTS of one cell and unit, for P points, S subjects, G full-cross groups.

    errors, comparisons `(P, 2, S, G)`; mated_errors, mated_comparisons `(P, S)`; squares, crosses `(P, G, G, 3)`,
    all as `kernels.crosscount.Tally` defines them. thresholds `(P, 2)` by fold.
    """

    people: People
    points: tuple[str, ...]
    thresholds: Array
    errors: Array
    comparisons: Array
    mated_errors: Array
    mated_comparisons: Array
    squares: Array
    crosses: Array
    _made: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Rates and lenders, once made: many figures ask for the same ones."""

    @classmethod
    def of(cls, people: People, thresholds: pl.DataFrame, tallies: pl.DataFrame, moments: pl.DataFrame) -> Tallied:
        """From the rows of one cell and unit."""
        points = tuple(thresholds["point"])
        P, S, G = len(points), len(people.subjects), len(people.labels)
        at = {"point": points, "subject": people.subjects, "group": people.labels, "role": ("probe", "reference")}

        def place(column: pl.Series, kind: str) -> Array:
            return (
                column.replace_strict({v: i for i, v in enumerate(at[kind])}, return_dtype=pl.Int64)
                .to_numpy()
                .astype(np.int64)
            )

        result = cls(
            people, points, thresholds.select("threshold_0", "threshold_1").to_numpy(),
            np.zeros((P, 2, S, G)), np.zeros((P, 2, S, G)), np.zeros((P, S)), np.zeros((P, S)),
            np.zeros((P, G, G, 3)), np.zeros((P, G, G, 3)),
        )  # fmt: skip
        rows = tallies.filter(~pl.col("mated"))
        where = (place(rows["point"], "point"), place(rows["role"], "role"),
                 place(rows["subject"], "subject"), place(rows["opposite_group"], "group"))  # fmt: skip
        result.errors[where], result.comparisons[where] = rows["errors"].to_numpy(), rows["comparisons"].to_numpy()
        rows = tallies.filter("mated")
        own = (place(rows["point"], "point"), place(rows["subject"], "subject"))
        result.mated_errors[own] = rows["errors"].to_numpy()
        result.mated_comparisons[own] = rows["comparisons"].to_numpy()
        cell = (place(moments["point"], "point"), place(moments["probe_group"], "group"),
                place(moments["reference_group"], "group"))  # fmt: skip
        result.squares[cell] = moments.select("err2", "err_n", "n2").to_numpy()
        result.crosses[cell] = moments.select("cross_err2", "cross_err_n", "cross_n2").to_numpy()
        return result

    def index(self, point: str) -> int:
        """The position of a point; raises ValueError where it was not tallied."""
        return self.points.index(point)

    def ladder(self, name: str) -> list[int]:
        """Positions of the thresholds `looser:…` or `stricter:…`."""
        return [k for k, point in enumerate(self.points) if point.startswith(f"{name}:")]

    def ordered(self, direction: Direction) -> Array:
        """Positions of tallied thresholds, one each, from strict to loose; those that differ by half are left out."""
        limits = self.thresholds[:, 0]
        usable = [k for k, name in enumerate(self.points) if not name.startswith("fmr=") and np.isfinite(limits[k])]
        _, first = np.unique(limits[usable], return_index=True)
        ascending = np.array(usable, np.int64)[first]
        return ascending if direction == "distance" else ascending[::-1]

    def threshold(self, k: int) -> float | None:
        """The threshold at point k (the mean of both halves' where cross-fitted); None where none could be found."""
        value = float(self.thresholds[k].mean())
        return None if np.isnan(value) else value

    def fmr(self, k: int, probe: Group, reference: Group) -> Clustered:
        """Non-mated comparisons of `probe` with `reference`: the same group, or two that share nobody."""
        key = (k, probe.members, reference.members)
        if key not in self._made:
            self._made[key] = self._count_fmr(*key)
        return cast(Clustered, self._made[key])

    def _count_fmr(self, k: int, probe: tuple[int, ...], reference: tuple[int, ...]) -> Clustered:
        p, r = list(probe), list(reference)
        if p == r:
            S = self._inside(probe)
            errors, comparisons = (x[k, :, S][..., p].sum(axis=(1, 2)) for x in (self.errors, self.comparisons))
            moments = self._both_ways(k, [(a, b) for a in p for b in p])
            return within_group(errors, comparisons, moments)
        sides = []
        for role, mine, theirs in ((0, p, r), (1, r, p)):
            S = self._inside(tuple(mine))
            sides.append((
                self.errors[k, role, S][:, theirs].sum(axis=1), self.comparisons[k, role, S][:, theirs].sum(axis=1)
            ))  # fmt: skip
        return across_groups(sides[0], sides[1], self.squares[k][np.ix_(p, r)].sum(axis=(0, 1)))

    def lenders(self, probe: Group, reference: Group | None) -> list[Clustered]:
        """FMR at the looser thresholds near the shares that lend; same-group FMR where `reference` is None."""
        members = None if reference is None else reference.members
        key = ("lenders", probe.members, members)
        if key not in self._made:
            S, G = self._inside(probe.members), self.people.groups
            rungs = self.ladder("looser")
            errors, trials = (
                x[rungs, 0][:, np.arange(len(G)), G].sum(axis=1) if members is None
                else x[rungs, 0][:, S][..., list(members)].sum(axis=(1, 2))
                for x in (self.errors, self.comparisons)
            )  # fmt: skip
            able = [k for k, x, n in zip(rungs, errors, trials, strict=True) if n and may_lend(x / n)]
            self._made[key] = [
                self.fmr_same_group(k) if reference is None else self.fmr(k, probe, reference) for k in able
            ]
        return cast(list[Clustered], self._made[key])

    def fmr_same_group(self, k: int) -> Clustered:
        """Non-mated comparisons within full-cross groups, pooled: same-group impostors."""
        G, S = self.people.groups, np.arange(len(self.people.subjects))
        errors, comparisons = (x[k][:, S, G].sum(axis=0) for x in (self.errors, self.comparisons))
        return within_group(errors, comparisons, self._both_ways(k, [(g, g) for g in range(len(self.people.labels))]))

    def fnmr(self, k: int, probe: Group) -> Clustered:
        """Mated comparisons of one group."""
        S = self._inside(probe.members)
        return by_subject(self.mated_errors[k, S], self.mated_comparisons[k, S])

    def _inside(self, members: tuple[int, ...]) -> Array:
        """Which people `(S,)` are of these full-cross groups."""
        key = ("inside", members)
        if key not in self._made:
            self._made[key] = np.isin(self.people.groups, members)
        return cast(Array, self._made[key])

    def _both_ways(self, k: int, cells: list[tuple[int, int]]) -> Array:
        """Σerr², Σerr·n, Σn² over unordered pairs with both directions together.

        squares sum each direction by itself; crosses, summed over ordered pairs, hold each product of the two
        directions twice: once for each order, as the square of a sum needs. Their err·n entry already holds both
        mixed products, so it counts half.
        """
        total = np.zeros(3)
        for a, b in cells:
            total += self.squares[k, a, b] + self.crosses[k, a, b] * [1, 0.5, 1]
        return total

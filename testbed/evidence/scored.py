"""A cell's comparisons by score and by half of the people: what the meaning of a score is made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.errors import InputError
from testbed.evidence.figures import SAME_GROUP
from testbed.evidence.intervals import FEWEST_SUBJECTS, Clustered, borrowed_design_effect, sufficient
from testbed.evidence.tallied import Tallied
from testbed.matching.people import Group, People, people_of
from testbed.matching.thresholds import Direction
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ATTEMPTS, CELLS, COUNTS, EDGES, MOMENTS, SUBJECTS, TALLIES, THRESHOLDS

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ScoredCell:
    """Tables COUNTS, EDGES and TALLIES of one cell, per transit.

    counts `(G, G, 2, 3, B + 1)` by probe group, reference group, mated, fold (2: one person in each) and score bin,
    at `edges` `(B,)`. acquired `(S,)`: transits with a template, by subject. operating_points: those of one threshold.
    """

    cell: str
    system: str
    condition: dict[str, Any]
    direction: Direction
    operating_points: tuple[str, ...]
    percent_rule: str | None
    people: People
    tallied: Tallied
    acquired: Array
    counts: Array
    edges: Array

    @property
    def scores(self) -> Array:
        """The score each bin stands for `(B + 1,)`: its middle; the outermost, open ones at the last edge."""
        return np.asarray(np.r_[self.edges[0], (self.edges[1:] + self.edges[:-1]) / 2, self.edges[-1]])

    @property
    def alike(self) -> Array:
        """The same, so that greater is more alike."""
        return self.scores if self.direction == "similarity" else -self.scores

    def bin(self, score: float) -> int:
        """The bin a score falls into."""
        return int(np.searchsorted(self.edges, score, "left" if self.direction == "distance" else "right"))

    def thresholds(self) -> Array:
        """Positions of tallied thresholds, one each, from strict to loose; those that differ by half are left out."""
        return self.tallied.ordered(self.direction)

    def intervals(self, thresholds: Array) -> Array:
        """Which of the `K + 1` intervals between K thresholds (from strict to loose) each bin lies in `(B + 1,)`."""
        edge = np.searchsorted(self.edges, self.tallied.thresholds[thresholds, 0])[:, None]
        bins = np.arange(len(self.edges) + 1)[None]
        matching = bins <= edge if self.direction == "distance" else bins > edge
        return np.asarray((~matching).sum(axis=0))

    def populations(self) -> Iterator[Population]:
        """Every group against itself; for all people also against strangers of their own group, pooled."""
        for group in self.people.within():
            yield self.population(group)
            if not group.attributes and self.people.attributes:
                yield self.population(group, SAME_GROUP)

    def population(self, group: Group, reference: Group | None = None) -> Population:
        """Mated and non-mated comparisons of a group, non-mated with itself or, `SAME_GROUP`, within each group."""
        members, tallied, groups = list(group.members), self.tallied, self.people.groups
        inside = np.isin(groups, members)
        if reference is SAME_GROUP:
            non_mated = self.counts[members, members, 0].sum(axis=0)
            matches, trials = (x[:, :, np.arange(len(groups)), groups]
                               for x in (tallied.errors, tallied.comparisons))  # fmt: skip
        else:
            non_mated = self.counts[np.ix_(members, members)][:, :, 0].sum(axis=(0, 1))
            matches, trials = (x[:, :, inside][..., members].sum(axis=3)
                               for x in (tallied.errors, tallied.comparisons))  # fmt: skip
        mated = self.counts[members, members, 1].sum(axis=0)
        return Population(
            self, group, reference or group, non_mated, mated, self.people.folds[inside], self.acquired[inside],
            matches, trials,
            tallied.mated_comparisons[:, inside] - tallied.mated_errors[:, inside],
            tallied.mated_comparisons[:, inside],
        )  # fmt: skip


@dataclass(frozen=True)
class Population:
    """Mated and non-mated comparisons of one group.

    non_mated, mated `(3, B + 1)` by fold and bin. For its S people: folds, acquired `(S,)`; at the P tallied
    thresholds matches, trials `(P, 2, S)`, non-mated, as probe and as reference, so that every comparison stands in
    two people; mated_matches, mated_trials `(P, S)`.
    """

    cell: ScoredCell
    group: Group
    reference: Group
    non_mated: Array
    mated: Array
    folds: Array
    acquired: Array
    matches: Array
    trials: Array
    mated_matches: Array
    mated_trials: Array
    fits: dict[Any, Array] = field(default_factory=dict, init=False, repr=False)
    """Likelihood ratios at every bin, by fit and half, as they are asked for."""

    def fmr(self, k: int) -> Clustered:
        """Non-mated comparisons that match at tallied threshold k."""
        if self.reference is SAME_GROUP:
            return self.cell.tallied.fmr_same_group(k)
        return self.cell.tallied.fmr(k, self.group, self.group)

    @cached_property
    def looser(self) -> list[Clustered]:
        """The thresholds that lend FMR a design effect."""
        within = None if self.reference is SAME_GROUP else self.group
        return self.cell.tallied.lenders(self.group, within)

    @cached_property
    def stricter(self) -> list[Clustered]:
        """The thresholds that lend FNMR a design effect."""
        return [self.cell.tallied.fnmr(k, self.group) for k in self.cell.tallied.ladder("stricter")]

    def subjects(self, fold: int | None = None) -> tuple[int, int]:
        """People with mated, and with non-mated comparisons; of one half only where `fold` is given."""
        there = np.full(len(self.folds), True) if fold is None else self.folds == fold
        mated, other = (((x > 0).any(axis=0) & there).sum() for x in (self.mated_trials, self.trials.sum(axis=1)))
        return int(mated), int(other)

    @cached_property
    def design_effect(self) -> float | None:
        """That of the non-mated comparisons at looser thresholds; None where it cannot be measured."""
        return borrowed_design_effect(self.looser) if self.subjects()[1] // 2 >= FEWEST_SUBJECTS // 2 else None

    def sufficient(self) -> bool:
        """Whether there are people enough to say anything of mated and of non-mated comparisons."""
        points = self.cell.thresholds()
        return len(points) > 0 and (
            sufficient(self.fmr(int(points[0])))
            and sufficient(self.cell.tallied.fnmr(int(points[0]), self.group), paired=False)
        )


def counts_by_fold(table: pl.DataFrame, people: People, edges: int) -> Array:
    """Counts `(G, G, 2, 3, edges + 1)` from the rows of table COUNTS of one cell, per transit."""
    counts = np.zeros((len(people.labels), len(people.labels), 2, 3, edges + 1), np.int64)
    place = {label: i for i, label in enumerate(people.labels)}
    groups = [
        table[name].replace_strict(place, return_dtype=pl.Int64).to_numpy().astype(np.int64)
        for name in ("probe_group", "reference_group")
    ]
    fold = table["fold"].to_numpy().astype(np.int64) % 3  # −1, one person in each half, is the last
    mated, bins = (table[name].cast(pl.Int64).to_numpy() for name in ("mated", "bin"))
    np.add.at(counts, (*groups, mated, fold, bins), table["comparisons"].to_numpy())
    return counts


def cells_of(run: RunDirectory, only: str | None = None) -> Iterator[ScoredCell]:
    """Every cell of a run that has been matched, or the one named `only`. Raises InputError where there is none."""
    run.require("match", "decode")
    manifest = run.manifest()
    scenario, systems = manifest["scenario"], manifest["systems"]
    people = people_of(run.read(SUBJECTS), scenario["groups"], scenario["seed"])
    cells = run.read(CELLS)
    if only is not None and only not in cells["cell"]:
        raise InputError(f"{run.path}: has no cell {only!r}; its cells are {', '.join(cells['cell'])}")
    tables = {table.name: run.read(table) for table in (ATTEMPTS, COUNTS, EDGES, THRESHOLDS, TALLIES, MOMENTS)}
    for row in cells.iter_rows(named=True):
        if only in (None, row["cell"]):
            mine = {name: table.filter(pl.col("cell") == row["cell"]) for name, table in tables.items()}
            yield scored_cell(row, systems[row["system"]], people, mine)


def scored_cell(
    row: dict[str, Any], system: dict[str, Any], people: People, tables: dict[str, pl.DataFrame]
) -> ScoredCell:
    """From a row of CELLS, what its system says of itself, and the rows of the other tables that are of this cell."""
    per_transit = {name: t.filter(pl.col("unit") == "transit") for name, t in tables.items() if "unit" in t.columns}
    edges = tables[EDGES.name].sort("edge")["score"].to_numpy()
    named = ("cell", "system", "condition")
    condition = {name: value for name, value in row.items() if name not in named and value is not None}
    acquired = tables[ATTEMPTS.name].filter(pl.col("state") == "acquired")
    return ScoredCell(
        cell=row["cell"],
        system=row["system"],
        condition={"name": row["condition"], **condition},
        direction=system["direction"],
        operating_points=tuple(
            point for point in tables[THRESHOLDS.name]["point"] if point == "own" or point.startswith("given=")
        ),
        percent_rule=system["percent_rule"],
        people=people,
        tallied=Tallied.of(
            people, tables[THRESHOLDS.name], per_transit[TALLIES.name], per_transit[MOMENTS.name]
        ),
        acquired=np.bincount(people.index(acquired["subject"]), minlength=len(people.subjects)),
        counts=counts_by_fold(per_transit[COUNTS.name], people, len(edges)),
        edges=edges,
    )  # fmt: skip

"""Everything a report is made from, read once from the run directory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from pipelines.errors import InputError
from reports.wording import shared, without_folders, without_names
from testbed.evidence.claims.judging import is_synthetic
from testbed.evidence.stage import EVIDENCE
from testbed.matching.people import Group, People, people_of
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import (
    ATTEMPTS,
    CAPTURES,
    CURVES,
    DISTRIBUTIONS,
    FRAMES,
    PHOTOGRAPHS,
    REFERENCES,
    SUBJECTS,
    THRESHOLDS,
    TIMINGS,
    Table,
)
from testbed.scenario.cells import Cell
from testbed.scenario.loading import Loaded
from testbed.scenario.models import RESERVED_GROUPS, Scenario, Video
from testbed.scenario.synthetic import Synthetic

EVERYBODY, SAME_GROUP = RESERVED_GROUPS
MAIN = "main"
"""Stands for the operating point that the report speaks of first, `Contents.main_point`."""
Figure = dict[str, Any]


@dataclass(frozen=True)
class Contents:
    """A finished run: its manifest, evidence and tables, with the look-ups that a report needs.

    reference_condition: the name of the condition the first screen speaks of.
    """

    run: RunDirectory
    scenario: Scenario
    cells: tuple[Cell, ...]
    manifest: dict[str, Any]
    figures: list[Figure]
    differentials: list[Figure]
    claims: list[Figure]
    score_meaning: list[Figure]
    found_thresholds: list[Figure]
    planning: list[Figure]
    contrasts: list[Figure]
    enhanced: list[Figure]
    lookup: list[Figure]
    heads: list[Figure]
    linkage: list[Figure]
    alerts: list[Figure]
    reviewers: list[Figure]
    indices: list[Figure]
    label_sensitivity: list[Figure]
    provenance: list[Figure]
    labels: list[Figure]
    corrections: Figure | None
    domain_gap: Figure | None
    people: People
    subjects: pl.DataFrame
    references: pl.DataFrame
    attempts: pl.DataFrame
    thresholds: pl.DataFrame
    curves: pl.DataFrame
    distributions: pl.DataFrame

    @property
    def systems(self) -> list[str]:
        """Labels of the systems under test, in the scenario's order."""
        return list(dict.fromkeys(cell.system.label for cell in self.cells))

    @property
    def synthetic(self) -> bool:
        """Whether nobody in it exists."""
        return is_synthetic(self.manifest)

    @cached_property
    def alike(self) -> list[list[str]]:
        """The systems, those together that give the very same figures throughout."""
        tables = (self.figures, self.differentials, self.score_meaning, self.found_thresholds, self.planning)
        given: dict[str, list[Figure]] = {system: [] for system in self.systems}
        for row in (row for table in tables for row in table):
            given[row["system"]].append({name: each for name, each in row.items() if name not in ("system", "cell")})
        together: dict[str, list[str]] = {}
        for system, rows in given.items():
            together.setdefault(json.dumps(rows), []).append(system)
        return list(together.values())

    @property
    def conditions(self) -> list[str]:
        """Names of the conditions, in the scenario's order."""
        return list(dict.fromkeys(cell.condition_name for cell in self.cells))

    @cached_property
    def reference_condition(self) -> str:
        """`wanted_condition`, or where no face was found under it, the first under which one was."""
        wanted = self.wanted_condition
        able = {*self.attempts.filter(pl.col("state") == "acquired")["cell"]}
        found = {cell.condition_name for cell in self.cells if cell.id in able}
        return next((name for name in (wanted, *self.conditions) if name in found), wanted)

    @property
    def wanted_condition(self) -> str:
        """`clean` where there is one, else the first."""
        return "clean" if "clean" in self.conditions else self.conditions[0]

    @cached_property
    def operating_points(self) -> list[str]:
        """Names of the operating points, in the scenario's order: own, fmr=1e-2, given=0.5."""
        return [p if isinstance(p, str) else f"given={p:g}" for p in self.scenario.operating_points]

    @property
    def main_point(self) -> str:
        """The operating point the report speaks of: `own` if evaluated, else the first.

        Of made-up people it is the first that the scenario names: a threshold learned on photographs is not theirs.
        """
        own = "own" in self.operating_points and not self.synthetic
        return "own" if own else self.operating_points[0]

    def said(self, what: str) -> bool:
        """Whether a log says who is who (`subjects`), who is `enrolled`, or what failed (`failures`); runs know it."""
        return bool(self.manifest.get(f"{what}_known", True))

    def size(self, group: Group) -> int | None:
        """People in a group; None where it is not known who is who."""
        return self.people.size(group) if self.said("subjects") else None

    def cell(self, system: str, condition: str) -> Cell:
        """The cell of a system under a condition."""
        return next(c for c in self.cells if (c.system.label, c.condition_name) == (system, condition))

    def reference_cell(self, system: str) -> Cell:
        """The cell the first screen speaks of."""
        return self.cell(system, self.reference_condition)

    def shared_settings(self) -> str:
        """What all conditions with a camera have in common, in words; "" where there is none."""
        cameras = {c.condition_name: c.condition.model_dump() for c in self.cells if not c.condition.clean}
        filmed = isinstance(self.scenario.probes, Video | Synthetic)
        still = {"frame", "frames", "fps", "motion_eyes_per_s"} if filmed else set()
        return shared([{k: v for k, v in each.items() if k not in still} for each in cameras.values()])

    def kinds(self) -> dict[str, list[Group]]:
        """Groups by kind: single attributes first, then the full cross. Empty without attributes."""
        crossed = self.people.crossed()
        return {**self.people.single(), **({" × ".join(self.people.attributes): crossed} if crossed else {})}

    def figure(
        self, metric: str, cell: Cell, probe: str = EVERYBODY, reference: str | None = None, point: str | None = MAIN,
        *, gallery: int | None = None, rank: int | None = None,
    ) -> Figure | None:  # fmt: skip
        """The figure of that key, None where evidence holds none; gallery and rank: of searches."""
        point = self.main_point if point == MAIN else point
        return self._by_key.get((metric, cell.id, point, probe, reference, gallery, rank))

    @cached_property
    def _by_key(self) -> dict[tuple[Any, ...], Figure]:
        names = ("metric", "cell", "operating_point", "probe_group", "reference_group", "gallery_size", "rank")
        return {tuple(figure[name] for name in names): figure for figure in self.figures}

    def _searched(self, cell: Cell, metric: str) -> list[Figure]:
        return [f for f in self.figures if f["cell"] == cell.id and f["unit"] == "search" and f["metric"] == metric]

    @cached_property
    def searched(self) -> bool:
        """Whether a gallery was searched."""
        return any(figure["unit"] == "search" for figure in self.figures)

    def gallery_sizes(self, cell: Cell) -> list[int]:
        """People in each gallery that was searched."""
        return list(dict.fromkeys(f["gallery_size"] for f in self._searched(cell, "CMC")))

    def searched_points(self, cell: Cell) -> list[str]:
        """Operating points that searches were counted at."""
        counted = {figure["operating_point"] for figure in self._searched(cell, "FPIR")}
        return [point for point in self.operating_points if point in counted]

    def searched_point(self, cell: Cell) -> str:
        """The operating point that is spoken of in searches: the main one, or the first at which they can be told."""
        rows = (f for f in self._searched(cell, "FPIR") if f["probe_group"] == EVERYBODY)
        told = [figure["operating_point"] for figure in rows if figure["comparisons"]]
        return next((p for p in (self.main_point, *self.operating_points) if p in told), self.main_point)

    def ranks(self, cell: Cell, size: int, point: str) -> list[int]:
        """Ranks that FNIR is given for, as far as the lists reach."""
        key = (size, point, EVERYBODY)
        names = ("gallery_size", "operating_point", "probe_group")
        return [f["rank"] for f in self._searched(cell, "FNIR") if tuple(f[name] for name in names) == key]

    def found_by_rank(self, cell: Cell, group: str, size: int) -> list[Figure]:
        """CMC of a group, by rank; empty where nobody of it was searched for."""
        rows = (f for f in self._searched(cell, "CMC") if f["comparisons"] and f["gallery_size"] == size)
        return [figure for figure in rows if figure["probe_group"] == group]

    def returned(self, cell: Cell, size: int) -> dict[str, Figure]:
        """FPIR of everybody at `searched_point`, measured and by the model, where each can be told."""
        point = self.searched_point(cell)
        rows = {
            "measured": self.figure("FPIR", cell, point=point, gallery=size),
            "model": self.figure("FPIR model", cell, EVERYBODY, EVERYBODY, point, gallery=size),
        }
        return {what: figure for what, figure in rows.items() if figure is not None and figure["comparisons"]}

    def model_breaks(self, cell: Cell) -> tuple[list[int], list[int]]:
        """Sizes of galleries at which the model of FPIR lies within the measured interval, and outside."""
        sizes: tuple[list[int], list[int]] = ([], [])
        for size in self.gallery_sizes(cell):
            told = self.returned(cell, size)
            if len(told) == 2:
                outside = not told["measured"]["low"] <= told["model"]["value"] <= told["measured"]["high"]
                sizes[outside].append(size)
        return sizes

    def compared(self, cell: Cell, kind: str, metric: str = "FMR", point: str | None = MAIN) -> dict[str, Figure]:
        """Differentials of one kind of group, by group."""
        point = self.main_point if point == MAIN else point
        wanted = (cell.id, kind, metric, point)
        found = (d for d in self.differentials if (d["cell"], d["kind"], d["metric"], d["operating_point"]) == wanted)
        return {d["group"]: d for d in found}

    def meaning(self, cell: Cell) -> list[Figure]:
        """Rows of score_meaning of one cell: everybody first, then the groups."""
        return [row for row in self.score_meaning if row["cell"] == cell.id]

    def alerted(self, cell: Cell) -> list[Figure]:
        """Rows of alerts of one cell, one for each operating point, the main one first."""
        mine = [row for row in self.alerts if row["cell"] == cell.id]
        return sorted(mine, key=lambda row: bool(row["operating_point"] != self.main_point))

    def reviewed(self, cell: Cell) -> list[Figure]:
        """Rows of reviewers of one cell, the main operating point and the largest gallery first."""
        mine = [row for row in self.reviewers if row["cell"] == cell.id]
        return sorted(mine, key=lambda row: (row["operating_point"] != self.main_point, -row["gallery_size"]))

    def heads_in(self, cell: Cell) -> list[Figure]:
        """Who is found at all in one cell, a row for each kind of truth."""
        return [row for row in self.heads if row["cell"] == cell.id]

    def linked_in(self, cell: Cell) -> list[Figure]:
        """What one cell's cameras learn over days; one row or none."""
        return [row for row in self.linkage if row["cell"] == cell.id]

    def at_points(self, row: Figure) -> list[Figure]:
        """A row's operating points, the main one first."""
        return sorted(row["points"], key=lambda point: bool(point["operating_point"] != self.main_point))

    def lookups(self, condition: str) -> list[Figure]:
        """What look-ups show under a condition, a row for each system."""
        return [row for row in self.lookup if row["condition"]["name"] == condition]

    def planned(self, cell: Cell) -> Figure | None:
        """What a test like this cell's would have needed; None where nothing was compared."""
        return next((row for row in self.planning if row["cell"] == cell.id), None)

    def parts(self, table: Table, cell: Cell) -> Iterator[pl.DataFrame]:
        """The parts of FRAMES, CAPTURES or TIMINGS of one cell."""
        for part in self.run.parts(table, cell.id):
            yield self.run.read(table, part)

    def notices(self) -> list[str]:
        """What the run noted on its inputs, without folders and without ids of people."""
        names = {
            *self.subjects["subject"], *self.attempts["transit"], *self.references["reference"],
            *self.references["file"], *self.photographs()["file"],
        }  # fmt: skip
        noted = [*self.manifest.get("notices", []), *self.manifest.get("match_notices", [])]
        return [without_names(without_folders(n), [*names]) for n in noted]

    def photographs(self) -> pl.DataFrame:
        """Table PHOTOGRAPHS; empty where the probes are video."""
        return self.run.read(PHOTOGRAPHS) if self.run.has(PHOTOGRAPHS) else pl.DataFrame(schema=PHOTOGRAPHS.columns)


def read(run: RunDirectory, loaded: Loaded) -> Contents:
    """Read a run whose evaluate stage is done. Raises InputError where a table or the evidence cannot be read."""
    path = run.path / EVIDENCE
    try:
        evidence = json.loads(path.read_text(encoding="utf-8"))
        figures, differentials = evidence["figures"], evidence["differentials"]
        for row in evidence.get("score_meaning", []):
            _ = [each["at_limit"] for each in row["percents"] or []]  # an older version's rows lack it
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"{path}: cannot be read as evidence; make it anew with `testbed evaluate {run.path}`"
        ) from None
    subjects = run.read(SUBJECTS)
    return Contents(
        run=run,
        scenario=loaded.scenario,
        cells=loaded.cells,
        manifest=run.manifest(),
        figures=figures,
        differentials=differentials,
        claims=evidence.get("claims", []),
        score_meaning=evidence.get("score_meaning", []),
        found_thresholds=evidence.get("found_thresholds", []),
        planning=evidence.get("planning", []),
        contrasts=evidence.get("contrasts", []),
        enhanced=evidence.get("enhanced", []),
        lookup=evidence.get("lookup", []),
        heads=evidence.get("heads", []),
        linkage=evidence.get("linkage", []),
        alerts=evidence.get("alerts", []),
        reviewers=evidence.get("reviewers", []),
        indices=evidence.get("indices", []),
        label_sensitivity=evidence.get("label_sensitivity", []),
        provenance=evidence.get("provenance", []),
        labels=evidence.get("labels", []),
        corrections=evidence.get("corrections"),
        domain_gap=evidence.get("domain_gap"),
        people=people_of(subjects, loaded.scenario.groups, loaded.scenario.seed),
        subjects=subjects,
        references=run.read(REFERENCES),
        attempts=run.read(ATTEMPTS),
        thresholds=run.read(THRESHOLDS),
        curves=run.read(CURVES),
        distributions=run.read(DISTRIBUTIONS),
    )


def per_cell(contents: Contents, table: Table) -> pl.DataFrame:
    """All parts of FRAMES, CAPTURES or TIMINGS, one cell after the other."""
    assert table in (FRAMES, CAPTURES, TIMINGS), f"{table.name} is not written in parts"
    parts = [part for cell in contents.cells for part in contents.parts(table, cell)]
    return pl.concat(parts) if parts else pl.DataFrame(schema=table.columns)

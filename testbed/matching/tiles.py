"""Every pair of a set of templates, in tiles: one machine or many, stopped and continued, with the same counts.

A tile is two stretches of the set, or one with itself. Its counts lie on disk as soon as they are there, so what was
counted is never counted again; their sum is one of integers, the same in any order and on any number of machines.
"""

from __future__ import annotations

import io
from concurrent.futures import Executor, Future, as_completed
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import polars as pl

from kernels.crosscount import choose_tier, count
from pipelines.errors import InputError
from pipelines.model_file import digest
from testbed.matching.templates import Metric, TemplateSet
from testbed.matching.thresholds import edges_for
from testbed.runs.directory import RunDirectory
from testbed.runs.progress import Progress, silent
from testbed.runs.tables import COUNTS, EDGES

Counts = npt.NDArray[np.int64]
SCORE_BINS = 1500
AHEAD = 4
"""Tiles handed to each worker before it is done with the last: none waits, and few are lost where one is stopped."""


class Tiling:
    """All pairs of a template set, cut into tiles, in a run directory of their own."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self.plan: dict[str, Any] = run.manifest()["tiling"]

    @classmethod
    def create(
        cls, out: Path, templates: TemplateSet, people: Path, metric: Metric, thresholds: list[float], stretches: int,
        about: dict[str, Any],
    ) -> Tiling:  # fmt: skip
        """A new tiling in `out`, of `stretches` stretches: `stretches·(stretches + 1)/2` tiles.

        Thresholds are edges of the score bins and exact: no score is on the wrong side of one by rounding.
        """
        stretches = min(stretches, len(templates))
        limits = np.unique(np.array(thresholds, np.float64))
        # One tier for all tiles, however small the last: a tile's rounding must not depend on how the set was cut.
        tier = choose_tier(templates.faces(slice(0, 1)), exact=limits, pairs=len(templates) ** 2)
        plan = {
            "tier": tier, "templates": str(templates.path.resolve()), "digest": digest(templates.path),
            "people": digest(people),
            "metric": metric, "thresholds": limits.tolist(), "stretches": stretches, "labels": templates.labels,
            "longest": templates.longest, "n": len(templates), "subjects": len(templates.groups),
        }  # fmt: skip
        run = RunDirectory.create(out, {**about, "tiling": plan})
        run.write_array("order", templates.order)
        run.write_array("owners", templates.subjects)
        run.write_array("groups", templates.groups)
        return cls(run)

    @property
    def edges(self) -> npt.NDArray[np.float64]:
        """Score edges `(B,)`: the whole range a score can have, and every threshold."""
        far = 2 * float(self.plan["longest"])
        ends = (-1.0, 1.0) if self.plan["metric"] == "cosine" else (0.0, far or 1.0)
        return edges_for(ends, SCORE_BINS, self.plan["thresholds"])

    def templates(self) -> TemplateSet:
        """The set, its matrix still on disk."""
        order, owners, groups = (self.run.read_array(name) for name in ("order", "owners", "groups"))
        return TemplateSet(
            Path(self.plan["templates"]), order, owners, groups, tuple(self.plan["labels"]), self.plan["longest"]
        )

    def tiles(self) -> list[tuple[int, int]]:
        """All tiles, as the numbers of their two stretches."""
        return list(combinations_with_replacement(range(self.plan["stretches"]), 2))

    def stretch(self, k: int) -> slice:
        """Stretch k of the order, cut evenly."""
        n, stretches = self.plan["n"], self.plan["stretches"]
        return slice(k * n // stretches, (k + 1) * n // stretches)

    def part(self, i: int, j: int) -> Path:
        """Where a tile's counts lie."""
        return self.run.path / "tiles" / f"{i}-{j}.npz"

    def count(
        self, executor: Executor, workers: int, progress: Progress = silent, threads: int | None = None
    ) -> Counts:
        """Counts `(G, G, 2, B + 1)` of every pair once, by group (the lesser first), mated and score bin.

        Tiles whose counts lie on disk already are not counted again. threads: of each tile (None: all cores).
        Raises InputError where the templates are no longer those that were begun with.
        """
        source = Path(self.plan["templates"])
        if not source.is_file():
            raise InputError(f"{source}: is gone; these tiles were begun with it, put it back")
        if digest(source) != self.plan["digest"]:
            raise InputError(f"{self.plan['templates']}: is not the file these tiles were begun with; count it anew")
        tiles = self.tiles()
        todo = [tile for tile in tiles if not self._whole(self.part(*tile))]
        done = len(tiles) - len(todo)
        progress("count", done, len(tiles))
        waiting: set[Future[Any]] = set()
        folder = str(self.run.path.resolve())  # workers need not stand where this process does
        while todo or waiting:
            while todo and len(waiting) < AHEAD * workers:
                waiting.add(executor.submit(count_tile, folder, *todo.pop(0), threads))
            finished = next(as_completed(waiting))
            waiting.remove(finished)
            (i, j), packed = finished.result()
            self.run.write_bytes(self.part(i, j).relative_to(self.run.path).as_posix(), packed)
            done += 1
            progress("count", done, len(tiles), f"tile {i}-{j}")
        return self.total()

    def _whole(self, part: Path) -> bool:
        """Whether a tile's counts are there and can be read; what a disk lost is counted again."""
        try:
            with np.load(part, allow_pickle=False) as kept:
                return len(kept["at"]) == len(kept["comparisons"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return False

    def write(self, counts: Counts) -> None:
        """Tables COUNTS and EDGES, as a run has them."""
        labels, edges = pl.Series(self.plan["labels"], dtype=pl.String), self.edges
        g, h, mated, bins = np.nonzero(counts)
        table = pl.DataFrame({"mated": mated == 1, "bin": bins, "comparisons": counts[g, h, mated, bins]})
        self.run.write(COUNTS, table.with_columns(
            cell=pl.lit("templates"), unit=pl.lit("template"), fold=pl.lit(0),
            probe_group=labels.gather(g), reference_group=labels.gather(h),
        ))  # fmt: skip
        self.run.write(EDGES, pl.DataFrame({"cell": "templates", "edge": np.arange(len(edges)), "score": edges}))

    def total(self) -> Counts:
        """The sum over all tiles."""
        G = len(self.plan["labels"])
        total = np.zeros((G, G, 2, len(self.edges) + 1), np.int64)
        for tile in self.tiles():
            with np.load(self.part(*tile), allow_pickle=False) as kept:
                total.reshape(-1)[kept["at"]] += kept["comparisons"]
        upper = np.triu(np.ones((G, G), bool), 1)
        both = total + total.transpose(1, 0, 2, 3)
        return np.where(upper[:, :, None, None], both, np.where(np.eye(G, dtype=bool)[:, :, None, None], total, 0))


def count_tile(folder: str, i: int, j: int, threads: int | None = None) -> tuple[tuple[int, int], bytes]:
    """One tile of the tiling in `folder`, wherever this runs: its numbers, and its counts packed."""
    tiling = Tiling(RunDirectory.open(Path(folder), counts=True))
    templates, edges = tiling.templates(), tiling.edges
    folds = np.zeros(len(templates.groups), np.int64)
    left = templates.faces(tiling.stretch(i))
    right = None if i == j else templates.faces(tiling.stretch(j))
    counts = count(
        left, right, templates.groups, folds, edges, cast(Metric, tiling.plan["metric"]), tiling.plan["tier"],
        exact=np.array(tiling.plan["thresholds"], np.float64), threads=threads,
    )[:, :, :, 0]  # fmt: skip
    packed = io.BytesIO()
    at = np.flatnonzero(counts)
    np.savez_compressed(packed, at=at, comparisons=counts.reshape(-1)[at])
    return (i, j), packed.getvalue()

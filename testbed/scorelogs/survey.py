"""What a log holds in all, learnt in one pass: comparisons, missing scores, and the range of scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError
from testbed.matching.comparisons import SCORE_BINS
from testbed.matching.people import People
from testbed.matching.percent import explained
from testbed.matching.tallying import Comparisons
from testbed.matching.thresholds import edges_for
from testbed.scorelogs.options import LogOptions

Array = npt.NDArray[Any]


class Survey:
    """What a log holds in all: comparisons, missing scores, and the range of scores.

    rows, missing, finite, sums: by mated (0, 1). missing_by_fold `(2, 3)`. tried: scores and non-scores of each
    reference against probes that were acquired (filled while tallying).
    """

    def __init__(self, options: LogOptions, people: People, owners: list[Array]) -> None:
        self.options, self.people, self.owners = options, people, owners
        self.rows, self.finite = np.zeros(2, np.int64), np.zeros(2, np.int64)
        self.sums, self.low, self.high = np.zeros(2), np.inf, -np.inf
        self.missing_by_fold = np.zeros((2, 3), np.int64)
        self.compared = [np.zeros(len(owner), np.int64) for owner in owners]
        self.scored = [np.zeros(len(owner), np.int64) for owner in owners]
        self.tried = np.zeros(len(owners[1]), np.int64)

    @property
    def acquired(self) -> Array:
        """Which probes have a score at all."""
        return np.asarray(self.scored[0] > 0)

    @property
    def unenrolled(self) -> Array:
        """Which references have no score, even against acquired probes."""
        return np.asarray((self.scored[1] == 0) & (self.tried > 0))

    @property
    def failures_known(self) -> bool:
        """Whether the log says what failed: it lists comparisons without a score, or is said to be complete."""
        return self.options.complete or bool(self.missing_by_fold.any())

    def add(self, rows: Array) -> None:
        """Take in one partition's distinct records."""
        finite = np.isfinite(rows["score"])
        for side, compared, scored in zip(("probe", "reference"), self.compared, self.scored, strict=True):
            compared += np.bincount(rows[side], minlength=len(compared))
            scored += np.bincount(rows[side][finite], minlength=len(scored))
        for mated in (0, 1):
            mine = rows["mated"] == mated
            scores = rows["score"][mine & finite]
            self.rows[mated] += mine.sum()
            self.finite[mated] += len(scores)
            self.sums[mated] += scores.sum()
            if len(scores):
                self.low, self.high = min(self.low, scores.min()), max(self.high, scores.max())
        absent = self._of(rows[~finite])
        np.add.at(self.missing_by_fold, (absent.mated.astype(np.int64), absent.folds(self.people)), 1)

    def add_tried(self, rows: Array) -> None:
        """Count, once every probe is surveyed, what each reference was compared with by acquired probes."""
        self.tried += np.bincount(rows["reference"][self.acquired[rows["probe"]]], minlength=len(self.tried))

    def comparisons(self, rows: Array) -> Comparisons:
        """The comparisons of one partition that have a score."""
        return self._of(rows[np.isfinite(rows["score"])])

    def _of(self, rows: Array) -> Comparisons:
        return Comparisons(
            self.owners[0][rows["probe"]], self.owners[1][rows["reference"]], rows["mated"], rows["score"]
        )

    def check(self) -> None:
        """Raise InputError where no rate can be made of the scores."""
        path = self.options.files[0]
        for n, absent in zip(self.finite, ("non-mated", "mated"), strict=True):
            if not n:
                raise InputError(
                    f"{path}: has no {absent} comparison with a score, and both kinds are needed; check the ids of "
                    "the people, or the column that says which comparisons are mated"
                )
        if self.low == self.high:
            raise InputError(f"{path}: all {self.finite.sum()} scores are {self.low:g}; name the column of scores")
        means = self.sums / self.finite
        distance = self.options.direction == "distance"
        if means[1] > means[0] if distance else means[1] < means[0]:
            swapped = "give the mated scores first, then the others, if the files are swapped; else " * (
                len(self.options.files) == 2
            )
            raise InputError(
                f"{path}: mated scores average {means[1]:.4g} and non-mated ones {means[0]:.4g}, so these are no "
                + (f"distances; {swapped}drop --distance" if distance else f"similarities; {swapped}say --distance")
            )

    def edges(self) -> Array:
        """The score bins: over the range of the scores, a hair wider, threshold and explained percents among them."""
        wider = float(np.nextafter(self.low, -np.inf)), float(np.nextafter(self.high, np.inf))
        own = [] if self.options.threshold is None else [self.options.threshold]
        shown = explained(self.options.percent_rule, self.options.direction, wider)
        return edges_for(wider, SCORE_BINS, [*own, *shown])

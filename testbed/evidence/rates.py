"""The rates of one cell: FTE, FTA, FMR, FNMR, FAR, FRR, GFRR and EER, by group (METRICS.md § Rates)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from testbed.evidence.bootstrap import equal_error as equal_error_interval
from testbed.evidence.figures import SAME_GROUP, Figure, bounded, verdict
from testbed.evidence.intervals import Clustered, Interval, by_subject, clopper_pearson, rate_interval
from testbed.evidence.searches import Searches
from testbed.evidence.tallied import Tallied
from testbed.matching.people import PASSER_BY, Group, People, clip
from testbed.matching.thresholds import Direction, equal_error

ALPHA = 0.05
NO_FAILURES = "not known from this log: it lists no failures"
ONLY_SEARCHES = "not known: the system only answers searches, and does not say which faces it found"
NOT_ALL_MATED = "not known from this log: mated comparisons may be missing from it"


@dataclass(frozen=True)
class CellData:
    """What the figures of one cell are made from.

    attempts, enrolments: errors and trials `(S,)` by subject of FTA and FTE. counts `(G, G, 2, B + 1)`: non-mated
    and mated comparisons by bin, at `edges` `(B,)`. mated_complete: every transit of an enrolled person was compared
    with that person's references (a log may leave some out). failures_known: it is told which attempts failed (a log
    may leave out faces that were never found). searches: None where no gallery was searched. misplaced: why nothing
    was measured, where faces were found and none of them where the truth has somebody.
    """

    cell: str
    system: str
    condition: dict[str, Any]
    direction: Direction
    operating_points: tuple[str, ...]
    people: People
    tallied: Tallied
    attempts: tuple[npt.NDArray[Any], npt.NDArray[Any]]
    enrolments: tuple[npt.NDArray[Any], npt.NDArray[Any]]
    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]
    mated_complete: bool = True
    failures_known: bool = True
    searches: Searches | None = None
    misplaced: str = ""
    only_searches: bool = False
    """The system answers nothing but searches."""

    @property
    def compares(self) -> bool:
        """Whether rates of comparisons can be told: a log of searches holds no comparison but the best candidates'."""
        return self.searches is None or bool(self.counts.any())

    def unknown(self, metric: str) -> str | None:
        """Why a rate cannot be known, whatever was counted; None where it can."""
        if self.misplaced and metric in ("FTA", "FAR", "FRR", "GFRR"):
            return f"not known: {self.misplaced}"
        if self.only_searches and metric in ("FTA", "FTE", "FAR", "FRR", "GFRR"):
            return ONLY_SEARCHES
        if not self.failures_known and metric in ("FTA", "FTE", "FAR", "FRR", "GFRR"):
            return NO_FAILURES
        return None if self.mated_complete or metric not in ("FRR", "GFRR") else NOT_ALL_MATED

    @property
    def nobody_found(self) -> bool:
        """Whether no transit was acquired: each is missed then, at any threshold."""
        failed, put = self.attempts
        return bool(put.any()) and bool((failed == put).all())

    def threshold(self, point: str | None) -> float | None:
        """The threshold at a point (the mean of both halves' where cross-fitted); None without one."""
        return None if point is None else self.tallied.threshold(self.tallied.index(point))

    def fta(self, group: Group) -> Clustered:
        """Transits without a template / transits put before the system."""
        return self._by_subject(self.attempts, group)

    def fte(self, group: Group) -> Clustered:
        """Reference photographs without a template / reference photographs."""
        return self._by_subject(self.enrolments, group)

    def clustered(
        self, metric: str, point: str | None, probe: Group, reference: Group | None
    ) -> tuple[Clustered, list[Clustered]]:
        """A rate of `probe` (FMR: with `reference`) at a point, and the same where it lends a design effect.

        FRR and GFRR are counted, not multiplied: of a person's transits × reference photographs (FRR: enrolled
        ones), the share that was not matched. The formulas `FTA + FNMR·(1−FTA)` and `FTE + (1−FTE)·FRR` equal this
        where each stage fails independently of the others; where the same people fail at two stages only the count
        is right, and its interval clusters by person. What is `unknown` has no comparisons.
        """
        if self.unknown(metric):
            return by_subject(np.zeros(0), np.zeros(0)), []
        if metric in ("FTA", "FTE"):
            return (self.fta(probe) if metric == "FTA" else self.fte(probe)), []
        assert point is not None, "a rate of comparisons has a threshold"
        k, tallied = self.tallied.index(point), self.tallied
        if metric == "FMR":
            assert reference is not None, "FMR has a reference group"
            if reference is SAME_GROUP:
                return tallied.fmr_same_group(k), tallied.lenders(probe, None)
            return tallied.fmr(k, probe, reference), tallied.lenders(probe, reference)
        if metric == "FNMR":
            return tallied.fnmr(k, probe), [tallied.fnmr(i, probe) for i in tallied.ladder("stricter")]
        photographs = self.enrolments[1] - (self.enrolments[0] if metric == "FRR" else 0)
        mine = np.isin(self.people.groups, probe.members)
        if tallied.threshold(k) is None and not self.nobody_found:
            return by_subject(np.zeros(0), np.zeros(0)), []
        matched = tallied.mated_comparisons[k] - tallied.mated_errors[k]
        trials = self.attempts[1] * photographs
        return by_subject((trials - matched)[mine], trials[mine]), []

    def _by_subject(self, trials: tuple[npt.NDArray[Any], npt.NDArray[Any]], group: Group) -> Clustered:
        mine = np.isin(self.people.groups, group.members)
        return by_subject(trials[0][mine], trials[1][mine])


def figures_of(data: CellData) -> Iterator[Figure]:
    """Every figure of one cell, per transit; of a log of searches only FTA, the rest cannot be known from it."""
    groups = data.people.within()
    for group in groups:
        yield _rate(data, "FTA", None, group, None)
    if not data.compares:
        return
    for group in groups:
        yield _rate(data, "FTE", None, group, None, "reference")
        yield _equal_error(data, group)
    for point in data.operating_points:
        for probe, reference in group_pairs(data.people):
            yield _rate(data, "FMR", point, probe, reference)
            if not data.unknown("FAR"):
                yield _false_accepts(data, point, probe, reference)
        if data.people.attributes:
            yield _rate(data, "FMR", point, data.people.everyone(), SAME_GROUP)
        for group in groups:
            for metric in ("FNMR", "FRR", "GFRR"):
                if not data.unknown(metric):
                    yield _rate(data, metric, point, group, None)


def group_pairs(people: People) -> list[tuple[Group, Group]]:
    """Ordered pairs (probe, reference): each group with itself, and across groups of the same kind."""
    pairs = [(group, group) for group in people.within()]
    for kind in (*people.single().values(), people.crossed()):
        pairs += [(a, b) for a in kind for b in kind if a is not b]
    return pairs


def _rate(
    data: CellData, metric: str, point: str | None, probe: Group, reference: Group | None, unit: str = "transit"
) -> Figure:
    rate, lenders = data.clustered(metric, point, probe, reference)
    interval = rate_interval(rate, lenders, ALPHA)
    if why := data.unknown(metric):
        interval = Interval(0.0, 1.0, why)
    return Figure(
        metric=metric, operating_point=point, threshold=data.threshold(point), unit=unit, probe_group=probe,
        reference_group=reference, value=_value(rate), errors=rate.errors, comparisons=rate.comparisons,
        subjects=rate.subjects, verdict=verdict([rate], paired=metric == "FMR"),
        **bounded(interval), **_whose(data),
    )  # fmt: skip


def _false_accepts(data: CellData, point: str, probe: Group, reference: Group) -> Figure:
    """FAR = FMR·(1−FTA): a face that was never found can never be a false match."""
    rate, lenders = data.clustered("FMR", point, probe, reference)
    fta = data.fta(probe)
    f, a = rate_interval(rate, lenders, ALPHA / 2), rate_interval(fta, [], ALPHA / 2)
    value = None if not rate.comparisons or not fta.comparisons else rate.rate * (1 - fta.rate)
    interval = Interval(f.low * (1 - a.high), f.high * (1 - a.low), f"product of simultaneous bounds: {f.method}")
    return Figure(
        metric="FAR", operating_point=point, threshold=data.threshold(point), unit="transit", probe_group=probe,
        reference_group=reference, value=value, errors=rate.errors, comparisons=rate.comparisons,
        subjects=rate.subjects, verdict=verdict([rate], paired=True), **bounded(interval), **_whose(data),
    )  # fmt: skip


def _equal_error(data: CellData, group: Group) -> Figure:
    """EER within a group, with the subject bootstrap's interval where the errors are those of people enough.

    Elsewhere an envelope: true FMR and FNMR lie on either side of the EER at *every* threshold, so the simultaneous
    bounds of both at the observed crossing hold it between them, at twice the width and free of any assumption.
    """
    members = list(group.members)
    bins = data.counts[np.ix_(members, members)].sum(axis=(0, 1))
    crossing = equal_error(bins[0], bins[1], data.direction)
    if crossing is None:
        rate, value, threshold = Clustered(0, 0, 0.0, 1.0, data.people.size(group), 0), None, None
        interval, judgement = Interval(0.0, 1.0, "no mated or no non-mated comparisons"), "insufficient"
    else:
        point = f"eer:{group.name}"
        threshold, value = data.threshold(point), crossing[1]
        rate, lenders = data.clustered("FMR", point, group, group)
        bounds = [
            rate_interval(rate, lenders, ALPHA / 2),
            rate_interval(*data.clustered("FNMR", point, group, None), ALPHA / 2),
        ]
        envelope = Interval(
            min(b.low for b in bounds), max(b.high for b in bounds), "envelope of FMR and FNMR bounds at the crossing"
        )
        interval = _redrawn(data, group, point, value) or envelope
        judgement = verdict([rate], paired=True)
    return Figure(
        metric="EER", operating_point="eer", threshold=threshold, unit="transit", probe_group=group,
        reference_group=group, value=value, errors=rate.errors, comparisons=rate.comparisons,
        subjects=rate.subjects, verdict=judgement, **bounded(interval), **_whose(data),
    )  # fmt: skip


def _redrawn(data: CellData, group: Group, point: str, value: float) -> Interval | None:
    """The bootstrap's interval of a group's EER, observed as `value` at a tallied point; None without people enough."""
    tallied = data.tallied
    points = tallied.ordered(data.direction)
    mine = np.isin(data.people.groups, group.members)
    errors, trials = (x[points][:, :, mine][..., list(group.members)].sum(axis=(1, 3))
                      for x in (tallied.errors, tallied.comparisons))  # fmt: skip
    misses, own_trials = tallied.mated_errors[points][:, mine], tallied.mated_comparisons[points[0]][mine]
    same = tallied.thresholds[points, 0] == tallied.thresholds[tallied.index(point), 0]
    found = equal_error_interval(int(np.flatnonzero(same)[0]), errors, trials[0], misses, own_trials, ALPHA)
    return found and Interval(min(found.low, value), max(found.high, value), found.method)


def passer_by_figures(data: CellData, strangers: Tallied, cameras: dict[str, int | None]) -> Iterator[Figure]:
    """FMR per capture in clips that show nobody enrolled, all clips together, against each group of references.

    cameras: name → how many different people were counted in it, None where nobody counted (it is then one).
    What is independent is people, so the interval stands on the smaller of passers-by and references.
    """
    crowd = strangers.people
    passing = Group(PASSER_BY, {}, (len(crowd.labels) - 1,))
    # Who never showed a face was never compared; and a clip has no more people than faces that were.
    photographs = max(1, int((data.enrolments[1] - data.enrolments[0]).sum()))
    made = dict(zip(crowd.subjects, strangers.comparisons[0, 0].sum(axis=-1), strict=True)) if strangers.points else {}
    people = sum(min(count or 1, int(made.get(clip(camera), 0)) // photographs) for camera, count in cameras.items())
    clips = np.isin(crowd.subjects, [clip(camera) for camera in cameras])
    for point in strangers.points:
        k = strangers.index(point)
        for reference in data.people.within():
            members = list(reference.members)
            errors, n = (int(x[k, 0, clips][:, members].sum()) for x in (strangers.errors, strangers.comparisons))
            owners = int((strangers.comparisons[k, 1][:, -1][np.isin(crowd.groups, members)] > 0).sum())
            disjoint = min(people, owners)
            rate = Clustered(errors, n, 0.0, 1.0, people + owners, disjoint, disjoint)
            bounds = clopper_pearson(rate.rate * disjoint, disjoint, ALPHA) if n else (0.0, 1.0)
            how = f"disjoint pairs of {people} passers-by (as declared) and {owners} people enrolled"
            yield Figure(
                metric="FMR", operating_point=point, threshold=strangers.threshold(k), unit="capture",
                probe_group=passing, reference_group=reference, value=_value(rate), errors=errors, comparisons=n,
                subjects=people + owners, verdict=verdict([rate], paired=True),
                **bounded(Interval(*bounds, how)), **_whose(data),
            )  # fmt: skip


def _whose(data: CellData) -> dict[str, Any]:
    return {"system": data.system, "condition": data.condition, "cell": data.cell}


def _value(rate: Clustered) -> float | None:
    return rate.rate if rate.comparisons else None


def failures_by_subject(
    people: People, rows: pl.DataFrame, failing: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Failures and trials `(S,)` by subject from rows with columns subject and state; `failing` names the failure."""
    failures, trials = np.zeros((2, len(people.subjects)), np.int64)
    owners = people.index(rows["subject"])
    np.add.at(trials, owners, 1)
    np.add.at(failures, owners, (rows["state"] == failing).to_numpy().astype(np.int64))
    return failures, trials

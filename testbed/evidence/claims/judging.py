"""Every claim of a run held against its cells: statements first, then verdicts at the level they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from pipelines.errors import InputError
from testbed.evidence.claims.asked import condition_of, groups_of, misfits
from testbed.evidence.claims.claim import Claim
from testbed.evidence.claims.percents import verdict_on_percent
from testbed.evidence.claims.speed import seconds_by_part, verdict_on_speed
from testbed.evidence.claims.verdicts import (
    Judgement,
    Sense,
    judged,
    uncounted,
    verdict_on,
    verdict_on_factor,
)
from testbed.evidence.figures import SAME_GROUP
from testbed.evidence.intervals import Bounds, sufficient
from testbed.evidence.rates import CellData
from testbed.evidence.scored import Array, ScoredCell, cells_of
from testbed.matching.people import Group
from testbed.runs.directory import RunDirectory


def _no_scores(cell: str) -> ScoredCell:
    raise LookupError(f"the scores of {cell} were not handed over")


@dataclass(frozen=True)
class RunFacts:
    """What claims need to know of a run beyond the rates of its cells.

    people_known: whether it is known who is who; without it intervals are too narrow and nothing is supported.
    synthetic: nobody in it is real. scored, parts: what its scores mean and how long its frames took, by cell.
    """

    people_known: bool = True
    synthetic: bool = False
    hardware: Mapping[str, object] = field(default_factory=dict)
    scored: Callable[[str], ScoredCell] = _no_scores
    parts: Callable[[str], Array] = lambda _: np.zeros((0, 2))

    @classmethod
    def of(cls, run: RunDirectory) -> RunFacts:
        """Of a run that has been matched. Tables are read where a claim asks for them, a cell at a time."""
        manifest = run.manifest()
        return cls(
            manifest.get("subjects_known", True), is_synthetic(manifest), manifest.get("hardware", {}),
            lru_cache(maxsize=1)(lambda cell: next(cells_of(run, cell))),
            lambda cell: seconds_by_part(run, cell),
        )  # fmt: skip


def is_synthetic(manifest: Mapping[str, Any]) -> bool:
    """Whether the people of a run were made up by a program, as its source says."""
    return bool(manifest.get("synthetic", False))


@dataclass(frozen=True)
class Statement:
    """One thing that a claim says of one cell, and the function that judges it at a one-sided level.

    who: of whom or what, in words. read_as: the rate it is read as. about_people: all but speed.
    """

    claim: Claim
    cell: CellData
    read_as: str
    who: str
    bound: float
    verdict: Callable[[float], Judgement]
    sense: Sense = "at most"
    unit: str = "share"
    probe: Group | None = None
    reference: Group | None = None

    def row(self, alpha: float, run: RunFacts) -> dict[str, Any]:
        """The row of evidence.json, without what all rows share."""
        found = self.verdict(alpha)
        if self.read_as != "fps" and run.synthetic:
            found = replace(found, verdict="untestable", why="synthetic people: no evidence about real ones")
        elif self.read_as != "fps" and found.verdict == "supported" and not run.people_known:
            why = "it is not known who is who, so the limits are too narrow to support anything"
            found = replace(found, verdict="untestable", why=why)
        given = asdict(found)
        return {
            "says": self.claim.says, "metric": self.claim.metric, "read_as": self.read_as, "who": self.who,
            "sense": self.sense, "bound": self.bound, "unit": self.unit,
            "system": self.cell.system, "condition": self.cell.condition, "cell": self.cell.cell,
            "operating_point": None if self.claim.metric in ("calibration", "fps") else self.claim.operating_point,
            "probe_group": None if self.probe is None else self.probe.name,
            "reference_group": None if self.reference is None else self.reference.name,
            **{name: given[name] for name in ("value", "low", "high", "errors", "comparisons", "subjects", "basis",
                                            "at_limit")},
            "verdict": found.verdict, "why": found.why, "assumption_free_agrees": found.free_agrees,
            "further_people_if_as_observed": found.people_if_as_observed,
            "further_people_if_half_the_bound": found.people_if_half_the_bound,
        }  # fmt: skip


def judge(
    claims: list[Claim], confidence: float, cells: list[CellData], run: RunFacts | None = None
) -> list[dict[str, Any]]:
    """Every claim against every cell and group it speaks of: the rows of evidence.json's `claims`.

    One-sided bounds at (1 − confidence)/m, m = all statements of the run (Bonferroni), so that all verdicts hold
    together. Raises InputError for a system, condition, point or group that the run does not have.
    """
    for (_, i, *_), said in misfits(claims, cells):
        raise InputError(f"claim {claims[int(i)].says!r}: {said}")
    run = run or RunFacts()
    statements = [
        statement for claim in claims for cell in _cells(claim, cells) for statement in _statements(claim, cell, run)
    ]
    alpha, shared = (1 - confidence) / len(statements), {"confidence": confidence, "statements": len(statements)}
    return [{**statement.row(alpha, run), **shared} for statement in statements]


def _cells(claim: Claim, cells: list[CellData]) -> Iterator[CellData]:
    """The cells a claim speaks of."""
    condition = condition_of(claim, cells)
    for cell in cells:
        if claim.system in (None, cell.system) and cell.condition["name"] == condition:
            yield cell


def _statements(claim: Claim, cell: CellData, run: RunFacts) -> Iterator[Statement]:
    if claim.metric == "fps":
        yield _speed(claim, cell, run)
    elif claim.metric == "accuracy":
        yield from _accuracy(claim, cell)
    elif claim.within_factor is not None:
        yield _factor(claim, cell, claim.within_factor)
    else:
        makers = {"calibration": _percents, "FPIR": _search, "FNIR": _search}
        for probe, reference in _groups(claim, cell):
            yield from makers.get(claim.metric, _rate)(claim, cell, probe, reference, run)


def _rate(claim: Claim, cell: CellData, probe: Group, reference: Group, _: RunFacts) -> Iterator[Statement]:
    yield _error_rate(claim, cell, claim.metric, claim.at_most or 0.0, probe, reference)


def _error_rate(
    claim: Claim, cell: CellData, metric: str, bound: float, probe: Group, reference: Group
) -> Statement:  # fmt: skip
    def verdict(alpha: float) -> Judgement:
        if why := cell.unknown(metric):
            return Judgement("untestable", why=why)
        rate, lenders = cell.clustered(metric, claim.operating_point, probe, reference)
        found = verdict_on(rate, lenders, bound, alpha, paired=metric == "FMR")
        if not rate.comparisons and metric != "FTA" and cell.threshold(claim.operating_point) is None:
            return replace(found, why=f"no threshold could be found for {claim.operating_point}")
        return found

    who = reference.name if metric == "FMR" else probe.name
    return Statement(
        claim, cell, metric, who, bound, verdict, probe=probe, reference=reference if metric == "FMR" else None
    )  # fmt: skip


def _accuracy(claim: Claim, cell: CellData) -> Iterator[Statement]:
    """1 − accuracy under every reading: of all strangers, of those of the same group, misses, and all together."""
    everyone, bound = cell.people.everyone(), 1 - (claim.at_least or 0.0)
    grouped = [SAME_GROUP] if cell.people.attributes else []
    for metric, reference in [*(("FMR", group) for group in [everyone, *grouped]), ("FNMR", everyone),
                              ("GFRR", everyone)]:  # fmt: skip
        yield _error_rate(claim, cell, metric, bound, everyone, reference)

    def verdict(alpha: float) -> Judgement:
        strangers, same = (cell.clustered(m, claim.operating_point, everyone, everyone) for m in ("FMR", "FNMR"))
        (f, _), (n, _) = strangers, same
        total = f.comparisons + n.comparisons
        if not (sufficient(f) and sufficient(n, paired=False)):
            return Judgement("untestable", why=uncounted(n if sufficient(f) else f))
        share = f.comparisons / total

        def limits(bounds: Bounds) -> tuple[float, float]:
            ends = zip(bounds(*strangers, alpha / 2), bounds(*same, alpha / 2), strict=True)
            low, high = (share * a + (1 - share) * b for a, b in ends)
            return low, high

        found, low, high, agrees = judged(limits, bound, "at most")
        errors = f.errors + n.errors
        basis = f"{f.comparisons:,} comparisons of strangers, {n.comparisons:,} of the same person"
        return Judgement(found, low, high, agrees, errors / total, errors, total, f.subjects, basis)

    yield Statement(claim, cell, "all comparisons", everyone.name, bound, verdict, probe=everyone)


def _factor(claim: Claim, cell: CellData, factor: float) -> Statement:
    """One statement of all groups compared."""
    groups = groups_of(claim, cell.people)
    named = ", ".join(claim.groups) if isinstance(claim.groups, list) else claim.across
    over = named or " × ".join(cell.people.attributes)

    def verdict(alpha: float) -> Judgement:
        if not groups:
            return Judgement("untestable", why="of nobody here is the group known")
        if why := cell.unknown(claim.metric):
            return Judgement("untestable", why=why)
        paired = claim.metric == "FMR"
        rates = {g.name: cell.clustered(claim.metric, claim.operating_point, g, g if paired else None) for g in groups}
        return verdict_on_factor(rates, factor, alpha, paired=paired)

    who = f"highest against lowest of {over}" if over else "highest against lowest group"
    return Statement(claim, cell, claim.metric, who, factor, verdict, unit="factor")


def _percents(claim: Claim, cell: CellData, probe: Group, reference: Group, run: RunFacts) -> Iterator[Statement]:
    sense: Sense = claim.means or "exactly"
    prior = claim.prior or 0.0

    def judging(percent: float) -> Callable[[float], Judgement]:
        def verdict(alpha: float) -> Judgement:
            population = run.scored(cell.cell).population(probe, reference if reference is SAME_GROUP else None)
            return verdict_on_percent(population, percent, prior, sense, alpha)

        return verdict

    for percent in claim.percents:
        who = f"{reference.name}, shown {percent:g} %, prior {prior:g}"
        yield Statement(
            claim, cell, "calibration", who, percent / 100, judging(percent), sense, "probability", probe, reference
        )  # fmt: skip


def _search(claim: Claim, cell: CellData, probe: Group, _: Group, __: RunFacts) -> Iterator[Statement]:
    size, rank, point = claim.gallery_size or 0, claim.rank or 1, claim.operating_point
    searches = cell.searches

    def verdict(alpha: float) -> Judgement:
        if searches is None or not searches.gallery_sizes:
            model = "; 1 − (1 − FMR)^N would be a model, not a measurement" if claim.metric == "FPIR" else ""
            why = f"no searches were made{model}"
            return Judgement("untestable", 0.0, 1.0, why=why)
        measured = searches.gallery_sizes
        if size not in measured:
            largest = f"N = {size:,} lies beyond the {max(measured):,} measured: extrapolation"
            other = f"N = {size:,} was not measured; measured were {', '.join(f'{n:,}' for n in measured)}"
            return Judgement("untestable", 0.0, 1.0, why=largest if size > max(measured) else other)
        rate = (
            searches.fpir(point, size, probe) if claim.metric == "FPIR" else searches.fnir(point, size, rank, probe)
        )  # fmt: skip
        found = verdict_on(rate, [], claim.at_most or 0.0, alpha, paired=False)
        if not rate.comparisons:
            made = searches.count(size, probe, mated=claim.metric == "FNIR")
            return replace(found, why=searches.untestable(point, size) if made else "no such searches were made")
        # More people would also be a larger gallery, which is another claim.
        return replace(found, people_if_as_observed=None, people_if_half_the_bound=None)

    who = f"{probe.name}, gallery of {size:,}" + (f", rank {rank}" if claim.metric == "FNIR" else "")
    yield Statement(claim, cell, claim.metric, who, claim.at_most or 0.0, verdict, probe=probe)


def _speed(claim: Claim, cell: CellData, run: RunFacts) -> Statement:
    least, device = claim.at_least or 0.0, claim.device or ""
    return Statement(
        claim, cell, "fps", f"on {device}", least,
        lambda alpha: verdict_on_speed(run.parts(cell.cell), device, dict(run.hardware), least, alpha),
        "at least", "frames a second",
    )  # fmt: skip


def _groups(claim: Claim, cell: CellData) -> list[tuple[Group, Group]]:
    """Probe and reference group of each statement."""
    if claim.groups == "same group":
        return [(cell.people.everyone(), SAME_GROUP)]
    return [(group, group) for group in groups_of(claim, cell.people)]

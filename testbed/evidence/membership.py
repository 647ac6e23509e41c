"""Is this face in this collection? What the best score is worth, and how often a stranger scores as high.

METRICS.md § What a similarity or a "percent" means, Membership. The collection and the photograph asked about give one
number, the best score, and how many faces it is the best of; all else comes from a run of the same system under the
same condition, the calibration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite, log10
from typing import Any, cast

import numpy as np

from kernels.crosscount import tally
from kernels.scores import Metric
from pipelines.errors import InputError
from testbed.evidence.claims.judging import is_synthetic
from testbed.evidence.decoder import search_posterior
from testbed.evidence.likelihood import RatioAt, ratio_at
from testbed.evidence.scored import Population, ScoredCell, cells_of
from testbed.evidence.strangers import Chance, capacity, chances
from testbed.evidence.tallied import Tallied
from testbed.matching.people import Group, people_of
from testbed.matching.percent import RULES
from testbed.matching.searching import fused
from testbed.matching.units import captures_of, references_of, transits_as_probes
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import SUBJECTS
from testbed.scenario.cells import Cell
from testbed.scenario.loading import Loaded
from testbed.scenario.models import Log, Stills
from testbed.scenario.problems import suggestion
from testbed.scenario.searching import Watchlist

PRIORS = (1.0, 0.5, 0.1, 0.01, 0.001)
"""P(the person is in the collection), before the comparison."""
ASKED = "asked"
"""The tallied point that is the score asked about."""


@dataclass(frozen=True)
class Membership:
    """What a best score among `faces` faces of `people` people is worth, by the comparisons of one population.

    ratio: the likelihood ratio at the score, with its limits. hits: the chance that somebody who is not in a collection
    of so many faces scores as high; measured up to `measured_up_to` faces. posterior: for each of PRIORS the chance
    that the best face is the person's: prior, estimate, and from the ratio's limits.
    """

    population: Population
    score: float
    faces: int
    people: int
    ratio: RatioAt
    hits: Chance
    measured_up_to: int
    posterior: tuple[tuple[float, float, float, float], ...]


def membership(population: Population, score: float, faces: int, people: int) -> Membership:
    """Hold a best score against a population whose cell is tallied at it (`tallied_at`).

    A stranger can be taken for any of the `faces`; the person asked about is one of `people`, or none. Of people shown
    several times the best face is compared, so that each face counts as another person, but for the upper limit.
    Raises InputError where the population has no mated or no non-mated comparisons.
    """
    mated, others = population.mated.sum(), population.non_mated.sum()
    if not mated or not others:
        raise InputError(
            f"{population.cell.cell}, {population.group.name}: holds {mated} mated and {others} non-mated comparisons; "
            "both are needed"
        )
    ratio, most = ratio_at(population, score), capacity(population)
    # The limits of a smaller gallery hold here too, and the model is nowhere below what was measured.
    hits = chances(population, population.cell.tallied.index(ASKED), sorted({min(faces, most), faces} - {0}))[-1]
    low, high = ratio.limits()

    def found(ratio: float, prior: float, among: int) -> float:
        # Of one person, who is certain to be in it, no score can say anything.
        return 1.0 if people == prior == 1 else float(search_posterior(ratio, among, prior)[0])

    many = max(people, faces)
    posterior = tuple(
        (prior, found(ratio.value, prior, many), found(low, prior, many), found(high, prior, people))
        for prior in PRIORS
    )
    return Membership(population, score, faces, people, ratio, hits, most, posterior)


def tallied_at(run: RunDirectory, cell: Cell, scored: ScoredCell, score: float) -> ScoredCell:
    """The cell with its comparisons counted at one threshold more, the very score: between two nothing is guessed."""
    info, people = run.manifest()["systems"][cell.system.label], scored.people
    captures, templates = captures_of(run, cell.id, info["dimensions"])
    search = run.manifest().get("search") or {}
    probes = (
        fused(captures, templates, people, Watchlist.model_validate(search).fusion, info["metric"])[0]
        if search.get("kind") == "watchlist" else transits_as_probes(captures, templates, people)
    )  # fmt: skip
    references = references_of(run, cell.system.label, people, cell.enrolled)
    limits, no = np.array([[score, score]]), np.zeros(1, bool)
    found = tally(probes, references, people.groups, people.folds, limits, no, cast(Metric, info["metric"]), listed=no)
    before = scored.tallied
    more = (
        np.concatenate([getattr(before, name), getattr(found, name)])
        for name in ("errors", "comparisons", "mated_errors", "mated_comparisons", "squares", "crosses")
    )
    return replace(
        scored, tallied=Tallied(people, (*before.points, ASKED), np.vstack([before.thresholds, limits]), *more)
    )


def calibration_cell(run: RunDirectory, loaded: Loaded, named: str | None, *, made_up: bool) -> Cell:
    """The cell of a calibration that is used: `named`, or the only one of photographs as they are.

    made_up: a simulation is wanted. Raises InputError where the run can be no calibration, or it must be named.
    """
    for stage in ("replay", "match", "evaluate"):
        if not run.done(stage):
            raise InputError(
                f"{run.path}: is not finished, or stale since its {stage} stage; finish the calibration first: "
                f"testbed run --resume {run.path}"
            )
    if isinstance(loaded.scenario.probes, Log):
        raise InputError(
            f"{run.path}: comes from a score log, so there is no system here to compare faces with; calibrate with "
            "`testbed run`"
        )
    if is_synthetic(run.manifest()) != made_up:
        raise InputError(
            f"{run.path}: is of photographs, not of made-up people; leave --made-up out" if made_up else
            f"{run.path}: is of made-up people, which says nothing of real ones; calibrate with photographs, or say "
            "--made-up for a simulation"
        )  # fmt: skip
    cells = {cell.id: cell for cell in loaded.cells}
    if named is not None:
        if named not in cells:
            raise InputError(f"--cell {named}: the calibration has no such cell; {suggestion(named, cells)}")
        return cells[named]
    plain = [cell for cell in loaded.cells if cell.condition.clean and isinstance(loaded.scenario.probes, Stills)]
    if len(plain) != 1:
        why = (
            f"has {len(plain)} cells of photographs as they are" if plain else "has no cell of photographs as they are"
        )
        raise InputError(f"{run.path}: {why}; say with --cell which system and condition is yours: {', '.join(cells)}")
    return plain[0]


def group_named(run: RunDirectory, name: str | None) -> Group:
    """The group that somebody says the person belongs to; everybody where nobody says. Raises InputError."""
    scenario = run.manifest()["scenario"]
    people = people_of(run.read(SUBJECTS), scenario["groups"], scenario["seed"])
    known = {group.name: group for group in people.within()}
    if name is not None and name not in known:
        raise InputError(f"--group {name}: the calibration has no such group; {suggestion(name, known)}")
    return known["all" if name is None else name]


def figures(cell: ScoredCell, score: float, faces: int, people: int, group: Group) -> Iterator[dict[str, Any]]:
    """Rows for `group`, everybody, and every other group, JSON-able; a group with nothing counted says `why`."""
    groups = {each.name: each for each in (group, cell.people.everyone(), *cell.people.within())}
    for each in groups.values():
        population = cell.population(each)
        mated_people, of = population.subjects()
        head = {
            "group": each.name, "people": of, "mated_people": mated_people,
            "verdict": "measured" if population.sufficient() else "insufficient",
        }  # fmt: skip
        try:
            yield {**head, "why": None, **_row(membership(population, score, faces, people))}
        except InputError as error:
            yield {**head, "verdict": "insufficient", "why": str(error)}


def _row(found: Membership) -> dict[str, Any]:
    low, high = found.ratio.limits()
    fmr = found.population.fmr(found.population.cell.tallied.index(ASKED))
    return {
        "likelihood_ratio": {
            "log10": log10(found.ratio.value), "log10_low": log10(low) if low > 0 else None,
            "log10_high": log10(high) if isfinite(high) else None, "at_limit": found.ratio.at_limit,
            "log10_can_show": [log10(each) for each in found.ratio.can_show], "counted": found.ratio.counted,
        },
        "false_hits": {
            "faces": found.hits.size, "value": found.hits.value, "low": found.hits.low, "high": found.hits.high,
            "how": found.hits.how, "measured_up_to": found.measured_up_to, "errors": fmr.errors,
            "comparisons": fmr.comparisons,
        },
        "posterior": [dict(zip(("prior", "value", "low", "high"), each, strict=True)) for each in found.posterior],
    }  # fmt: skip


def answer(run: RunDirectory, cell: Cell, score: float, faces: int, people: int, group: Group) -> dict[str, Any]:
    """Everything that the best score of so many faces says of a person of `group`, as JSON-able values."""
    (scored,) = cells_of(run, cell.id)
    info = run.manifest()["systems"][cell.system.label]
    at = tallied_at(run, cell, scored, score)
    rising = 1 if at.direction == "similarity" else -1
    rule = RULES.get(at.percent_rule or "")
    used = np.flatnonzero(at.population(at.people.everyone()).mated.sum(axis=0))
    nearest = used[-1 if rising > 0 else 0] if len(used) else None
    return {
        "schema": 1, "score": score, "direction": at.direction, "own_threshold": info["threshold"],
        "called_a_match": bool((score - info["threshold"]) * rising >= 0),
        "percent_rule": at.percent_rule, "percent": rule.percent(score) if rule else None,
        "more_alike_than_any": nearest is not None and bool((at.bin(score) - nearest) * rising > 0),
        "system": {key: info[key] for key in ("name", "versions", "models", "options", "training_data")},
        "condition": at.condition, "confidence": 0.95, "faces": faces, "people": people, "group": group.name,
        "figures": list(figures(at, score, faces, people, group)),
    }  # fmt: skip

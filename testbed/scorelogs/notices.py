"""What a reader must know of a log before believing its figures: counted and named, never dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from kernels.crosscount import Tally
from testbed.matching.comparisons import in_use
from testbed.matching.thresholds import Point
from testbed.scorelogs.options import LogOptions
from testbed.scorelogs.reading import Log
from testbed.scorelogs.survey import Survey
from testbed.sources.stills import named

UNKNOWN_PEOPLE = (
    "the log does not say which person each probe and reference is: every one counts as a person of its own, so the "
    "intervals assume independent comparisons and are too narrow, and no claim can be supported"
)


NO_FAILURES = (
    "every comparison in the log has a score, so it lists no failure: how often a face was never found or a photograph "
    "not enrolled (FTA, FTE), and with it FAR, FRR and GFRR, is not known from it; say --complete if every attempt is "
    "in the log"
)


def notices_of(
    log: Log, survey: Survey, read: int, points: list[Point], tally: Tally, attempts: pl.DataFrame,
    references: pl.DataFrame, possible: int, table: pl.DataFrame | None,
) -> list[str]:  # fmt: skip
    """Every notice of a log.

    read: its rows; possible: mated comparisons that its probes and references could make; table: SUBJECTS as given.
    """
    return [*log.notices, *_people(log, survey, read, table), *_missing(survey, points, tally, attempts, references),
            *_absent(log, survey, possible), *outside(survey.options, survey.low, survey.high)]  # fmt: skip


def _people(log: Log, survey: Survey, read: int, table: pl.DataFrame | None) -> Iterator[str]:
    if not log.known:
        yield UNKNOWN_PEOPLE
    yield from unseen(table, survey.people.subjects)
    if repeated := read - int(survey.rows.sum()):
        yield f"{repeated} rows repeat a comparison with the same score; each comparison counts once"


def unseen(table: pl.DataFrame | None, subjects: Sequence[str]) -> Iterator[str]:
    """People of the subjects table (None: there is none) who are not among those of the log."""
    if table is not None and len(table) > len(subjects):
        absent = table["subject"].filter(~table["subject"].is_in(list(subjects)))
        yield f"{len(absent)} of {len(table)} people in the subjects table do not appear in the log: {named(absent)}"


def _missing(
    survey: Survey, points: list[Point], tally: Tally, attempts: pl.DataFrame, references: pl.DataFrame
) -> Iterator[str]:
    missing = survey.missing_by_fold
    if not missing.any():
        return
    yield (
        f"{missing.sum()} of {survey.rows.sum()} comparisons have no score "
        f"({missing[1].sum()} mated, {missing[0].sum()} non-mated)"
    )
    failed = attempts.filter(pl.col("state") == "failed")["transit"]
    if len(failed):
        yield f"{len(failed)} probes have no score at all and count as failures to acquire (FTA): {named(failed)}"
    unenrolled = references.filter(pl.col("state") == "failed")["reference"]
    if len(unenrolled):
        yield (
            f"{len(unenrolled)} references have no score at all and count as failures to enrol (FTE): "
            f"{named(unenrolled)}"
        )
    # A failed reference has no score with any probe: what it was tried with is all missing.
    single = survey.compared[0] - survey.scored[0]
    alone = int(single[survey.acquired].sum() - survey.tried[survey.unenrolled].sum())
    if alone:
        names = attempts["transit"].filter(pl.Series(survey.acquired & (single > 0)))
        yield (
            f"{alone} scores are missing between probes and references that have others; they are in no rate but FRR "
            f"and GFRR, where mated ones are misses: {named(names)}"
        )
    yield from _otherwise(survey, points, tally)


def _otherwise(survey: Survey, points: list[Point], tally: Tally) -> Iterator[str]:
    """What counting missing scores as matches, or as non-matches, would make of FMR and FNMR."""
    for k, (name, crossfit, *limits) in enumerate(points):
        if not in_use(name) or np.isnan(limits).any():
            continue
        absent = survey.missing_by_fold[:, :2].sum(axis=1) if crossfit else survey.missing_by_fold.sum(axis=1)
        x, n = int(tally.errors[k, 0].sum()), int(tally.comparisons[k, 0].sum())
        misses, mated = int(tally.mated_errors[k].sum()), int(tally.mated_comparisons[k].sum())
        yield (
            f"at {name}, missing scores are left out: FMR {_rate(x, n)}, FNMR {_rate(misses, mated)}; counted as "
            f"matches FMR would be {_rate(x + absent[0], n + absent[0])} and FNMR {_rate(misses, mated + absent[1])}; "
            f"as non-matches FMR {_rate(x, n + absent[0])} and FNMR {_rate(misses + absent[1], mated + absent[1])}"
        )


def _rate(errors: int, comparisons: int) -> str:
    return f"{errors}/{comparisons} ({errors / comparisons:.3%})" if comparisons else "0/0"


def outside(options: LogOptions, low: float, high: float) -> Iterator[str]:
    """A threshold that no score of the log, `low` to `high`, comes near."""
    threshold = options.threshold
    if threshold is not None and not low <= threshold <= high:
        everything = (threshold > high) == (options.direction == "distance")
        yield (
            f"the threshold {threshold:g} lies outside the scores of the log, {low:g} to {high:g}: "
            f"{'everything' if everything else 'nothing'} matches there; give it in the unit of the scores"
        )


def alike(subjects: pl.DataFrame, groups: Sequence[str]) -> Iterator[str]:
    """Labels of table SUBJECTS that may mean one group and are written differently."""
    for group in groups:
        written: dict[str, list[str]] = {}
        for label in subjects[group].unique().sort():
            written.setdefault("".join(label.casefold().split()), []).append(label)
        for labels in written.values():
            if len(labels) > 1:
                yield (
                    f"the labels {' and '.join(map(repr, labels))} of {group} differ only in case or spaces, and count "
                    "as groups of their own; write them alike if they are one"
                )


def _absent(log: Log, survey: Survey, possible: int) -> Iterator[str]:
    if not survey.failures_known:
        yield NO_FAILURES
    if not log.known:
        yield "FRR and GFRR are left out: without ids of people nobody can tell which comparisons the log leaves out"
    if log.known and survey.rows[1] < possible:
        yield (
            f"the log holds {survey.rows[1]} of the {possible} mated comparisons that its probes and references could "
            "make; FRR and GFRR are left out, because they would count the others as misses"
        )

"""Truth can be wrong too: false matches put before a person, and figures again without those that were the same person.

METRICS.md § Differentials, truth errors. The sheet lists every pair of people with a false match, and as many random
pairs without one, in random order and without saying which are which: who checks should not know what the system said.
The unit is a pair of people, as truth is: "are these two the same person?".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.errors import InputError
from testbed.evidence.tallied import Tallied
from testbed.matching.people import People

SHEET = ("first", "second", "first_images", "second_images", "same_person")
ANSWERS = ("yes", "no", "unclear")

Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Trials:
    """What each person brought to the comparisons of one cell: transits with a template, enrolled references `(S,)`."""

    transits: npt.NDArray[np.int64]
    references: npt.NDArray[np.int64]

    @classmethod
    def of(cls, people: People, attempts: pl.DataFrame, references: pl.DataFrame) -> Trials:
        """From tables ATTEMPTS (of one cell) and REFERENCES (of its system)."""
        acquired = attempts.filter(pl.col("state") == "acquired")["subject"]
        enrolled = references.filter(pl.col("state") == "enrolled")["subject"]
        S = len(people.subjects)
        return cls(*(np.bincount(people.index(each), minlength=S) for each in (acquired, enrolled)))

    def comparisons(self, crossfit: bool, folds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Comparisons `(S, S)` by probe and reference person; cross-fitted ones only inside the halves `folds`."""
        between = np.outer(self.transits, self.references)
        return np.where(folds[:, None] == folds[None], between, 0) if crossfit else between


def sheet(
    people: People, trials: Trials, pairs: pl.DataFrame, images: dict[str, str], seed: int, *, crossfit: bool = False
) -> pl.DataFrame:
    """The sheet to fill in, columns SHEET; `same_person` is empty, to become `yes`, `no` or `unclear`.

    pairs: rows of table PAIRS of one cell, unit and point. images: subject → what to look at (file names).
    A pair of people stands once, whichever of them was the probe. Where fewer pairs without a false match were
    compared than there are with one, all of them are listed.
    """
    S = len(people.subjects)
    comparisons = trials.comparisons(crossfit, people.folds)
    compared = np.triu(comparisons + comparisons.T, 1) > 0
    matched = np.zeros((S, S), bool)
    probe, reference = people.index(pairs["probe_subject"]), people.index(pairs["reference_subject"])
    matched[np.minimum(probe, reference), np.maximum(probe, reference)] = True
    listed = np.argwhere(matched)
    others = np.argwhere(compared & ~matched)
    rng = np.random.default_rng(seed)
    drawn = others[rng.choice(len(others), min(len(others), len(listed)), replace=False)]
    rows = rng.permutation(np.concatenate([listed, drawn]))
    first, second = ([people.subjects[i] for i in column] for column in rows.T)
    return pl.DataFrame({
        "first": first, "second": second,
        "first_images": [images.get(subject, "") for subject in first],
        "second_images": [images.get(subject, "") for subject in second],
        "same_person": [""] * len(rows),
    }, schema=dict.fromkeys(SHEET, pl.String))  # fmt: skip


def answered(filled: pl.DataFrame, people: People, name: str) -> dict[str, Pairs]:
    """The pairs of each answer in ANSWERS from a filled-in sheet; unanswered ones are in none. Raises InputError.

    name: the file the sheet came from, for the message.
    """
    missing = [column for column in ("first", "second", "same_person") if column not in filled.columns]
    if missing:
        raise InputError(f"{name}: column `{missing[0]}` is missing; the sheet has the columns {', '.join(SHEET)}")
    known, found = set(people.subjects), dict[tuple[str, str], str]()
    rows = filled.select(pl.col("first", "second", "same_person").cast(pl.String).fill_null("")).iter_rows()
    for line, (first, second, said) in enumerate(rows, start=2):
        said = said.strip().lower()
        for subject in (first, second):
            if subject not in known:
                raise InputError(f"{name}: row {line}: {subject!r} is no subject of this run; leave the ids as written")
        if first == second:
            raise InputError(f"{name}: row {line}: {first!r} is paired with itself; a row holds two subjects")
        if said and said not in ANSWERS:
            raise InputError(f"{name}: row {line}: same_person is {said!r}; write yes, no or unclear")
        pair = (min(first, second), max(first, second))
        if found.setdefault(pair, said) != said:
            raise InputError(f"{name}: row {line}: {first} and {second} stand twice with different answers; keep one")
    return {answer: frozenset(pair for pair, said in found.items() if said == answer) for answer in ANSWERS}


def corrected(
    tallied: Tallied, trials: Trials, pairs: pl.DataFrame, same: Pairs, crossfitted: Sequence[str] = ()
) -> Tallied:
    """The tallies as they are when the pairs `same` are one person each: their comparisons become mated.

    pairs: table PAIRS of the cell and unit, at all its points; `crossfitted` names those that compare inside the
    halves only. Points that PAIRS does not hold (the ladders that lend design effects, the groups' EER) stay as they
    were: what they lend hardly changes, and no table says what they would be. Nobody is re-grouped: both names of a
    person stay where they are, a mated comparison with the name of the probe.
    """
    people = tallied.people
    held = set(pairs["point"]) | {point for point in tallied.points if not _derived(point)}
    fields = ("errors", "comparisons", "mated_errors", "mated_comparisons", "squares", "crosses")
    new = replace(tallied, **{field: getattr(tallied, field).copy() for field in fields})
    place = {subject: i for i, subject in enumerate(people.subjects)}
    for k, point in enumerate(tallied.points):
        if point not in held or not tallied.comparisons[k].any():
            continue
        rows = pairs.filter(pl.col("point") == point)
        seen = {(p, r): e for p, r, e in rows.select("probe_subject", "reference_subject", "errors").iter_rows()}
        between = trials.comparisons(point in crossfitted, people.folds)
        for pair in same:
            i, j = (place[subject] for subject in pair)
            e = [seen.get(way, 0) for way in (pair, pair[::-1])]
            n = [int(between[i, j]), int(between[j, i])]
            for way, (p, r) in enumerate(((i, j), (j, i))):
                g, h = people.groups[p], people.groups[r]
                x, m, y, w = e[way], n[way], e[1 - way], n[1 - way]
                new.errors[k, 0, p, h] -= x
                new.errors[k, 1, r, g] -= x
                new.comparisons[k, 0, p, h] -= m
                new.comparisons[k, 1, r, g] -= m
                new.squares[k, g, h] -= (x * x, x * m, m * m)
                new.crosses[k, g, h] -= (x * y, x * w + y * m, m * w)
                new.mated_errors[k, p] += m - x
                new.mated_comparisons[k, p] += m
    return new


def _derived(point: str) -> bool:
    return point.startswith(("looser:", "stricter:", "eer:"))

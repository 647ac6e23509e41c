"""Truth can be wrong too: false matches put before a person, and figures again without those that were the same person.

METRICS.md § Differentials, truth errors. The sheet lists every pair of people with a false match, and as many random
pairs without one, in random order and without saying which are which: who checks should not know what the system said.
The unit is a pair of people, as truth is: "are these two the same person?".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.errors import InputError
from testbed.evidence.tallied import Tallied
from testbed.matching.comparisons import in_use
from testbed.matching.people import People

SHEET = ("first", "second", "first_images", "second_images", "same_person")
ANSWERS = ("yes", "no", "unclear")

Array = npt.NDArray[Any]
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

    def comparisons(self, probe: Array | int, reference: Array | int) -> Array:
        """Comparisons of every transit of `probe` with every reference of `reference`, people by position."""
        return np.asarray(self.transits[probe] * self.references[reference])

    def all_made(self, tallied: Tallied, crossfitted: Sequence[str] = ()) -> bool:
        """Whether everybody was compared with everybody, as in a run; a log may hold fewer comparisons."""
        folds = tallied.people.folds
        halves = np.bincount(folds, self.references, 2)[folds]
        for k, point in enumerate(tallied.points):
            others = (halves if point in crossfitted else self.references.sum()) - self.references
            made = tallied.comparisons[k, 0].sum(axis=1)
            if made.any() and (made != self.transits * others).any():
                return False
        return True


def sheet(
    people: People, trials: Sequence[Trials], pairs: pl.DataFrame, images: Mapping[str, str], seed: int,
    *, crossfit: bool = False,
) -> pl.DataFrame:  # fmt: skip
    """The sheet to fill in, columns SHEET; `same_person` is empty, to become `yes`, `no` or `unclear`.

    trials: of each cell checked. pairs: rows of table PAIRS per transit, of those cells and one point, which is
    `crossfit` or not. images: subject → what to look at (file names). A pair of people stands once, whichever of
    them was the probe. Where fewer pairs without a false match were compared than there are with one, all of them
    are listed.
    """
    S = len(people.subjects)
    listed = np.unique(_pair_keys(people, pairs))
    rng = np.random.default_rng(seed)
    drawn = np.zeros(0, np.int64)
    asked = 0
    # People squared may be too many to hold: draw some, keep those that were compared, and draw more if too few did.
    while len(drawn) < len(listed) and asked < S * S:
        asked = min(S * S, max(4 * asked, 8 * len(listed)))
        keys = rng.choice(S * S, asked, replace=False)
        i, j = keys // S, keys % S
        there = np.any([each.comparisons(i, j) + each.comparisons(j, i) > 0 for each in trials], axis=0) & (i < j)
        if crossfit:
            there &= people.folds[i] == people.folds[j]
        drawn = keys[there & ~np.isin(keys, listed)][: len(listed)]
    rows = rng.permutation(np.concatenate([listed, drawn]))
    first, second = ([people.subjects[i] for i in column] for column in (rows // S, rows % S))
    return pl.DataFrame({
        "first": first, "second": second,
        "first_images": [images.get(subject, "") for subject in first],
        "second_images": [images.get(subject, "") for subject in second],
        "same_person": [""] * len(rows),
    }, schema=dict.fromkeys(SHEET, pl.String))  # fmt: skip


def _pair_keys(people: People, pairs: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Each row's two people as one number, first · S + second with first < second."""
    probe, reference = people.index(pairs["probe_subject"]), people.index(pairs["reference_subject"])
    return np.asarray(np.minimum(probe, reference) * len(people.subjects) + np.maximum(probe, reference))


def answered(filled: pl.DataFrame, people: People, name: str) -> dict[str, Pairs]:
    """The pairs of each answer in ANSWERS from a filled-in sheet; unanswered ones are in none. Raises InputError.

    name: the file the sheet came from, for the message.
    """
    missing = [column for column in ("first", "second", "same_person") if column not in filled.columns]
    if missing:
        raise InputError(f"{name}: column `{missing[0]}` is missing; the sheet has the columns {', '.join(SHEET)}")
    known, found = _as_spreadsheets_write(people), dict[tuple[str, str], str]()
    rows = filled.select(pl.col("first", "second", "same_person").cast(pl.String).fill_null("")).iter_rows()
    for line, (one, other, said) in enumerate(rows, start=2):
        said = said.strip().lower()
        for subject in (one, other):
            if subject not in known:
                raise InputError(f"{name}: row {line}: {subject!r} is no subject of this run; leave the ids as written")
        first, second = known[one], known[other]
        if first == second:
            raise InputError(f"{name}: row {line}: {first!r} is paired with itself; a row holds two subjects")
        if said and said not in ANSWERS:
            raise InputError(f"{name}: row {line}: same_person is {said!r}; write yes, no or unclear")
        pair = (min(first, second), max(first, second))
        if found.setdefault(pair, said) != said:
            raise InputError(f"{name}: row {line}: {first} and {second} stand twice with different answers; keep one")
    return {answer: frozenset(pair for pair, said in found.items() if said == answer) for answer in ANSWERS}


def _as_spreadsheets_write(people: People) -> dict[str, str]:
    """Every way an id may come back → the id: 007 saved as 7, and =1 kept from being a formula as '=1."""
    number = {subject: str(int(subject)) for subject in people.subjects if subject.isdecimal()}
    alike = Counter(number.values())
    written = {n: subject for subject, n in number.items() if alike[n] == 1}
    return {**written, **{f"'{subject}": subject for subject in people.subjects}, **{s: s for s in people.subjects}}


def closed(same: Pairs, apart: Pairs, name: str) -> Pairs:
    """`same` with what follows from it: where a is b and b is c, a is c. Raises InputError where `apart` denies that.

    name: the file the answers came from, for the message.
    """
    party: dict[str, set[str]] = {}
    for one, other in same:
        together = party.get(one, {one}) | party.get(other, {other})
        party |= dict.fromkeys(together, together)
    for one, other in sorted(apart):
        if other in party.get(one, ()):
            raise InputError(
                f"{name}: {one} and {other} are answered no, but by the rows answered yes they are one person; "
                "look at these again"
            )
    return frozenset(pair for together in party.values() for pair in combinations(sorted(together), 2))


def corrected(
    tallied: Tallied, trials: Trials, pairs: pl.DataFrame, same: Pairs, crossfitted: Sequence[str] = ()
) -> Tallied:
    """The tallies as they are when the pairs `same` are one person each: their comparisons become mated.

    pairs: table PAIRS of the cell and unit, at all its points; `crossfitted` names those that compare inside the
    halves only. Where a log does not compare everybody with everybody, only comparisons that PAIRS counts can be moved.
    Points that PAIRS does not hold (the ladders that lend design effects, the groups' EER) stay as they
    were: what they lend hardly changes, and no table says what they would be. Nobody is re-grouped: both names of a
    person stay where they are, a mated comparison with the name of the probe.
    """
    people = tallied.people
    everything = trials.all_made(tallied, crossfitted)
    fields = ("errors", "comparisons", "mated_errors", "mated_comparisons", "squares", "crosses")
    new = replace(tallied, **{field: getattr(tallied, field).copy() for field in fields})
    place = {subject: i for i, subject in enumerate(people.subjects)}
    columns = ("point", "probe_subject", "reference_subject", "errors", "comparisons")
    seen = {row[:3]: row[3:] for row in pairs.select(columns).iter_rows()}
    for k, point in enumerate(tallied.points):
        if not in_use(point) or not tallied.comparisons[k].any():
            continue
        for pair in same:
            i, j = (place[subject] for subject in pair)
            together = everything and (point not in crossfitted or people.folds[i] == people.folds[j])
            made = [int(trials.comparisons(a, b)) if together else 0 for a, b in ((i, j), (j, i))]
            (x, m), (y, w) = (seen.get((point, *way), (0, n)) for way, n in zip((pair, pair[::-1]), made, strict=True))
            for p, r, e, n, back, n_back in ((i, j, x, m, y, w), (j, i, y, w, x, m)):
                g, h = people.groups[p], people.groups[r]
                new.errors[k, 0, p, h] -= e
                new.errors[k, 1, r, g] -= e
                new.comparisons[k, 0, p, h] -= n
                new.comparisons[k, 1, r, g] -= n
                new.squares[k, g, h] -= (e * e, e * n, n * n)
                new.crosses[k, g, h] -= (e * back, e * n_back + back * n, n * n_back)
                new.mated_errors[k, p] += n - e
                new.mated_comparisons[k, p] += n
    return new

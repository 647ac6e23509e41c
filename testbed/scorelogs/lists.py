"""1:N candidate lists: what they contradict themselves in, and the searches they tell of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.errors import InputError
from testbed.scorelogs.options import LogOptions
from testbed.scorelogs.register import Register
from testbed.scorelogs.spill import LISTED, NOBODY
from testbed.sources.stills import named

Array = npt.NDArray[Any]

BEST_ONLY = (
    "the log holds only the best candidates of each search: FMR and FNMR cannot be known from it, and no claim on them "
    "can be tested"
)


@dataclass(frozen=True)
class Enrolled:
    """Who is enrolled: how many people, their numbers in the Register, and what of it was guessed.

    known: whether it was said who they are; else who appears in no list is taken for a stranger.
    """

    size: int
    people: Array
    guesses: tuple[str, ...]
    known: bool


def enter(register: Register, chunk: pl.DataFrame) -> tuple[Array, Array, Array]:
    """A chunk of candidates as spill.LISTED records, and twice the number of their probe: a list stays together.

    Raises InputError as `Register.enter` does.
    """
    rows = np.zeros(chunk.height, LISTED)
    rows["probe"] = register.number(chunk, "probe")
    returned = chunk["reference"].is_not_null()
    rows["reference"] = NOBODY
    if returned.any():
        rows["reference"][returned.to_numpy()] = register.number(chunk.filter(returned), "reference")
    for name in ("row", "rank", "score"):
        rows[name] = chunk[name]
    return rows, rows["probe"].astype(np.int64), rows["probe"].astype(np.int64)


class Lists:
    """What candidate lists hold in all, learnt partition by partition.

    low, high: the range of scores. lengths `(probes,)`: candidates listed. What is odd is counted; what contradicts
    itself is kept (its first row) and raised by `check`, once it is known which way the scores go.
    """

    def __init__(self, options: LogOptions, register: Register) -> None:
        self.options, self.register = options, register
        self.probes = list(register.units["probe"])
        self.references = pl.Series(list(register.units["reference"]), dtype=pl.String)
        self.low, self.high = np.inf, -np.inf
        self.lengths = np.zeros(len(self.probes), np.int64)
        self.odd = dict.fromkeys(("repeated", "padded", "gaps", "shared", "tied", "from_zero"), 0)
        self.follows, self.contradicts = 0, 0
        self.first: tuple[int, str] | None = None

    def add(self, records: Array) -> pl.DataFrame:
        """Take in one partition; its candidates: search, rank (from 1), reference, subject, score."""
        listed = records["reference"] != NOBODY
        rows = records[listed]
        self.odd["padded"] += int(np.isin(records["probe"][~listed], rows["probe"]).sum())
        rows = self._distinct(rows)
        if len(rows):
            self.low, self.high = min(self.low, rows["score"].min()), max(self.high, rows["score"].max())
        self.lengths += np.bincount(rows["probe"], minlength=len(self.lengths))
        return pl.DataFrame({
            "search": pl.Series(self.probes, dtype=pl.String).gather(rows["probe"].astype(np.int64)),
            "rank": rows["rank"],
            "reference": self.references.gather(rows["reference"].astype(np.int64)),
            "subject": self.owners("reference").gather(rows["reference"].astype(np.int64)),
            "score": rows["score"],
        })  # fmt: skip

    def _distinct(self, rows: Array) -> Array:
        """Lists in order, each reference once; counts what is odd and keeps the first contradiction."""
        if not len(rows):
            return rows
        rows = rows[np.lexsort([rows["row"], rows["rank"], rows["reference"], rows["probe"]])]
        same = (np.diff(rows["probe"]) == 0) & (np.diff(rows["reference"]) == 0)
        self._contradiction(
            rows, same & (np.diff(rows["score"]) != 0),
            "the same candidate has another score in row {row}: {score:g} and {other:g}",
        )  # fmt: skip
        again = np.r_[False, same]
        self.odd["repeated"] += int(again.sum())
        kept = ~(again & np.r_[False, np.diff(rows["rank"]) == 0])  # a row twice skips no rank, a candidate twice may
        rows, again = rows[kept], again[kept]
        order = np.lexsort([rows["row"], rows["rank"], rows["probe"]])
        rows, again = rows[order], again[order]
        together, step = np.diff(rows["probe"]) == 0, np.diff(rows["rank"])
        # How much less alike the next candidate is.
        fall = np.diff(rows["score"]) * (1 if self.options.direction == "distance" else -1)
        self.follows += int((together & (fall > 0)).sum())
        self.contradicts += int((together & (fall < 0)).sum())
        self._contradiction(
            rows, together & (step == 0) & (fall != 0),
            "rank {rank} is given again in row {row}, with another score: {score:g} and {other:g}",
        )  # fmt: skip
        self._contradiction(
            rows, together & (step > 0) & (fall < 0),
            "rank {rank} scores {score:g}, and the rank after it, in row {row}, is more alike with {other:g}",
        )  # fmt: skip
        starts = np.flatnonzero(np.r_[True, ~together])
        lengths = np.diff(np.r_[starts, len(rows)])
        first = rows["rank"][starts]
        self.odd["from_zero"] += int((first == 0).sum())
        for row in np.sort(rows[starts[first > 1]], order="row")[:1]:
            self._keep(row, f"the list begins at rank {row['rank']}, and every rate rests on the best candidate")
        base = first.clip(max=1).repeat(lengths)
        position = np.arange(len(rows)) - starts.repeat(lengths)
        self.odd["gaps"] += len(np.unique(rows["probe"][rows["rank"] > position + base]))
        self.odd["shared"] += int((together & (step == 0)).sum())
        self.odd["tied"] += int((together & (step > 0) & (fall == 0)).sum())
        rows["rank"] += 1 - base
        return np.asarray(rows[~again])

    def _contradiction(self, rows: Array, next_to: Array, words: str) -> None:
        """Keep the first contradiction between a row and the one after it, which are marked `(n − 1,)`."""
        at = np.flatnonzero(next_to)
        if len(at):
            i = at[np.argmin(rows["row"][at])]
            one, other = rows[i], rows[i + 1]
            self._keep(one, words.format(rank=one["rank"], row=other["row"], score=one["score"], other=other["score"]))

    def _keep(self, row: Any, words: str) -> None:
        if self.first is None or row["row"] < self.first[0]:
            self.first = int(row["row"]), f"{self.probes[row['probe']]!r}: {words}"

    def check(self) -> None:
        """Raise InputError where lists contradict themselves, or tell of nobody."""
        path = self.options.files[0]
        if not self.lengths.any():
            raise InputError(f"{path}: no search returned anybody; name the columns with --column reference=NAME")
        if self.contradicts > self.follows:
            side = (
                "distances; drop --distance" if self.options.direction == "distance" else "similarities; say --distance"
            )
            raise InputError(
                f"{path}: candidates are more alike the further down they are ranked, so these are no {side}"
            )
        if self.first is not None:
            row, words = self.first
            raise InputError(
                f"{path}: row {row}: in the list of probe {words}; give each list as the system returned it"
            )
        if 0 < self.odd["from_zero"] < (self.lengths > 0).sum():
            raise InputError(f"{path}: some lists begin at rank 0 and some at rank 1; number all of them from 1")
        if self.low == self.high and not self.follows:
            raise InputError(f"{path}: all {self.lengths.sum()} scores are {self.low:g}; name the column of scores")

    def owners(self, side: str) -> pl.Series:
        """The person of each probe or reference."""
        people = pl.Series(list(self.register.subjects), dtype=pl.String)
        return people.gather(self.register.owners[side])

    def gallery(self) -> Enrolled:
        """Who is enrolled, as said or as guessed. Raises InputError where that contradicts the lists."""
        options, guesses = self.options, []
        seen, number = set(self.register.owners["reference"]), self.register.subjects
        size = len(seen)
        people = np.array(sorted(seen), np.int64)
        if options.enrolled is not None:
            ids = {line.strip() for line in options.enrolled.read_text(encoding="utf-8-sig").splitlines()} - {""}
            strange = [name for name in self.owners("reference") if name not in ids]
            if strange:
                raise InputError(
                    f"{options.files[0]}: the lists return {strange[0]!r}, who is not in {options.enrolled}; name "
                    "every person enrolled there, one id a line"
                )
            size = len(ids)
            people = np.array(sorted(number[name] for name in ids if name in number), np.int64)
        if options.gallery is not None:
            if options.gallery < size:
                where = "the lists return" if options.enrolled is None else f"{options.enrolled} names"
                raise InputError(
                    f"{options.files[0]}: --gallery {options.gallery}: {where} {size} different people; give the "
                    "number of people enrolled"
                )
            size = options.gallery
        elif options.enrolled is None:
            guesses.append(f"gallery taken as the {size:,} people that appear in the lists; give --gallery")
        known = options.enrolled is not None or size == options.gallery == len(seen)
        if not known:
            mated = int(np.isin(self.register.owners["probe"], people).sum())
            guesses.append(
                f"{mated} of {len(self.probes)} searches are taken to be of people enrolled, because these appear in "
                "some list; who is enrolled and was never returned is taken for a stranger, which makes FNIR too low; "
                "give --enrolled"
            )
        return Enrolled(size, people, tuple(guesses), known)

    @property
    def alike_long(self) -> bool:
        """Whether all lists that are not empty are equally long: an empty one is then a probe without a template."""
        return len(np.unique(self.lengths[self.lengths > 0])) == 1

    def searches(self, gallery: Enrolled) -> pl.DataFrame:
        """Table SEARCHES but for the cell, in the order of the Register's probes."""
        failed = (self.lengths == 0) & self.alike_long
        return pl.DataFrame({
            "gallery": np.full(len(self.probes), gallery.size),
            "search": pl.Series(self.probes, dtype=pl.String),
            "subject": self.owners("probe"),
            "mated": np.isin(self.register.owners["probe"], gallery.people),
            "state": pl.Series(np.where(failed, "failed", "searched").tolist(), dtype=pl.String),
        })  # fmt: skip

    def notices(self, gallery: Enrolled) -> Iterator[str]:
        """What a reader must know of the lists."""
        yield BEST_ONLY
        yield from gallery.guesses
        mated = np.isin(self.register.owners["probe"], gallery.people)
        if mated.all() or not mated.any():
            absent, rate = ("not enrolled", "FPIR") if mated.all() else ("enrolled", "FNIR")
            yield f"no search is of a person who is {absent}: {rate} cannot be known from this log"
        if self.options.threshold is None:
            yield "no threshold was given: how often a search returns somebody it should not (FPIR) needs --threshold"
        empty = pl.Series(self.probes, dtype=pl.String).filter(self.lengths == 0)
        if not self.options.complete and not (len(empty) and self.alike_long):
            yield (
                "no search is listed as failed: how often a face was never found (FTA) is not known from this log; say "
                "--complete if every attempt is in it"
            )
        if len(empty):
            taken = (
                "are taken to have no template (FTA)" if self.alike_long
                else "are taken to have been searched in vain, since lists are of different lengths"
            )  # fmt: skip
            same = "FPIR and FNIR are the same either way"
            yield f"{len(empty)} probes have no candidate and {taken}; {same}: {named(empty)}"
        told = {
            "repeated": "rows name a candidate again in the same list with the same score; each counts once, at its "
            "best rank",
            "padded": "empty rows pad lists that have candidates, and are skipped",
            "gaps": "lists skip a rank; candidates that the log leaves out cannot be counted",
            "shared": "candidates share their rank with another of the same score; each counts at that rank",
            "tied": "candidates score the same as the one ranked before; ranks are taken as listed",
            "from_zero": "lists count ranks from 0; they are read as counting from 1",
        }
        yield from (f"{self.odd[name]} {words}" for name, words in told.items() if self.odd[name])

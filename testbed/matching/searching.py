"""Searches of a gallery, made of a run's own captures and photographs: tables SEARCHES and CANDIDATES.

Everybody is searched for in a gallery of exactly N people. An order of people is drawn by the seed, and the gallery is
the first N. To search for somebody who is not among them as if they were there, they take the place of the last; to
search for somebody who is among them as if they were not, the first person outside takes theirs.

A list is best first; ties stand in the order of the people and then of what is theirs (photographs in the order they
were enrolled, passes by name). Who is returned with several photographs or passes stands there with each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import polars as pl

from kernels.crosscount import Faces
from kernels.scores import Floats, Metric, norms_of, scores_at, unit_blocks
from kernels.search import top
from pipelines.errors import InputError
from testbed.matching.people import People
from testbed.matching.thresholds import Direction
from testbed.matching.units import Templates, transits_as_probes
from testbed.matching.units import photographs as photographs_of
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import CANDIDATES, SEARCHES
from testbed.scenario.cells import Cell
from testbed.scenario.models import Scenario
from testbed.scenario.searching import Fusion, Lookup, Search, Watchlist, too_many

Indices = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ABSENT = ", absent"
"""Follows the name of what is searched where the person's own was taken out of the gallery."""

TOGETHER = 256
"""Templates searched at a time."""
PART = 500_000
"""Candidates of a part of the table, about."""


@dataclass(frozen=True)
class Units:
    """Passes, or reference photographs, in the order of their people: `names` and `people` `(n,)`.

    have `(n,)`: those with a template. faces: the templates of these, in their order.
    """

    names: pl.Series
    people: Indices
    have: Bools
    faces: Faces

    def __len__(self) -> int:
        return len(self.people)

    @property
    def found(self) -> pl.Series:
        """Names of those with a template."""
        return self.names.filter(pl.Series(self.have, dtype=pl.Boolean))

    @classmethod
    def passes(cls, attempts: pl.DataFrame, faces: Faces, people: People) -> Units:
        """Every transit that was put before a system, from table ATTEMPTS; faces: of those acquired."""
        put = attempts.filter(pl.col("state") != "undelivered")
        put = put.with_columns(person=people.index(put["subject"])).sort("person", "transit")
        return cls(put["transit"], put["person"].to_numpy(), (put["state"] == "acquired").to_numpy(), faces)

    @classmethod
    def photographs(cls, references: pl.DataFrame, faces: Faces, people: People) -> Units:
        """One system's rows of table REFERENCES; faces: of those enrolled, as `references_of` gives them."""
        rows = references.with_columns(person=people.index(references["subject"]))
        rows = rows.sort("person", "row", "reference", nulls_last=True)
        return cls(rows["reference"], rows["person"].to_numpy(), (rows["state"] == "enrolled").to_numpy(), faces)


@dataclass(frozen=True)
class Gallery:
    """Who is searched: the first `size` of `order` (people, as People numbers them), with one exchanged for another.

    order holds everybody who can be in it; of a watch-list, the wanted alone, and nobody is exchanged.
    """

    order: Indices
    size: int

    def exchanged(self, person: int, *, mated: bool) -> tuple[int, int]:
        """Who is taken out and who comes in (−1: nobody) where `person` is searched for."""
        place = np.flatnonzero(self.order == person)
        inside = bool(len(place)) and place[0] < self.size
        if mated == inside:
            return -1, -1
        return (int(self.order[self.size - 1]), person) if mated else (person, int(self.order[self.size]))

    def members(self, person: int, *, mated: bool) -> Indices:
        """The people in it where `person` is searched for."""
        out, come = self.exchanged(person, mated=mated)
        inside = self.order[: self.size]
        return np.where(inside == out, come, inside) if out >= 0 else inside


def order_of(people: People, seed: int) -> Indices:
    """Everybody, in the order in which they fill galleries: drawn by the seed."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x6A11]))
    return rng.permutation(len(people.subjects)).astype(np.int64)


def wanted(people: People, count: int, seed: int, among: Indices | None = None) -> Indices:
    """The `count` people of a watch-list, ascending, drawn by the seed and evenly over the groups.

    among: who can be on it (the people enrolled); unset: everybody.
    """
    order = order_of(people, seed)
    order = order if among is None else order[np.isin(order, among)]
    before = np.zeros(len(order), np.int64)  # how many of one's group
    for group in np.unique(people.groups[order]):
        mine = people.groups[order] == group
        before[mine] = np.arange(mine.sum())
    return np.sort(order[np.argsort(before, kind="stable")[:count]])


def gallery_of(search: Search, people: People, seed: int, able: Indices) -> Gallery:
    """The gallery of a scenario's searches. able: the people who can be in it. Raises InputError where too few can."""
    if wrong := too_many(search, len(able), len(able)):
        raise InputError(wrong)
    if isinstance(search, Watchlist):
        return Gallery(wanted(people, search.wanted, seed, able), search.wanted)
    order = order_of(people, seed)
    return Gallery(order[np.isin(order, able)], search.people or len(able) - 1)


def probes_of(
    search: Search | None, captures: pl.DataFrame, templates: Templates, people: People, metric: Metric
) -> tuple[Faces, Bools]:
    """What stands for each acquired transit, and which of them have it: all its captures, or as a watch-list fuses."""
    if isinstance(search, Watchlist):
        return fused(captures, templates, people, search.fusion, metric)
    faces = transits_as_probes(captures, templates, people)
    return faces, np.ones(len(faces), bool)


def fused(
    captures: pl.DataFrame, templates: Templates, people: People, fusion: Fusion, metric: Metric
) -> tuple[Faces, Bools]:
    """What stands for each acquired transit of a watch-list, and which of them have one.

    `best frame`: the capture with the greatest score of the detector's own (none counts as the least), of several the
    larger box, then the earlier. `mean template`: where the metric is the cosine, the mean of templates of unit length,
    made unit length again (templates that cancel out leave none); where it is Euclidean, in which lengths mean
    something, the plain mean.
    """
    if fusion == "best frame":
        area = (pl.col("x2") - pl.col("x1")) * (pl.col("y2") - pl.col("y1"))
        best = captures.filter((pl.col("state") == "ok") & pl.col("transit").is_not_null())
        best = best.sort(
            pl.col("score").fill_null(-np.inf), area, "camera", "frame", "face",
            descending=[True, True, False, False, False],
        )  # fmt: skip
        captures = best.unique("transit", keep="first", maintain_order=True)
    faces = transits_as_probes(captures, templates, people)
    kept = np.ones(len(faces), bool)
    if fusion == "mean template" and len(faces):
        parts = faces.templates.astype(np.float64)
        if metric == "cosine":
            parts /= norms_of(faces.templates)[:, None]
        means = np.add.reduceat(parts, faces.starts[:-1], axis=0) / np.diff(faces.starts)[:, None]
        if metric == "cosine":
            lengths = np.sqrt((means**2).sum(axis=1))
            kept = lengths > 1e-9
            means = means[kept] / lengths[kept, None]
        faces = Faces(means.astype(np.float32), np.arange(kept.sum() + 1), faces.subjects[kept])
    return faces, kept


def search_cell(
    run: RunDirectory, scenario: Scenario, cell: Cell, people: People, attempts: pl.DataFrame, probes: Faces,
    references: Faces, scores: Floats | None = None,
) -> pl.DataFrame:  # fmt: skip
    """Make one cell's searches: writes CANDIDATES in parts and returns its rows of SEARCHES.

    probes: what stands for each acquired transit. scores `(transits, photographs)`: those of a system that compares by
    itself.

    Notes in run.json the `search`, at which length this cell's lists were cut (`lists_cut_at`; null: none was), and
    how long they could have been at most (`lists_could_hold`).
    """
    search, info = scenario.search, run.manifest()["systems"][cell.system.label]
    assert search is not None, "the scenario asks for searches"
    photographs = Units.photographs(photographs_of(run, cell.system.label, cell.enrolled), references, people)
    passes = Units.passes(attempts, probes, people)
    sides = (photographs, passes) if isinstance(search, Lookup) else (passes, photographs)
    compared = scores if scores is not None else cast(Metric, info["metric"])
    made = searched(cell.id, search, *sides, people, scenario.seed, compared, info["direction"])
    waiting: list[pl.DataFrame] = []
    part = 0
    for frame in made.candidates:
        waiting.append(frame)
        if sum(map(len, waiting)) >= PART:
            run.write(CANDIDATES, pl.concat(waiting), f"{cell.id}/searches/{part:03}")
            waiting, part = [], part + 1
    if waiting:
        run.write(CANDIDATES, pl.concat(waiting), f"{cell.id}/searches/{part:03}")
    noted = {"lists_cut_at": {cell.id: made.cut}, "lists_could_hold": {cell.id: made.most}}
    run.note(search=search.model_dump(mode="json"), **noted)
    return made.searches


@dataclass(frozen=True)
class Searched:
    """One cell's searches: table SEARCHES and the parts of CANDIDATES, lists of `length` at most.

    most: how many photographs (passes) with a template are in the gallery of a search, at most.
    """

    searches: pl.DataFrame
    candidates: Iterator[pl.DataFrame]
    length: int
    most: int

    @property
    def cut(self) -> int | None:
        """The length at which lists were cut; None where none was."""
        return self.length if self.most > self.length else None


def searched(
    cell: str, search: Search, probes: Units, gallery: Units, people: People, seed: int,
    compared: Metric | Floats, direction: Direction,
) -> Searched:  # fmt: skip
    """Every search that the scenario asks for. Raises InputError where it asks for more people than there are.

    probes: photographs (look-up) or passes; gallery: passes (look-up) or photographs. Who is searched for, and has
    neither, is searched for as somebody who is not there alone. What has no template is a search that failed.
    compared: by a metric, or the scores `(probes, gallery)` of those with a template.
    """
    # A pass without a template was there to be found; a photograph without one enrols nobody.
    able = np.unique(gallery.people if isinstance(search, Lookup) else gallery.people[gallery.have])
    who = gallery_of(search, people, seed, able)
    made = _searches(search, probes, who)
    subjects = pl.Series(people.subjects, dtype=pl.String)
    absent = ~pl.col("mated") & (not isinstance(search, Watchlist))
    made = made.with_columns(name=probes.names.gather(made["probe"])).with_columns(
        pl.col("name") + pl.when(absent).then(pl.lit(ABSENT)).otherwise(pl.lit(""))
    )
    table = made.select(
        cell=pl.lit(cell), gallery=pl.lit(who.size), search="name",
        subject=subjects.gather(made["person"]), mated="mated", state="state",
    )  # fmt: skip
    parts = (
        frame.select(
            cell=pl.lit(cell),
            gallery=pl.lit(who.size),
            search=table["search"].gather(frame["search"]),
            rank="rank",
            reference=gallery.found.gather(frame["unit"]),
            subject=subjects.gather(pl.Series(gallery.faces.subjects[frame["unit"].to_numpy()])),
            score="score",
        )
        for frame in _listed(probes, gallery.faces, made, who, search.length, compared, direction)
    )
    return Searched(table.select(list(SEARCHES.columns)), parts, search.length, _most(gallery.faces, made, who))


def _searches(search: Search, probes: Units, gallery: Gallery) -> pl.DataFrame:
    """A row for every search: which probe, whose, mated, state, and who is exchanged in the gallery for it."""
    inside = np.isin(probes.people, gallery.order)
    if isinstance(search, Watchlist):
        which, mated = np.arange(len(probes)), inside
    else:
        which = np.r_[np.arange(len(probes)), np.flatnonzero(inside)]
        mated = np.r_[np.zeros(len(probes), bool), np.ones(inside.sum(), bool)]
    exchanged = [gallery.exchanged(int(probes.people[i]), mated=bool(m)) for i, m in zip(which, mated, strict=True)]
    out, come = np.array(exchanged, np.int64).reshape(-1, 2).T
    have = probes.have[which]
    return pl.DataFrame({
        "probe": which, "person": probes.people[which], "mated": mated, "out": out, "come": come,
        "state": pl.Series(np.where(have, "searched", "failed").tolist(), dtype=pl.String),
    }).sort("probe", "mated").with_row_index("search")  # fmt: skip


def _most(gallery: Faces, made: pl.DataFrame, who: Gallery) -> int:
    each = np.r_[np.bincount(gallery.subjects, minlength=who.order.max(initial=0) + 1), 0]  # of nobody (-1): none
    exchanged = each[made["come"].to_numpy()] - each[made["out"].to_numpy()]
    return int(each[who.order[: who.size]].sum() + exchanged.max(initial=0))


def _listed(
    probes: Units, gallery: Faces, made: pl.DataFrame, who: Gallery, length: int,
    compared: Metric | Floats, direction: Direction,
) -> Iterator[pl.DataFrame]:  # fmt: skip
    """Lists, a block of probes at a time: search, rank from 1, unit of the gallery, score."""
    place = np.cumsum(probes.have) - 1
    rows = made.with_columns(mine=pl.Series(place[made["probe"].to_numpy()])).filter(pl.col("state") == "searched")
    alike = pl.col("score") if direction == "similarity" else -pl.col("score")
    inside = who.order[: who.size].tolist()
    blocks = unit_blocks(probes.faces.starts, TOGETHER)
    answers = (
        _found(probes.faces, gallery, rows, blocks, who, length, compared) if isinstance(compared, str)
        else _looked_through(gallery, rows, blocks, inside, compared)
    )  # fmt: skip
    for found in answers:
        yield (
            found.with_columns(alike=alike)
            .sort("search", "alike", "unit", descending=[False, True, False])
            .unique(["search", "unit"], keep="first", maintain_order=True)
            .with_columns(rank=pl.int_range(1, pl.len() + 1).over("search"))
            .filter(pl.col("rank") <= length)
            .select("search", "rank", "unit", "score")
        )


def _may_return(inside: list[int]) -> pl.Expr:
    """Of a search with who goes `out` and who `come`s in, and a person of the gallery: whether it may return them."""
    among = pl.col("person").is_in(inside) & (pl.col("person") != pl.col("out"))
    return among | (pl.col("person") == pl.col("come"))


def _looked_through(
    gallery: Faces, rows: pl.DataFrame, blocks: Iterator[slice], inside: list[int], scores: Floats
) -> Iterator[pl.DataFrame]:  # fmt: skip
    """Everybody whom each search may return, from all scores: search, unit, score."""
    units = pl.DataFrame({"unit": np.arange(len(gallery)), "person": gallery.subjects})
    for block in blocks:
        asked = rows.filter(pl.col("mine").is_between(block.start, block.stop, closed="left"))
        asked = asked.select("search", "mine", "out", "come")
        found = asked.join(units, how="cross").filter(_may_return(inside))
        at = scores[found["mine"].to_numpy(), found["unit"].to_numpy()]
        yield found.select("search", "unit", score=pl.Series(at, dtype=pl.Float64))


def _found(
    probes: Faces, gallery: Faces, rows: pl.DataFrame, blocks: Iterator[slice], who: Gallery, length: int,
    metric: Metric,
) -> Iterator[pl.DataFrame]:  # fmt: skip
    """The same, but only those that can be among the best `length`: the exact best of each template, by search."""
    # Who is among the first N, or the next, is found by searching; who comes in for their own search is compared alone.
    inside, near = who.order[: who.size].tolist(), who.order[: who.size + 1]
    own = rows.filter((pl.col("come") >= 0) & ~pl.col("come").is_in(near.tolist()))
    mine = pl.DataFrame({"come": gallery.subjects, "unit": np.arange(len(gallery))})
    shown, unit_of = _of(gallery, np.flatnonzero(np.isin(gallery.subjects, near)))
    lengths = tuple(norms_of(faces.templates) for faces in (probes, gallery))
    for block in blocks:
        asked = rows.filter(pl.col("mine").is_between(block.start, block.stop, closed="left"))
        found = _allowed(probes, block, shown, unit_of, gallery, asked, inside, length, metric)
        alone = own.join(asked, "search", how="semi").join(mine, "come")
        u, v = (alone[name].to_numpy().astype(np.int64) for name in ("mine", "unit"))
        alone = alone.with_columns(score=pl.Series(scores_at(probes, gallery, u, v, metric, lengths)))
        yield pl.concat([found, alone.select(found.columns)])


def _allowed(
    probes: Faces, block: slice, shown: Templates, unit_of: Indices, gallery: Faces, asked: pl.DataFrame,
    inside: list[int], length: int, metric: Metric,
) -> pl.DataFrame:  # fmt: skip
    """Of a block of probes, the best of those shown that each search may return: search, unit, score, for `length`."""
    first, end = probes.starts[block.start], probes.starts[block.stop]
    templates = probes.templates[first:end]
    sizes = np.diff(probes.starts[block.start : block.stop + 1])
    captures = pl.DataFrame({
        "mine": np.repeat(np.arange(block.start, block.stop), sizes), "capture": np.arange(len(templates)),
    })  # fmt: skip
    each = asked.select("search", "mine", "out", "come").join(captures, "mine")
    k = min(4 * length, len(unit_of))
    while k:
        best = top(templates, shown, k, metric)
        units = unit_of[best.references.ravel()]
        here = pl.DataFrame({
            "capture": np.repeat(np.arange(len(templates)), k), "unit": units, "person": gallery.subjects[units],
            "score": best.scores.ravel(),
        })  # fmt: skip
        found = each.join(here, "capture").filter(_may_return(inside))
        # A capture has given all that can be among its pass's best once it has named as many different ones.
        named = found.group_by("search", "capture").agg(pl.col("unit").n_unique())
        if k == len(unit_of) or (len(named) == len(each) and (named["unit"] >= length).all()):
            return found.select("search", "unit", "score")
        k = min(4 * k, len(unit_of))
    return each.select("search", unit=pl.col("mine"), score=pl.lit(0.0)).clear()


def _of(faces: Faces, units: Indices) -> tuple[Templates, Indices]:
    """The templates of some units, and whose each is."""
    owner = np.repeat(np.arange(len(faces)), np.diff(faces.starts))
    kept = np.isin(owner, units)
    return faces.templates[kept], owner[kept]

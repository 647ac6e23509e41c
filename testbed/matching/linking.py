"""What cameras that film for days come to know of people whom nobody enrolled: tables RECORDS and LINKS.

*Records*: a database that files every template as it comes. A template goes to the record whose first template it is
most alike to (of several, the oldest), if that is alike enough; else it opens a record of its own. This is the leader
algorithm (Hartigan 1975, Clustering Algorithms, ch. 3), in order of time.

*Links*: all that was captured of a person on one day against all of a person on another; the score is that of the most
alike two templates. Truth says what is one person's; the system never sees it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
import polars as pl

from kernels.scores import Faces, Metric, scores_of
from testbed.matching.comparisons import Tables, in_use, tallied, typed
from testbed.matching.people import People
from testbed.matching.tallying import Comparisons, tally_logged
from testbed.matching.thresholds import Direction, Point
from testbed.matching.units import Templates
from testbed.runs.tables import LINKS, MOMENTS, RECORDS, TALLIES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TOGETHER = 256
"""Templates filed at a time."""
PEOPLE = 64
"""People compared, over all their days, with as many others at a time."""


def unit(gap: int | None) -> str:
    """What TALLIES and MOMENTS call comparisons of days so far apart; None: of any two days."""
    return "any two days" if gap is None else f"days {gap} apart"


def link_cell(
    cell: str, captures: pl.DataFrame, templates: Templates, days: Mapping[str, int], people: People,
    thresholds: pl.DataFrame, came: pl.DataFrame, metric: Metric, direction: Direction,
) -> Tables:  # fmt: skip
    """RECORDS and LINKS of one cell, and rows of TALLIES and MOMENTS for what is linked falsely.

    captures, templates: of the cell; days: of each camera's name; thresholds: its THRESHOLDS; came: columns subject and
    camera of the passes that were put before the system.
    """
    day = pl.col("camera").replace_strict(dict(days), return_dtype=pl.Int64)
    usable = captures.filter(pl.col("state") == "ok").with_columns(day=day)
    points: list[Point] = [(p, c, a, b) for _, p, c, a, b in thresholds.rows()]
    seen = came.select("subject", day=day).unique().sort("subject", "day")
    faces, of_day = person_days(usable, templates, people)
    found: Tables = [
        (RECORDS, records_of(usable, templates, people, points, metric, direction).with_columns(cell=pl.lit(cell))),
        (LINKS, links_of(seen, faces, of_day, people, metric, direction).with_columns(cell=pl.lit(cell))),
    ]
    for gap in (None, *range(1, max(days.values()))):
        result = tally_logged(_compared(faces, of_day, gap, metric), people, points, direction)
        found += [each for each in tallied(cell, unit(gap), people, points, result) if each[0] in (TALLIES, MOMENTS)]
    return [typed(*each) for each in found]


def filed(templates: Templates, least: Floats, metric: Metric, direction: Direction) -> Ints:
    """The record `(n,)` of each template, numbered as they are opened; templates `(n, d)` in the order they come.

    least `(n,)`: the threshold that each is held to; a tie goes to the record.
    """
    sign = 1.0 if direction == "similarity" else -1.0
    result, leaders = np.zeros(len(templates), np.int64), np.zeros(0, np.int64)
    for first in range(0, len(templates), TOGETHER):
        rows = np.arange(first, min(first + TOGETHER, len(templates)))
        block, known = _single(templates[rows]), len(leaders)
        to_leaders, among = (sign * _scores(block, _single(templates[each]), metric) for each in (leaders, rows))
        opened: list[int] = []
        for i, row in enumerate(rows):
            alike = np.r_[to_leaders[i], among[i, opened]]
            record = int(alike.argmax()) if len(alike) else -1
            if record < 0 or alike[record] < sign * least[row]:
                record = known + len(opened)
                opened.append(i)
            result[row] = record
        leaders = np.r_[leaders, rows[opened]]
    return result


def records_of(
    usable: pl.DataFrame, templates: Templates, people: People, points: list[Point], metric: Metric,
    direction: Direction,
) -> pl.DataFrame:  # fmt: skip
    """RECORDS but for `cell`, at the points that decide something and could be found.

    usable: captures with a template and column `day`, also those that no truth explains: a system cannot tell. Each is
    held to the threshold of its person's half of the people; where nobody knows whose it is, to the mean of both.
    """
    came = usable.sort("day", "seconds", "camera", "frame", "face")
    place = dict(zip(people.subjects, people.folds.tolist(), strict=True))
    fold = np.array([2 if subject is None else place[subject] for subject in came["subject"]], np.int64)
    in_order = templates[came["row"].to_numpy().astype(np.int64)]
    parts = [pl.DataFrame(schema=RECORDS.columns).drop("cell")]
    for point, _, *halves in points:
        if not in_use(point) or np.isnan(halves).any():
            continue
        record = filed(in_order, np.array([*halves, np.mean(halves)])[fold], metric, direction)
        first = np.zeros(len(record), bool)
        first[np.unique(record, return_index=True)[1]] = True
        whole = came.select("day", "subject").with_columns(record=record, first=first)
        parts.append(
            whole.group_by("record", "day", "subject")
            .agg(captures=pl.len().cast(pl.Int64), opened=pl.col("first").any())
            .select(point=pl.lit(point), **{name: pl.col(name) for name in parts[0].columns[1:]})
        )
    return pl.concat(parts).sort(RECORDS.sort[1:])


def person_days(usable: pl.DataFrame, templates: Templates, people: People) -> tuple[Faces, Ints]:
    """All templates of a person on a day as one unit, by person and then day; and the day of each `(units,)`."""
    named = usable.filter(pl.col("subject").is_not_null())
    named = named.with_columns(person=people.index(named["subject"])).sort("person", "day", "camera", "frame", "face")
    first = named.with_row_index().group_by("person", "day", maintain_order=True).first()
    starts = np.r_[first["index"].to_numpy(), named.height].astype(np.int64)
    rows = named["row"].to_numpy().astype(np.int64)
    return Faces(templates[rows], starts, first["person"].to_numpy().astype(np.int64)), first["day"].to_numpy()


def links_of(
    seen: pl.DataFrame, faces: Faces, of_day: Ints, people: People, metric: Metric, direction: Direction
) -> pl.DataFrame:
    """LINKS but for `cell`. seen: subject and day, a row for each on which a person was put before the system.

    faces, of_day: as `person_days` gives them.
    """
    sign = 1.0 if direction == "similarity" else -1.0
    wanted = seen.join(seen, "subject", suffix="_earlier").filter(pl.col("day_earlier") < pl.col("day"))
    at = {(int(person), int(day)): k for k, (person, day) in enumerate(zip(faces.subjects, of_day, strict=True))}
    earlier_units = {day: np.flatnonzero(of_day == day) for day in wanted["day_earlier"].unique()}
    index = {subject: i for i, subject in enumerate(people.subjects)}
    rows: dict[int, list[tuple[str, int, int, int]]] = {}
    found: list[tuple[str, int, int, float | None, int | None, int]] = []
    for subject, later, earlier in wanted.select("subject", "day", "day_earlier").rows():
        person = index[subject]
        others = int((faces.subjects[earlier_units[earlier]] != person).sum())
        if (person, later) in at and (person, earlier) in at:
            rows.setdefault(at[person, later], []).append((subject, earlier, later, others))
        else:
            found.append((subject, earlier, later, None, None, others))
    for units, block in scores_of(faces, faces, metric):
        for k in range(units.start, units.stop):
            for subject, earlier, later, others in rows.get(k, []):
                there = earlier_units[earlier]
                alike, own = sign * block[k - units.start, there], faces.subjects[there] == faces.subjects[k]
                score = float(alike[own][0])
                found.append((subject, earlier, later, sign * score, int((alike[~own] >= score).sum()), others))
    columns = {name: dtype for name, dtype in LINKS.columns.items() if name != "cell"}
    return pl.DataFrame(found, columns, orient="row").sort(LINKS.sort[1:])


def _compared(faces: Faces, of_day: Ints, gap: int | None, metric: Metric) -> Iterator[Comparisons]:
    """A later day (the probe) with an earlier one, `gap` days apart; both directions of two people lie together."""
    for one, other in combinations_with_replacement(range(0, int(faces.subjects.max(initial=-1)) + 1, PEOPLE), 2):
        left, right = (
            np.flatnonzero((faces.subjects >= start) & (faces.subjects < start + PEOPLE)) for start in (one, other)
        )
        scores = _scores(_taken(faces, left), _taken(faces, right), metric)
        apart = of_day[left][:, None] - of_day[right]
        parts = []
        for a, b, ahead, block in ((left, right, apart, scores), (right, left, -apart.T, scores.T)):
            i, j = np.nonzero(ahead > 0 if gap is None else ahead == gap)
            parts.append((faces.subjects[a[i]], faces.subjects[b[j]], block[i, j]))
            if one == other:
                break  # the square holds both directions already
        probe, reference, score = (np.concatenate(each) for each in zip(*parts, strict=True))
        yield Comparisons(probe, reference, probe == reference, score)


def _taken(faces: Faces, units: Ints) -> Faces:
    """Some of the units, ascending."""
    sizes = np.diff(faces.starts)[units]
    rows = np.concatenate([np.arange(faces.starts[k], faces.starts[k + 1]) for k in units] or [np.zeros(0, np.int64)])
    return Faces(faces.templates[rows], np.r_[0, np.cumsum(sizes)].astype(np.int64), faces.subjects[units])


def _single(templates: Templates) -> Faces:
    """Each template a unit of its own, of nobody in particular."""
    return Faces(templates, np.arange(len(templates) + 1), np.zeros(len(templates), np.int64))


def _scores(left: Faces, right: Faces, metric: Metric) -> Floats:
    """All scores at once `(units, units)`."""
    blocks = [block for _, block in scores_of(left, right, metric)] if len(right) else []
    return np.concatenate(blocks) if blocks else np.zeros((len(left), len(right)))

"""Who is compared with whom: people in a fixed order, their groups, and the two halves for cross-fitting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

PASSER_BY = "nobody enrolled"
"""Group of the faces in a clip of which it is declared that nobody enrolled passes."""


@dataclass(frozen=True)
class Group:
    """A set of people a rate is given for: its name, its attributes (none for `all`), its full-cross groups."""

    name: str
    attributes: dict[str, str]
    members: tuple[int, ...]


@dataclass(frozen=True)
class People:
    """Subjects in order; `groups` and `folds` `(S,)` int64 by subject; `labels[g]` names full-cross group g.

    `attributes` are the scenario's, `values[g]` those of group g in the same order.
    """

    subjects: tuple[str, ...]
    attributes: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    groups: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]

    @property
    def labels(self) -> tuple[str, ...]:
        """Full-cross labels: attribute values joined by a space, `everyone` without attributes."""
        return tuple(" ".join(value) or "everyone" for value in self.values)

    def index(self, subjects: pl.Series) -> npt.NDArray[np.int64]:
        """Position of each subject."""
        place = {subject: i for i, subject in enumerate(self.subjects)}
        return np.array([place[subject] for subject in subjects], np.int64)

    def everyone(self) -> Group:
        """All people pooled."""
        return Group("all", {}, tuple(range(len(self.values))))

    def crossed(self) -> list[Group]:
        """The full cross of the attributes; empty without attributes (there is only `all`)."""
        if not self.attributes:
            return []
        named = zip(self.labels, self.values, strict=True)
        return [
            Group(label, dict(zip(self.attributes, value, strict=True)), (g,)) for g, (label, value) in enumerate(named)
        ]

    def single(self) -> dict[str, list[Group]]:
        """For each attribute its values, where there are several attributes (else the full cross says it all)."""
        if len(self.attributes) < 2:
            return {}
        result: dict[str, list[Group]] = {}
        values_of = [sorted({value[i] for value in self.values}) for i in range(len(self.attributes))]
        for i, attribute in enumerate(self.attributes):
            result[attribute] = []
            for value in values_of[i]:
                # The same word under two attributes (say "unknown") would name two groups alike.
                shared = sum(value in values for values in values_of) > 1 or value in self.labels
                members = tuple(g for g, each in enumerate(self.values) if each[i] == value)
                name = f"{attribute}={value}" if shared else value
                result[attribute].append(Group(name, {attribute: value}, members))
        return result

    def within(self) -> list[Group]:
        """Every group that figures are given for: all, single attribute values, full cross."""
        return [self.everyone(), *(g for groups in self.single().values() for g in groups), *self.crossed()]

    def size(self, group: Group) -> int:
        """How many people a group has."""
        return int(np.isin(self.groups, group.members).sum())


def people_of(subjects: pl.DataFrame, attributes: list[str], seed: int) -> People:
    """From table SUBJECTS. Folds halve every group at random (seeded), so that both halves hold every group."""
    rows = subjects.select(attributes).rows() if attributes else [()] * subjects.height
    values = tuple(sorted(set(rows)))
    groups = np.array([values.index(row) for row in rows], np.int64)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xF01D]))
    folds = np.zeros(len(groups), np.int64)
    start = 0
    for group in range(len(values)):
        members = rng.permutation(np.flatnonzero(groups == group))
        folds[members] = (np.arange(len(members)) + start) % 2
        start += len(members)  # groups of odd size take turns in which half gets the extra person
    return People(tuple(subjects["subject"]), tuple(attributes), values, groups, folds)


def with_passers_by(people: People, cameras: list[str]) -> People:
    """People and, for each clip declared to show nobody enrolled, one more "person": how many pass is not known."""
    return People(
        (*people.subjects, *map(clip, cameras)),
        people.attributes,
        (*people.values, (PASSER_BY,)),
        np.r_[people.groups, np.full(len(cameras), len(people.values))].astype(np.int64),
        np.r_[people.folds, np.zeros(len(cameras), np.int64)],
    )


def clip(camera: str) -> str:
    """The pseudo-subject of a clip that shows nobody enrolled; no id of a person can contain a colon and a space."""
    return f"clip: {camera}"

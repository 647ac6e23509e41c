"""The two passes over comparisons that are known by their scores alone, giving what the kernels give for templates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.crosscount import Tally
from testbed.matching.comparisons import in_use
from testbed.matching.people import People
from testbed.matching.thresholds import Direction, Point

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Comparisons:
    """Finite scores of comparisons: probe_subjects, reference_subjects `(n,)` int64 index `People`; mated `(n,)`;
    scores `(n,)` float64. The subjects of a mated comparison are one person, except where ids are not known.
    """

    probe_subjects: Array
    reference_subjects: Array
    mated: Array
    scores: Array

    def folds(self, people: People) -> Array:
        """0 or 1 inside that half, 2 between halves; a mated comparison lies in its probe's half."""
        probe, reference = people.folds[self.probe_subjects], people.folds[self.reference_subjects]
        return np.where(self.mated | (probe == reference), probe, 2)


def count_logged(comparisons: Comparisons, people: People, edges: Array, direction: Direction) -> Array:
    """Comparisons `(G, G, 2, 3, B + 1)` at `edges` `(B,)`, as `kernels.crosscount.count` has them."""
    G = len(people.labels)
    shape = (G, G, 2, 3, len(edges) + 1)
    bins = np.searchsorted(edges, comparisons.scores, "right" if direction == "similarity" else "left")
    probe, reference = people.groups[comparisons.probe_subjects], people.groups[comparisons.reference_subjects]
    where = (probe, reference, comparisons.mated.astype(np.int64), comparisons.folds(people), bins)
    return np.bincount(np.ravel_multi_index(where, shape), minlength=int(np.prod(shape))).reshape(shape)


def tally_logged(partitions: Iterable[Comparisons], people: People, points: list[Point], direction: Direction) -> Tally:
    """Errors at `points`, as `kernels.crosscount.tally` has them; `pairs` only at points in use.

    All comparisons of two people, in both directions, must lie in one partition.
    """
    S, G, P = len(people.subjects), len(people.labels), len(points)
    result = Tally(
        np.zeros((P, 2, S, G), np.int64), np.zeros((P, 2, S, G), np.int64), np.zeros((P, S), np.int64),
        np.zeros((P, S), np.int64), np.zeros((P, G, G, 3)), np.zeros((P, G, G, 3)), np.zeros((0, 5), np.int64),
    )  # fmt: skip
    pairs = [result.pairs]
    for comparisons in partitions:
        pairs += _add_partition(result, comparisons, people, points, direction)
    return Tally(**{**vars(result), "pairs": np.concatenate(pairs)})


def _add_partition(
    result: Tally, comparisons: Comparisons, people: People, points: list[Point], direction: Direction
) -> list[Array]:
    S = len(people.subjects)
    strangers = ~comparisons.mated
    probe, reference = comparisons.probe_subjects[strangers], comparisons.reference_subjects[strangers]
    scores, own_scores = comparisons.scores[strangers], comparisons.scores[comparisons.mated]
    own = comparisons.probe_subjects[comparisons.mated]
    keys, pair = np.unique(np.minimum(probe, reference) * S + np.maximum(probe, reference), return_inverse=True)
    slot = 2 * pair + (probe > reference)  # the two directions of a pair lie side by side
    one, other = keys // S, keys % S
    ways = np.column_stack([one, other]), np.column_stack([other, one])
    trials = np.bincount(slot, minlength=2 * len(keys)).reshape(-1, 2)
    same_fold = people.folds[one] == people.folds[other]
    made = {False: trials, True: np.where(same_fold[:, None], trials, 0)}
    sums = {crossfit: _sums(n, ways, people) for crossfit, n in made.items()}
    own_trials = np.bincount(own, minlength=S)
    found = []
    for k, (name, crossfit, *limits) in enumerate(points):
        if np.isnan(limits).any():
            continue
        thresholds, n = np.array(limits), made[crossfit]
        matches = _match(scores, thresholds[people.folds[probe]], direction)
        errors = np.where(n > 0, np.bincount(slot[matches], minlength=2 * len(keys)).reshape(-1, 2), 0)
        result.comparisons[k] += sums[crossfit]
        result.errors[k] += _sums(errors, ways, people)
        _add_moments(result, k, errors, n, ways, people)
        result.mated_comparisons[k] += own_trials
        missed = ~_match(own_scores, thresholds[people.folds[own]], direction)
        result.mated_errors[k] += np.bincount(own[missed], minlength=S)
        if in_use(name):
            at = np.nonzero(errors)
            found.append(np.column_stack([np.full(len(at[0]), k), ways[0][at], ways[1][at], errors[at], n[at]]))
    return found


def _match(scores: Array, thresholds: Array, direction: Direction) -> Array:
    return scores >= thresholds if direction == "similarity" else scores <= thresholds


def _sums(values: Array, ways: tuple[Array, Array], people: People) -> Array:
    """`values` `(pairs, 2)` summed to `(2, S, G)`: role, subject, group of the opposite subject."""
    S, G = len(people.subjects), len(people.labels)
    at = np.nonzero(values)
    roles = [subject[at] * G + people.groups[opposite[at]] for subject, opposite in (ways, ways[::-1])]
    summed = [np.bincount(role, values[at], minlength=S * G) for role in roles]
    return np.stack(summed).reshape(2, S, G).astype(np.int64)  # integers below 2**53: exact as floats


def _add_moments(result: Tally, k: int, e: Array, n: Array, ways: tuple[Array, Array], people: People) -> None:
    G = len(people.labels)
    place = people.groups[ways[0]] * G + people.groups[ways[1]]
    e_back, n_back = e[:, ::-1], n[:, ::-1]
    for out, products in (
        (result.squares, (e * e, e * n, n * n)),
        (result.crosses, (e * e_back, e * n_back + e_back * n, n * n_back)),
    ):
        for i, product in enumerate(products):
            out[k, :, :, i] += np.bincount(place.ravel(), product.ravel(), minlength=G * G).reshape(G, G)

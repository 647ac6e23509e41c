"""What a clustered interval and a bootstrap over people cost: this testbed and `cimat`, on the same comparisons.

500 people × 4 images: 1,996,000 non-mated and 3,000 mated scores. Both start from the scores and end with FMR and FNMR
and their intervals, or of every replicate; one after the other in every round, in this process. cimat's 2,000
replicates are extrapolated from a few; each gives it the whole curve, for it has no bootstrap at one threshold.
Then ours alone, larger. Run with `make bench`.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from kernels.crosscount import Tally
from kernels.resample import (
    multiplicities,
    permuted,
    rates_by_subject,
    rates_of_pairs,
    studentised,
    vertex_comparisons,
    vertex_sums,
)
from kernels.threads import cores
from testbed.evidence.intervals import by_subject, rate_interval, within_group
from testbed.matching.people import people_of
from testbed.matching.tallying import Comparisons, tally_logged

PEOPLE, IMAGES, THRESHOLD = 500, 4, 2.5
ROUNDS = 3
REPLICATES, TRIED = 2000, 4
CURVE = np.linspace(-1.0, 3.5, 50)
TEMPLATES = np.full(PEOPLE, float(IMAGES))

INSTALL = "-m pip install --no-deps cimat==0.1.2 tqdm"


def scores() -> np.ndarray:
    """A symmetric matrix `(PEOPLE·IMAGES,)²`: subject effects on strangers, 2 standard deviations more on the mated."""
    rng = np.random.default_rng(7)
    look = np.repeat(rng.standard_normal(PEOPLE), IMAGES)
    noise = rng.standard_normal((PEOPLE * IMAGES, PEOPLE * IMAGES))
    person = np.arange(PEOPLE * IMAGES) // IMAGES
    return 0.45 * (look[:, None] + look[None]) + (noise + noise.T) / 2 + 2 * (person[:, None] == person[None])


def compared(matrix: np.ndarray) -> Comparisons:
    """Every comparison of two images once, as a log of them is read."""
    one, other = np.triu_indices(len(matrix), 1)
    left, right = one // IMAGES, other // IMAGES
    return Comparisons(left, right, left == right, matrix[one, other])


def tally(comparisons: Comparisons, thresholds: np.ndarray) -> Tally:
    """The shipped tally; points called a ladder keep no list of pairs."""
    people = people_of(pl.DataFrame({"subject": [f"{i:03}" for i in range(PEOPLE)]}), [], 1)
    points = [(f"looser:{k}", False, float(t), float(t)) for k, t in enumerate(thresholds)]
    return tally_logged([comparisons], people, points, "similarity")


def our_intervals(comparisons: Comparisons) -> list[float]:
    """Variances of FMR and FNMR, after making their intervals."""
    t = tally(comparisons, np.array([THRESHOLD]))
    moments = t.squares[0].sum(axis=(0, 1)) + t.crosses[0].sum(axis=(0, 1)) * [1, 0.5, 1]
    fmr = within_group(t.errors[0].sum(axis=(0, 2)), t.comparisons[0].sum(axis=(0, 2)), moments)
    fnmr = by_subject(t.mated_errors[0], t.mated_comparisons[0])
    rate_interval(fmr, [])
    rate_interval(fnmr, [])
    return [fmr.variance, fnmr.variance]


def resampled(comparisons: Comparisons, thresholds: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """FMR and FNMR `(R, K)` of every replicate, by the bootstrap of pairs; thresholds `(K,)` ascending."""
    K, own = len(thresholds), comparisons.mated
    step = K - np.searchsorted(
        thresholds, comparisons.scores, "right"
    )  # of K, the loosest last: where it first matches
    place = (step * PEOPLE + comparisons.probe_subjects) * PEOPLE + comparisons.reference_subjects
    key, n = np.unique(place[~own & (step < K)], return_counts=True)
    pairs = np.column_stack([key // PEOPLE**2, key // PEOPLE % PEOPLE, key % PEOPLE, n])
    made = vertex_comparisons(weights, (TEMPLATES, TEMPLATES / 2))[:, None]
    matched = np.bincount(step[own] * PEOPLE + comparisons.probe_subjects[own], minlength=(K + 1) * PEOPLE)
    misses = matched.reshape(K + 1, PEOPLE)[::-1].cumsum(axis=0)[:-1]
    trials = np.bincount(comparisons.probe_subjects[own], minlength=PEOPLE)
    fmr = vertex_sums(weights, pairs, K).cumsum(axis=1)[:, ::-1] / made
    return fmr, rates_by_subject(weights, misses, trials)


def our_bootstrap(thresholds: np.ndarray, comparisons: Comparisons) -> None:
    """FMR and FNMR of every replicate, by pairs of people."""
    resampled(comparisons, thresholds, multiplicities(PEOPLE, REPLICATES, 1))


def our_projection(comparisons: Comparisons) -> None:
    """FMR of every replicate along the curve, from people's sums as the shipped tally makes them."""
    t = tally(comparisons, CURVE)
    rates_of_pairs(
        multiplicities(PEOPLE, REPLICATES, 1), t.errors.sum(axis=(1, 3)), t.comparisons[0].sum(axis=(0, 2))
    )  # fmt: skip


def cimat_estimator(matrix: np.ndarray) -> Any:
    """cimat's own shape of the same scores, both directions of a pair in one list. None where it is not installed."""
    try:
        from cimat import UncertaintyEstimator
    except ImportError:
        return None
    blocks = matrix.reshape(PEOPLE, IMAGES, PEOPLE, IMAGES).transpose(0, 2, 1, 3)
    own = np.triu_indices(IMAGES, 1)
    by_pair: dict[int, dict[int, list[float]]] = {i: {} for i in range(PEOPLE)}
    for i in range(PEOPLE):
        by_pair[i][i] = blocks[i, i][own].tolist()
        for j in range(i):
            by_pair[i][j] = by_pair[j][i] = blocks[i, j].ravel().tolist()
    return UncertaintyEstimator(by_pair)


def cimats_intervals(estimator: Any) -> list[float]:
    """The same from cimat."""
    fnmr, fmr = estimator.compute_variance(THRESHOLD)
    estimator.get_binerror_ci(var_fnr=fnmr, var_fpr=fmr)
    return [float(fmr), float(fnmr)]


def cimats_bootstrap(estimator: Any) -> None:
    """Its ROC curve of TRIED replicates, without its progress bar."""
    for _ in range(TRIED):
        estimator._run_bootstrap_dbn()


def agree(comparisons: Comparisons, estimator: Any) -> bool:
    """Whether a replicate of cimat's, which takes each person once or not at all, has our FMR and FNMR."""
    np.random.seed(1)
    fmr, tpr, thresholds = estimator._run_bootstrap_dbn()
    np.random.seed(1)
    taken = np.array([[float(np.random.choice([0, 1])) for _ in range(PEOPLE)]])
    at = np.searchsorted(-thresholds, -CURVE, "right") - 1
    ours = resampled(comparisons, CURVE, taken)
    return np.allclose(ours[0][0], fmr[at], rtol=1e-12) and np.allclose(ours[1][0], 1 - tpr[at], atol=1e-12)


def seconds(work: Callable[[], Any]) -> float:
    """Wall seconds of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(cases: Mapping[str, Callable[[], Any]], peer: Callable[[], Any] | None, scale: float) -> None:
    """Print the median seconds of every case, and how many times as long the peer takes, in the same rounds."""
    rounds = []
    for _ in range(ROUNDS):
        theirs = scale * seconds(peer) if peer else float("nan")
        rounds.append([(seconds(case), theirs) for case in cases.values()])
    for name, taken in zip(cases, zip(*rounds, strict=True), strict=True):
        line = f"{name}: ours {statistics.median(own for own, _ in taken):.3f} s"
        if peer:
            peers, ratio = (statistics.median(x) for x in zip(*((t, t / own) for own, t in taken), strict=True))
            note = f" (extrapolated from {TRIED})" if scale > 1 else ""
            line += f", cimat {peers:.1f} s{note}, {ratio:,.0f} times as long"
        print(line)


def alone(people: int = 1000, points: int = 50, groups: int = 4, permutations: int = 10_000) -> None:
    """Print what the same costs among more people, from lists of pairs at FMR .05 to 1e-5."""
    rng = np.random.default_rng(3)
    look = rng.standard_normal(people)
    probes, references = np.triu_indices(people, 1)
    scores = 0.45 * (look[probes] + look[references]) + 0.77 * rng.standard_normal(len(probes))
    limits = np.quantile(scores, 1 - np.geomspace(1e-5, 0.05, points))
    point, at = np.nonzero(scores >= limits[:, None])
    pairs = np.column_stack([point, probes[at], references[at], np.ones(len(at), np.int64)])
    once = np.ones(people), np.full(people, 0.5)
    weights, labels = multiplicities(people, REPLICATES, 1), rng.integers(0, groups, people)
    last = pairs[point == points - 1]
    drawn = f"{REPLICATES:,} replicates × {people:,} people × {points} thresholds, {len(pairs):,} pairs listed"
    shuffled = f"{permutations:,} permutations × {people:,} people in {groups} groups, {len(last):,} pairs listed"
    for threads in sorted({1, cores()}):
        cases: dict[str, Callable[[], Any]] = {
            f"{drawn}, threads {threads}": partial(vertex_sums, weights, pairs, points, threads=threads),
            f"{shuffled}, threads {threads}": partial(
                permuted, studentised, labels, last, once, permutations, 1, threads=threads
            ),
        }
        compare(cases, None, 1.0)


def main() -> None:
    """Print the tables."""
    matrix = scores()
    comparisons, estimator = compared(matrix), cimat_estimator(matrix)
    ours = our_intervals(comparisons)
    print(f"{PEOPLE} people × {IMAGES} images, {len(comparisons.scores):,} comparisons; median of {ROUNDS} rounds")
    peers: dict[str, Callable[[], Any] | None] = {"intervals": None, "bootstrap": None}
    if estimator is None:
        print(f"cimat is not installed, so only our own figures follow; to compare: {sys.executable} {INSTALL}")
    elif not np.allclose(ours, cimats_intervals(estimator), rtol=1e-9) or not agree(comparisons, estimator):
        sys.exit("the variances or the replicates differ from cimat's: the times compare two different things")
    else:
        print("variances agree to 9 digits with cimat's, and a replicate of its people to 12")
        peers = {"intervals": partial(cimats_intervals, estimator), "bootstrap": partial(cimats_bootstrap, estimator)}
    our_bootstrap(CURVE, comparisons)  # compiled here
    compare({"variance and interval of FMR and FNMR": partial(our_intervals, comparisons)}, peers["intervals"], 1.0)
    cases = {
        f"bootstrap of pairs, {REPLICATES:,} replicates, one threshold": partial(
            our_bootstrap, np.array([THRESHOLD]), comparisons
        ),
        f"bootstrap of pairs, {len(CURVE)} thresholds": partial(our_bootstrap, CURVE, comparisons),
        f"its projection, {len(CURVE)} thresholds, with the shipped tally": partial(our_projection, comparisons),
    }
    compare(cases, peers["bootstrap"], REPLICATES / TRIED)
    alone()


if __name__ == "__main__":
    main()

"""How often the shipped intervals hold the truth: simulation with known rates (METRICS.md § Intervals).

`python -m testbed.evidence.coverage` writes docs/coverage.md. What is simulated is the code that makes the figures,
`testbed.evidence.intervals`, beside the methods it is meant to replace.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import sqrt
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import signal, stats

from testbed.evidence.difference_test import no_difference
from testbed.evidence.intervals import (
    LENDING_ERRORS,
    SHARES_LENDING,
    Clustered,
    across_groups,
    by_subject,
    clopper_pearson,
    disjoint_pairs,
    rate_interval,
    wilson,
    within_group,
)
from testbed.matching.thresholds import LOOSER_SHARES, STRICTER_SHARES

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

ALPHA = 0.05
RATES = (0.3, 0.1, 0.01, 0.001, 0.0001)
ZERO_SHARES = (0.03, 0.3)
"""The rate is also swept to where this share of all samples has no error."""

FEWEST_EXPECTED = 0.1
"""Rates that lead to fewer errors than this are left out: nearly every sample has none, and every bound holds."""

PILOT = 200
METHODS = (
    "shipped", "disjoint pairs", "naive Wilson", "naive Clopper–Pearson", "comparison bootstrap",
    "published clustered Wilson", "jackknife",
)  # fmt: skip
_STEP, _REACH = 0.02, 400.0


@dataclass(frozen=True)
class Population:
    """People whose comparisons score `u_i + u_j + noise`, the subject effects u drawn independently.

    Gaussian effects of variance `correlation`/2 and noise that fills the score's variance up to 1; `wolves`: effects
    N(0, ¼), raised by 2 for that share of people, noise of variance 1; `t3`: .6 times Student's t(3), likewise.
    """

    name: str
    kind: Literal["gaussian", "wolves", "t3"]
    parameter: float = 0.0

    @property
    def noise(self) -> float:
        """Standard deviation of what is left of a score beside the two subject effects."""
        return sqrt(1 - self.parameter) if self.kind == "gaussian" else 1.0

    def effects(self, rng: np.random.Generator, people: int) -> Floats:
        """Subject effects `(people,)`."""
        if self.kind == "gaussian":
            return rng.standard_normal(people) * sqrt(self.parameter / 2)
        if self.kind == "wolves":
            return rng.standard_normal(people) / 2 + 2.0 * (rng.random(people) < self.parameter)
        return 0.6 * rng.standard_t(3, people)

    def density(self, x: Floats) -> Floats:
        """Density of a subject effect."""
        if self.kind == "gaussian":
            return stats.norm.pdf(x, scale=sqrt(self.parameter / 2))
        if self.kind == "wolves":
            f = self.parameter
            return (1 - f) * stats.norm.pdf(x, 0, 0.5) + f * stats.norm.pdf(x, 2, 0.5)
        return stats.t.pdf(x / 0.6, 3) / 0.6


GAUSSIAN = tuple(Population(f"Gaussian, ρ = {rho:g}", "gaussian", rho) for rho in (0.1, 0.4, 0.7))
POPULATIONS = (
    *GAUSSIAN,
    *(Population(f"{share:.0%} wolves", "wolves", share) for share in (0.01, 0.05)),
    Population("heavy tails (t3)", "t3"),
)


@cache
def exceedance(population: Population, effects: int) -> tuple[Floats, Floats]:
    """Scores, ascending, and the probability that one with so many subject effects is at least as high.

    By convolution of the densities on a grid: exact to the grid, with no simulation error in the truth.
    """
    x = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    density = stats.norm.pdf(x, scale=population.noise)
    for _ in range(effects):
        density = signal.fftconvolve(density, population.density(x), "same") * _STEP
    tail = np.cumsum(density[::-1])[::-1] * _STEP - density * _STEP / 2
    near = slice(len(x) // 2 - round(30 / _STEP), len(x) // 2 + round(60 / _STEP))
    return x[near], tail[near]


def threshold_at(population: Population, effects: int, rate: float) -> float:
    """The threshold at which a comparison errs with probability `rate`."""
    x, tail = exceedance(population, effects)
    return float(np.interp(-rate, -tail, x))


def rate_at(population: Population, effects: int, threshold: float) -> float:
    """The probability that a comparison errs at `threshold`."""
    return float(np.interp(threshold, *exceedance(population, effects)))


@dataclass(frozen=True, eq=False)  # arrays do not compare; one design is one object
class Design:
    """Who is compared with whom. left, right, pair `(M,)` index each comparison's people and its pair of people.

    kind: `within` (one set of people on both sides), `across` (left and right share nobody) or `mated` (one person
    on both sides). Comparisons of one pair share half of the noise: they show the same two faces.
    """

    name: str
    kind: Literal["within", "across", "mated"]
    left: Counts
    right: Counts
    pair: Counts

    @property
    def effects(self) -> int:
        """How many people's effects are in a score."""
        return 1 if self.kind == "mated" else 2

    @property
    def people(self) -> int:
        """Distinct people."""
        return int(max(self.left.max(), self.right.max())) + 1

    @property
    def repeated(self) -> bool:
        """Whether a pair of people is compared more than once."""
        return len(self.pair) > int(self.pair.max()) + 1

    def scores(self, rng: np.random.Generator, population: Population) -> Floats:
        """One sample of scores `(M,)`."""
        u = population.effects(rng, self.people)
        noise = rng.standard_normal(len(self.pair))
        if self.repeated:
            noise = sqrt(0.5) * (noise + rng.standard_normal(int(self.pair.max()) + 1)[self.pair])
        together = u[self.left] if self.kind == "mated" else u[self.left] + u[self.right]
        return together + population.noise * noise


def within(people: int) -> Design:
    """Every pair of people once."""
    left, right = np.triu_indices(people, 1)
    return Design(f"{people} people", "within", left, right, np.arange(len(left)))


def within_captures(people: int, most: int = 5) -> Design:
    """Every transit with everybody else's reference; people have 1, 2, … `most` transits in turn."""
    left, right = np.triu_indices(people, 1)
    transits = 1 + np.arange(people) % most
    each = transits[left] + transits[right]
    repeated = np.repeat(np.arange(len(left)), each)
    return Design(f"{people} people, 1–{most} captures", "within", left[repeated], right[repeated], repeated)


def across(probes: int, references: int) -> Design:
    """Every probe person with every reference person once."""
    left, right = np.divmod(np.arange(probes * references), references)
    return Design(f"{probes} × {references} people", "across", left, right + probes, np.arange(probes * references))


def mated(people: int, most: int = 5) -> Design:
    """Each person's 1, 2, … `most` transits with the own reference."""
    who = np.repeat(np.arange(people), 1 + np.arange(people) % most)
    return Design(f"FNMR, {people} people, 1–{most} captures", "mated", who, who, who)


DESIGNS = (
    *(within(people) for people in (8, 14, 20, 50, 120, 250, 500)),
    within_captures(20), within_captures(50), across(8, 200), mated(20), mated(100),
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """Coverage, mean width, and how often the truth lay below, by method in the order of METHODS: `(7,)` each."""

    population: Population
    design: Design
    rate: float
    zero: float
    replicates: int
    covered: Floats
    width: Floats
    below: Floats


def simulate(
    population: Population, design: Design, replicates: int, seed: int, rates: tuple[float, ...] = RATES
) -> list[Cell]:
    """Cells of one population and design, over `rates` and those at which ZERO_SHARES of samples have no error."""
    rng = np.random.default_rng(seed)
    highest = [design.scores(rng, population).max() for _ in range(PILOT)]
    swept = {rate_at(population, design.effects, float(np.quantile(highest, q))) for q in ZERO_SHARES}
    truths = sorted(swept | {p for p in rates if p * len(design.pair) >= FEWEST_EXPECTED}, reverse=True)
    limits = np.array([threshold_at(population, design.effects, p) for p in truths])
    bounds = np.empty((replicates, len(truths), len(METHODS), 2))
    zero = np.zeros(len(truths))
    for r in range(replicates):
        rates_seen, lenders, jackknives = observe(design, design.scores(rng, population), limits)
        for k, rate in enumerate(rates_seen):
            bounds[r, k] = intervals_of(rate, lenders, jackknives[k])
            zero[k] += rate.errors == 0
    low, high = bounds[..., 0], bounds[..., 1]
    at = np.array(truths)[:, None]
    covered, below = ((low <= at) & (at <= high)).mean(axis=0), (at < low).mean(axis=0)
    width = (high - low).mean(axis=0)
    return [
        Cell(population, design, p, zero[k] / replicates, replicates, covered[k], width[k], below[k])
        for k, p in enumerate(truths)
    ]


def observe(design: Design, scores: Floats, limits: Floats) -> tuple[list[Clustered], list[Clustered], Floats]:
    """Clustered rates at `limits`, the lenders at the ladder of the match stage, and jackknife variances `(limits,)`.

    Only rungs that may lend are looked at; the others cannot change `rate_interval`.
    """
    M = len(scores)
    ladder = STRICTER_SHARES if design.kind == "mated" else LOOSER_SHARES
    ranks = {round(f * M) for f in ladder if min(SHARES_LENDING) / 1.5 <= f <= max(SHARES_LENDING) * 1.5}
    ranks = {rank for rank in ranks if rank >= LENDING_ERRORS}
    rungs = np.partition(scores, [M - rank for rank in ranks])[[M - rank for rank in ranks]] if ranks else np.zeros(0)
    thresholds = np.r_[limits, rungs]
    order = np.argsort(thresholds)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    reached = np.searchsorted(thresholds[order], scores, side="right")  # a tie is an error

    def errors(index: Counts, size: int) -> Counts:
        T = len(thresholds)
        table = np.bincount(index * (T + 1) + reached, minlength=size * (T + 1)).reshape(size, T + 1)
        return np.cumsum(table[:, :0:-1], axis=1)[:, ::-1][:, place].astype(np.int64)

    G, pairs = design.people, int(design.pair.max()) + 1
    sides = [(errors(side, G), np.bincount(side, minlength=G)) for side in (design.left, design.right)]
    total = sides[0][0].sum(axis=0)
    n = np.bincount(design.pair)
    if design.repeated and design.kind == "within":
        e = errors(design.pair, pairs)
        moments = np.column_stack([(e * e).sum(axis=0), n @ e, np.full(len(total), n @ n)])
    else:
        moments = np.column_stack([total, total, np.full(len(total), M)])
    rates = []
    for k in range(len(thresholds)):
        if design.kind == "mated":
            rates.append(by_subject(sides[0][0][:, k], sides[0][1]))
        elif design.kind == "across":
            rates.append(across_groups((sides[0][0][:, k], sides[0][1]), (sides[1][0][:, k], sides[1][1]), moments[k]))
        else:
            rates.append(within_group(sides[0][0][:, k] + sides[1][0][:, k], sides[0][1] + sides[1][1], moments[k]))
    P = len(limits)
    jackknives = _jackknife(design, [(e[:, :P], n) for e, n in sides], total[:P])
    return rates[:P], rates[P:], jackknives


def _jackknife(design: Design, sides: list[tuple[Counts, Counts]], total: Counts) -> Floats:
    """Leave-one-person-out variance of the rates; across groups the sum over both sides."""
    M = len(design.pair)
    if design.kind == "within":
        sides = [(sides[0][0] + sides[1][0], sides[0][1] + sides[1][1])]
    variance = np.zeros(len(total))
    for errors, n in sides[: 1 if design.kind == "mated" else 2]:
        there = n > 0
        G = int(there.sum())
        left_out = (total - errors[there]) / (M - n[there])[:, None]
        variance += (G - 1) / G * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)
    return variance


def intervals_of(rate: Clustered, lenders: list[Clustered], jackknife: float) -> list[tuple[float, float]]:
    """One sample's intervals, in the order of METHODS.

    The published recipe (Fogliato et al. 2024) is followed as its authors' code does: with no error the comparisons
    count as independent. The bootstrap of comparisons needs no resampling: it is the binomial quantile.
    """
    x, M, p = rate.errors, rate.comparisons, rate.rate
    shipped = rate_interval(rate, lenders, ALPHA)
    z = _normal()

    def clustered(variance: float, quantile: float) -> tuple[float, float]:
        return wilson(p, min(p * (1 - p) / variance, M) if variance > 0 and 0 < x < M else M, quantile)

    return [
        (shipped.low, shipped.high), _disjoint(x, M, rate.disjoint), wilson(p, M, z), _clopper_pearson(x, M),
        _resampled(x, M), clustered(rate.variance, z), clustered(jackknife, _student(rate.subjects - 1)),
    ]  # fmt: skip


@cache
def _normal() -> float:
    return float(stats.norm.ppf(1 - ALPHA / 2))


@cache
def _student(freedom: int) -> float:
    return float(stats.t.ppf(1 - ALPHA / 2, freedom))


@cache
def _clopper_pearson(errors: int, trials: int) -> tuple[float, float]:
    return clopper_pearson(errors, trials, ALPHA)


@cache
def _disjoint(errors: int, comparisons: int, disjoint: int) -> tuple[float, float]:
    return disjoint_pairs(Clustered(errors, comparisons, 0.0, 1.0, 0, disjoint), ALPHA)


@cache
def _resampled(errors: int, trials: int) -> tuple[float, float]:
    low, high = (float(stats.binom.ppf(q, trials, errors / trials)) for q in (ALPHA / 2, 1 - ALPHA / 2))
    return low / trials, high / trials


@dataclass(frozen=True)
class Rejections:
    """How often the no-difference test says "different" at 5 % when group g has the rate `rates[g]`."""

    population: Population
    sizes: tuple[int, ...]
    rates: tuple[float, ...]
    replicates: int
    rejected: float


def rejections(
    population: Population, sizes: tuple[int, ...], rates: tuple[float, ...], replicates: int, seed: int
) -> Rejections:
    """The test's size (equal `rates`) or power (unequal), for groups of `sizes` people, one comparison per pair."""
    rng = np.random.default_rng(seed)
    designs = [within(people) for people in sizes]
    limits = [np.array([threshold_at(population, 2, rate)]) for rate in rates]
    rejected = 0
    for r in range(replicates):
        seen = [observe(d, d.scores(rng, population), at) for d, at in zip(designs, limits, strict=True)]
        test = no_difference([(found[0], lenders) for found, lenders, _ in seen], seed=r, replicates=500)
        rejected += test is not None and test.p <= ALPHA
    return Rejections(population, sizes, rates, replicates, rejected / replicates)


TESTED_RATES = (0.1, 0.03, 0.01)
TESTED_SIZES = ((20, 20), (50, 50), (20, 100), (30, 30, 30, 30))
TIMES = 4.0
"""The power is that against one group, the last, with so many times the others' rate."""


ASKED = 5000
WANTED = 0.935
"""METRICS: the least coverage in every Gaussian regime."""

MORE = 5


def second_look(cells: list[Cell], seed: int) -> list[Cell]:
    """Gaussian cells that came out below WANTED, simulated afresh with MORE times the replicates.

    Among hundreds of cells some come out low by chance, and some that are low come out well: only a fresh and larger
    sample tells the former from the latter.
    """
    low = [cell for cell in cells if cell.population.kind == "gaussian" and cell.covered[0] < WANTED]
    result = []
    for n, (population, design) in enumerate(dict.fromkeys((cell.population, cell.design) for cell in low)):
        mine = [cell for cell in low if cell.population == population and cell.design is design]
        drawn = simulate(population, design, MORE * mine[0].replicates, seed + n, tuple(cell.rate for cell in mine))
        result += [cell for cell in drawn if cell.rate in {each.rate for each in mine}]
    return result


def document(cells: list[Cell], again: list[Cell], tests: list[tuple[Rejections, Rejections]], seed: int) -> str:
    """docs/coverage.md. again: `second_look`; tests: size and power of the no-difference test, same conditions."""
    replicates = cells[0].replicates
    return "\n".join([
        "# Do the intervals hold the truth?", "",
        "Written by `make coverage` (`python -m testbed.evidence.coverage`), which simulates people whose true rates "
        "are known and runs the shipped code of `testbed/evidence/intervals.py` on them (METRICS § Intervals). "
        "Nominal: 95 %.", "",
        f"Replicates: {replicates:,} per cell, seed {seed}; a coverage near 95 % has a standard error of "
        f"{100 * sqrt(0.95 * 0.05 / replicates):.1f} points."
        + ("" if replicates >= ASKED else f" METRICS asks for {ASKED:,}: `make coverage` draws so many."), "",
        "* **Comparisons** score `u_i + u_j + noise`. Gaussian: ρ is the two people's share of the score's variance. "
        "Wolves: effects N(0, ¼), raised by 2 for that share of people. Heavy tails: .6 times Student's t(3).",
        "* **Rates**: 0.3 to 0.0001 where at least 0.1 errors are expected, and the two rates at which about 3 % and "
        "30 % of samples have no error (column *none* says how many had none).",
        "* **Captures**: people have 1, 2, … 5 transits in turn; comparisons of two people share half of the noise. "
        "**FNMR**: one person's effect and noise.",
        "* **Beside it**: the assumption-free interval from disjoint pairs; Wilson and Clopper–Pearson on comparisons "
        "as if independent; the percentile bootstrap of comparisons; the clustered Wilson interval with 1.96 as "
        "published (Fogliato et al. 2024; with no error it counts every comparison, as its authors' code does); and "
        "Wilson with the leave-one-person-out jackknife and t(G − 1).", "",
        "## Coverage by population, per cent: lowest cell, mean over cells", "",
        *_table(["population", *METHODS], _by_population(cells)), "",
        *_remarks(cells, again), "",
        f"## Is there a difference? Size and power of the test ({tests[0][0].replicates:,} replicates)", "",
        f"Rejections at 5 %, per cent: all groups at the rate (size), and the last group at {TIMES:g} times it (power)."
        " A rejection among equal groups is a false one. "
        f"Largest size: {_largest(tests, gaussian=True):.1f} in Gaussian populations, "
        f"{_largest(tests, gaussian=False):.1f} in the others.", "",
        *_tests(tests), "",
        "## Every cell: coverage in per cent and mean width", "",
        "*above*: samples whose shipped interval lies wholly above the truth, per cent (a false \"refuted\").", "",
        *_table(["population", "people", "rate", "none", "above", *METHODS], [
            [c.population.name, c.design.name, f"{c.rate:.2g}", f"{100 * c.zero:.0f}", f"{100 * c.below[0]:.1f}",
             *(f"{100 * a:.1f} ({w:.2g})" for a, w in zip(c.covered, c.width, strict=True))] for c in cells]), "",
    ])  # fmt: skip


def short_of(cells: list[Cell], wanted: float = WANTED, errors: float = 3.0) -> list[Cell]:
    """Cells whose shipped interval covers less than `wanted`, beyond so many standard errors of the simulation."""
    return [c for c in cells if c.covered[0] < wanted - errors * sqrt(wanted * (1 - wanted) / c.replicates)]


def _by_population(cells: list[Cell]) -> list[list[str]]:
    rows = []
    for population in dict.fromkeys(cell.population for cell in cells):
        covered = 100 * np.array([cell.covered for cell in cells if cell.population == population])
        both = zip(covered.min(axis=0), covered.mean(axis=0), strict=True)
        rows.append([population.name, *(f"{worst:.1f}, {mean:.1f}" for worst, mean in both)])
    return rows


def _remarks(cells: list[Cell], again: list[Cell]) -> list[str]:
    gaussian = [cell for cell in cells if cell.population.kind == "gaussian"]
    lines = []
    for what, mine in (("Gaussian", gaussian), ("other", [cell for cell in cells if cell not in gaussian])):
        short = short_of(mine)
        lines.append(
            f"* {what} populations: {len(mine)} cells, {len(short)} of them below 93.5 % beyond simulation error "
            "(three standard errors)" + (":" if short else ".")
        )
        lines += [
            f"  * {c.population.name}, {c.design.name}, rate {c.rate:.2g}: {100 * c.covered[0]:.1f} %, "
            f"wholly above the truth {100 * c.below[0]:.1f} %; disjoint pairs {100 * c.covered[1]:.1f} %"
            for c in short
        ]
    if again:
        lines.append(
            "* The Gaussian cells that came out below 93.5 % at all, simulated afresh with more replicates "
            "(coverage ± standard error):"
        )
        lines += [
            f"  * {c.population.name}, {c.design.name}, rate {c.rate:.2g}: {100 * c.covered[0]:.1f} "
            f"± {100 * sqrt(c.covered[0] * (1 - c.covered[0]) / c.replicates):.1f} % ({c.replicates:,} replicates)"
            for c in again
        ]
    return lines


def _largest(tests: list[tuple[Rejections, Rejections]], *, gaussian: bool) -> float:
    sizes = [size.rejected for size, _ in tests if (size.population.kind == "gaussian") == gaussian]
    return 100 * max(sizes, default=float("nan"))


def _tests(tests: list[tuple[Rejections, Rejections]]) -> list[str]:
    found = {(size.population, size.sizes, size.rates[0]): (size, power) for size, power in tests}
    rates = list(dict.fromkeys(rate for *_, rate in found))
    header = [
        "population",
        "people in the groups",
        *(f"{kind} at {rate:g}" for rate in rates for kind in ("size", "power")),
    ]
    return _table(header, [
        [population.name, ", ".join(map(str, sizes)),
         *(f"{100 * each.rejected:.1f}" for rate in rates for each in found[population, sizes, rate])]
        for population, sizes in dict.fromkeys((population, sizes) for population, sizes, _ in found)])  # fmt: skip


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows)]


def run(replicates: int, seed: int, say: Callable[[str], object], workers: int | None = None) -> str:
    """Simulate everything and return the document: the same whatever the number of worker processes."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        simulated = [
            (
                f"{population.name}, {DESIGNS[design].name}",
                pool.submit(_simulated, population, design, replicates, seed + n),
            )
            for n, (population, design) in enumerate(product(POPULATIONS, range(len(DESIGNS))))
        ]
        tested = []
        for n, (population, sizes, rate) in enumerate(product(POPULATIONS, TESTED_SIZES, TESTED_RATES)):
            equal, apart = (rate,) * len(sizes), (*(rate,) * (len(sizes) - 1), TIMES * rate)
            size, power = (pool.submit(rejections, population, sizes, rates, replicates, seed + n)
                           for rates in (equal, apart))  # fmt: skip
            tested.append((f"difference test: {population.name}, groups of {sizes}, rate {rate:g}", size, power))
        cells: list[Cell] = []
        for what, job in simulated:
            cells += job.result()
            say(what)
        tests = []
        for what, size, power in tested:
            tests.append((size.result(), power.result()))
            say(what)
    say("a second look at the lowest Gaussian cells")
    return document(cells, second_look(cells, seed + len(cells)), tests, seed)


def _simulated(population: Population, design: int, replicates: int, seed: int) -> list[Cell]:
    return simulate(population, DESIGNS[design], replicates, seed)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Simulate the coverage of the intervals; writes a Markdown document.")
    parser.add_argument("--replicates", type=int, default=ASKED, help="samples per cell")
    parser.add_argument("--workers", type=int, help="processes (default: one per core)")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--out", type=Path, default=Path("docs/coverage.md"))
    chosen = parser.parse_args()
    text = run(chosen.replicates, chosen.seed, lambda line: print(line, file=sys.stderr, flush=True), chosen.workers)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

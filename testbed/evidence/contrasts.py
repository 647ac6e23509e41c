"""What changing one cause does to the same made-up people, all else the same (METRICS.md § Contrasts).

Every person passes once in every arm, so an effect is a mean of differences within people, and people are what is
independent. Comparisons with strangers are clustered by both people. Nothing here speaks of real people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf, isfinite, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import optimize, special, stats

from kernels.scores import Faces, scores_of
from pipelines.errors import InputError
from testbed.evidence.difference_test import holm
from testbed.evidence.intervals import FEW, FEWEST_SUBJECTS, Clustered, by_subject, within_group
from testbed.matching import black_box
from testbed.matching.comparisons import in_use
from testbed.matching.people import People
from testbed.matching.searching import probes_of
from testbed.matching.thresholds import Point
from testbed.matching.units import captures_of, references_of
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ATTEMPTS, FACES, FRAMES, THRESHOLDS
from testbed.scenario.cells import Cell
from testbed.scenario.searching import Search

Floats = npt.NDArray[np.float64]
Bounds = Callable[[float], tuple[float, float]]
"""Lower and upper limit of an effect at confidence 1 − alpha; NaN where there is none."""

ALPHA = 0.05
MOST_ENUMERATED = 20
"""People whose differences are flipped in every possible way; of more, a sample of the ways is drawn."""
DRAWS, DRAWS_A_TEST = 10_000, 400
"""Ways drawn; more where many tests share α, or their least p would be too large for Holm's correction."""
SEED = 0xF11D
TRUTH = ("luminance", "inter_eye_px", "visible")


@dataclass(frozen=True)
class Passes:
    """What a system made of one arm, by person (S people; NaN: no such pass, no template, not enrolled).

    found `(S,)`: share of a person's frames in which the face was found; acquired `(S,)`: 1 with a template, else 0;
    enrolled `(S,)`: the photograph has a template.
    scores `(S, S)`: person i's pass (the best of its captures, or as a watch-list fuses them) against the best
    reference photograph of person j.
    truth: people's mean skin luminance, pixels between the eyes, and share of the face that nothing hides.
    """

    found: Floats
    acquired: Floats
    enrolled: npt.NDArray[np.bool_]
    scores: Floats
    truth: dict[str, float | None]


@dataclass(frozen=True)
class Effect:
    """One measure in two arms, `after` minus `before`, over the people (or comparisons) that both have."""

    metric: str
    point: str | None
    threshold: float | None
    unit: str
    worse: str
    before: float | None
    after: float | None
    value: float | None
    bounds: Bounds
    p: float
    people: int
    left_out: int
    comparisons: int
    method: str
    spread: float | None = None
    """Standard deviation of the baseline's scores."""


# -- intervals and tests ------------------------------------------------------------------------------------------
def tango(b: float, c: float, n: float, quantile: float) -> tuple[float, float]:
    """Score interval of (b − c)/n, the difference of two shares of the same n people (Tango 1998).

    b, c: how many have the event only after, only before; fractional where n is effective. It does not collapse where
    both are 0: the limits are then ±z²/(n + z²).
    """
    difference = (b - c) / n

    def statistic(delta: float) -> float:
        # The share of `only before` that is likeliest if the true difference is delta.
        B = (2 * n - b + c) * delta - b - c
        p = (sqrt(max(0.0, B * B + 8 * n * c * delta * (1 - delta))) - B) / (4 * n)
        variance = n * (2 * p + delta * (1 - delta))
        return n * (difference - delta) / sqrt(max(variance, 1e-300))

    edge = 1 - 1e-12
    low = -1.0 if difference <= -edge else optimize.brentq(lambda d: statistic(d) - quantile, -edge, difference)
    high = 1.0 if difference >= edge else optimize.brentq(lambda d: statistic(d) + quantile, difference, edge)
    return float(low), float(high)


def mean_interval(differences: Floats, alpha: float = ALPHA) -> tuple[float, float]:
    """Student's t over people `(n,)`; NaN for fewer than two."""
    n = len(differences)
    if n < 2:
        return float("nan"), float("nan")
    half = float(special.stdtrit(n - 1, 1 - alpha / 2) * differences.std(ddof=1) / sqrt(n))
    return float(differences.mean()) - half, float(differences.mean()) + half


def few_differ(differences: Floats) -> bool:
    """Whether a handful of people, or nobody, stands out: Student's t would be too sure, or collapse."""
    return bool(
        not len(differences)
        or np.ptp(differences) == 0
        or by_subject(differences, np.ones(len(differences))).freedom < FEW
    )


def share_interval(differences: Floats, alpha: float = ALPHA) -> tuple[float, float]:
    """The mean of differences in [−1, 1] of people `(n,)`: Student's t, or where few differ Tango's interval.

    For the latter a difference of 0.2 counts as a fifth of an event: no variable in [0, 1] varies more than an event.
    """
    if not len(differences):
        return -1.0, 1.0
    if few_differ(differences):
        up, down = float(differences.clip(min=0).sum()), float(-differences.clip(max=0).sum())
        return tango(up, down, len(differences), _quantile(inf, alpha))
    low, high = mean_interval(differences, alpha)
    return max(-1.0, low), min(1.0, high)


@dataclass(frozen=True)
class Strangers:
    """Differences of comparisons of two people each, clustered by both.

    up, down: shares of the comparisons that differ upwards and downwards; rate has variance and degrees of freedom.
    """

    mean: float
    up: float
    down: float
    rate: Clustered

    @classmethod
    def of(cls, differences: Floats) -> Strangers:
        """From `(S, S)`, of person i before the camera and person j's photograph; NaN where not compared."""
        made = np.isfinite(differences)
        total = max(1, int(made.sum()))
        mean = float(differences[made].sum()) / total
        residuals = np.where(made, differences - mean, 0.0)
        both = residuals + residuals.T  # the two directions of a pair together
        # Residuals in place of errors: their rate is 0, and the rest is as for FMR.
        squares = np.array([float((both**2).sum()) / 2, 0.0, 0.0])
        rate = within_group(both.sum(axis=1), made.sum(axis=0) + made.sum(axis=1), squares)
        up, down = (float((sign * differences[made] > 0).sum()) / total for sign in (1, -1))
        return cls(mean, up, down, rate)

    def score_bounds(self, alpha: float = ALPHA) -> tuple[float, float]:
        """Of a mean difference: Student's t with the clustered variance; NaN without comparisons."""
        if not self.rate.comparisons:
            return float("nan"), float("nan")
        half = _quantile(self.rate.freedom, alpha) * sqrt(self.rate.variance)
        return self.mean - half, self.mean + half

    def score_p(self) -> float:
        """How often no effect would look as large."""
        if not self.rate.variance:
            return 1.0 if self.mean == 0 else 0.0
        return float(2 * special.stdtr(self.rate.freedom, -abs(self.mean) / sqrt(self.rate.variance)))

    def worth(self) -> tuple[float, float]:
        """n* and degrees of freedom of a difference of two rates.

        n* is what the clustered variance makes of the comparisons. Where nobody, or a handful of people, makes the
        difference, it is no more than the comparisons that share nobody, with infinite degrees of freedom.
        """
        M, spread = self.rate.comparisons, self.up + self.down - self.mean**2
        own = min(spread / self.rate.variance, M) if self.rate.variance > 0 else float(M)
        few = spread <= 1e-12 or self.rate.freedom < FEW
        return (max(1.0, min(own, self.rate.disjoint)), inf) if few else (own, self.rate.freedom)

    def rate_bounds(self, alpha: float = ALPHA) -> tuple[float, float]:
        """Of a difference of two rates: Tango's interval on n* comparisons, with Student's t for the normal."""
        n, freedom = self.worth()
        return tango(self.up * n, self.down * n, n, _quantile(freedom, alpha)) if self.rate.comparisons else (-1.0, 1.0)

    def rate_p(self) -> float:
        """McNemar's test of n* comparisons: the one that belongs to `rate_bounds`; exact where few differ."""
        n, freedom = self.worth()
        up, down = self.up * n, self.down * n
        if up == down:
            return 1.0
        if isfinite(freedom):
            return float(2 * special.stdtr(freedom, -abs(up - down) / sqrt(up + down)))
        return min(1.0, 2 * float(special.betainc(max(up, down), min(up, down) + 1, 0.5)))


def sign_flip(differences: Floats, draws: int = DRAWS) -> float:
    """How often differences of people `(n,)` whose signs are due to chance have a sum as far from 0 (two-sided).

    Every assignment of signs where at most 20 differ from 0, else `draws` of them, seeded. If the cause does nothing,
    a person's two passes might as well be swapped: the test is then exact, whatever the differences look like.
    """
    values = differences[differences != 0]
    if not len(values):
        return 1.0
    least = abs(float(values.sum())) - 1e-9 * float(np.abs(values).sum())
    if len(values) <= MOST_ENUMERATED:
        sums = values[:1]  # by symmetry the first keeps its sign
        for value in values[1:]:
            sums = np.concatenate([sums + value, sums - value])
        return float((np.abs(sums) >= least).mean())
    rng, as_far, block = np.random.default_rng(SEED), 0, 1000
    for start in range(0, draws, block):
        signs = 2.0 * rng.integers(0, 2, (min(block, draws - start), len(values))) - 1
        as_far += int((np.abs(signs @ values) >= least).sum())
    return (1 + as_far) / (1 + draws)


def _quantile(freedom: float, alpha: float) -> float:
    return float(special.stdtrit(freedom, 1 - alpha / 2) if isfinite(freedom) else special.ndtri(1 - alpha / 2))


TOO_FEW = "the baseline has too few comparisons to find this threshold"


# -- effects ------------------------------------------------------------------------------------------------------
def effects(
    before: Passes, after: Passes, points: Sequence[Point], folds: npt.NDArray[np.int64], direction: str,
    draws: int = DRAWS,
) -> Iterator[Effect]:  # fmt: skip
    """Every measure of two arms, at thresholds that are the same for both; folds `(S,)`.

    FNMR is of people with a template in both arms, FRR of all who are enrolled: without a template they are missed.
    """
    passed = np.isfinite(before.acquired) & np.isfinite(after.acquired)
    either = np.isfinite(before.acquired) | np.isfinite(after.acquired)
    alike = 1 if direction == "similarity" else -1
    less, more = ("lower", "higher") if alike > 0 else ("higher", "lower")
    same = np.eye(len(folds), dtype=bool)

    def made(metric: str, point: Point | None, unit: str, worse: str, one: Floats, two: Floats, people: int,
             bounds: Bounds, p: float, method: str) -> Effect:  # fmt: skip
        name, threshold = (point[0], _known(float(np.mean(point[2:])))) if point else (None, None)
        value = float((two - one).mean()) if one.size else None
        spread = float(one.std(ddof=1)) if unit == "score" and one.size > 1 else None
        return Effect(metric, name, threshold, unit, worse, float(one.mean()) if one.size else None,
                      float(two.mean()) if two.size else None, value, bounds, float(p), people,
                      int(either.sum()) - people, one.size, method, spread)  # fmt: skip

    def of_people(metric: str, one: Floats, two: Floats, worse: str, point: Point | None = None) -> Effect:
        there = passed & np.isfinite(one) & np.isfinite(two)
        one, two = one[there], two[there]
        d, n = two - one, len(one)
        up, down = int((d > 0).sum()), int((d < 0).sum())
        if metric == "mated score":
            how = "Student's t over people, sign-flip test" if d.any() else "nobody's score changed at all"
            return made(metric, point, "score", worse, one, two, n, lambda a: mean_interval(d, a),
                        sign_flip(d, draws), how)  # fmt: skip
        if metric == "detection":
            how = f"{'Tango, few differ' if few_differ(d) else 'Student’s t over people'}; sign-flip test"
            return made(metric, point, "share", worse, one, two, n, lambda a: share_interval(d, a),
                        sign_flip(d, draws), how)  # fmt: skip
        p = stats.binomtest(up, up + down).pvalue if up + down else 1.0
        return made(metric, point, "share", worse, one, two, n, lambda a: _events(up, down, n, a), p,
                    f"Tango, exact McNemar test: {up} only after, {down} only before")  # fmt: skip

    def of_strangers(metric: str, one: Floats, two: Floats, worse: str, point: Point | None = None) -> Effect:
        there = passed[:, None] & np.isfinite(one) & np.isfinite(two)
        found = Strangers.of(np.where(there, two - one, np.nan))
        unit, bounds, p = ("share", found.rate_bounds, found.rate_p) if point else (
            "score", found.score_bounds, found.score_p)  # fmt: skip
        few = point is not None and found.worth()[1] == inf
        how = "few differ: Tango on disjoint pairs" if few else f"t({found.rate.freedom:.3g})"
        return made(metric, point, unit, worse, one[there], two[there], int(there.any(axis=1).sum()), bounds, p(),
                    f"clustered by both people, {how}")  # fmt: skip

    nothing = np.zeros(0)
    yield of_people("detection", before.found, after.found, "lower")
    yield of_people("FTA", 1 - before.acquired, 1 - after.acquired, "higher")
    arms = before, after
    yield of_people("mated score", before.scores[same], after.scores[same], less)
    strangers = [np.where(same, np.nan, arm.scores) for arm in arms]
    yield of_strangers("non-mated score", strangers[0], strangers[1], more)
    enrolled = before.enrolled & after.enrolled
    for point in points:
        limits = np.array(point[2:])
        if not np.isfinite(limits).all():
            for metric in ("FNMR", "FRR", "FMR"):
                yield made(metric, point, "share", "higher", nothing, nothing, 0, lambda _: (-1.0, 1.0), 1.0, TOO_FEW)
            continue
        at = alike * limits[folds][:, None]
        compared = [np.where(np.isfinite(arm.scores), alike * arm.scores >= at, np.nan) for arm in arms]
        missed = [1 - matches[same] for matches in compared]
        yield of_people("FNMR", missed[0], missed[1], "higher", point)
        missed = [np.where(enrolled, np.nan_to_num(each, nan=1.0), np.nan) for each in missed]
        yield of_people("FRR", missed[0], missed[1], "higher", point)
        left_out = same | (folds[:, None] != folds) if point[1] else same
        false = [np.where(left_out, np.nan, matches) for matches in compared]
        yield of_strangers("FMR", false[0], false[1], "higher", point)


def _events(up: int, down: int, n: int, alpha: float) -> tuple[float, float]:
    return tango(up, down, n, _quantile(inf, alpha)) if n else (-1.0, 1.0)


# -- a run --------------------------------------------------------------------------------------------------------
def contrasts_of(
    run: RunDirectory, people: People, cells: Sequence[Cell], search: Search | None = None
) -> list[dict[str, Any]]:
    """A row, JSON-able, for each system, condition, pair of arms and measure; none where nothing is contrasted.

    None either of a system that only answers searches: it shows neither faces nor scores. search: the scenario's.
    Thresholds are the baseline arm's, for both arms. `holm_p` is corrected over the `tests` of one system and
    condition, all pairs and measures, placebos too; `together_low`, `together_high` hold for all of these at once.
    Raises InputError where a person passes twice in one arm.
    """
    manifest = run.manifest()
    pairs = manifest.get("contrasts") or []
    if not pairs:
        return []
    attempts, thresholds, faces = run.read(ATTEMPTS), run.read(THRESHOLDS), run.read(FACES)
    rows: list[dict[str, Any]] = []
    for (system, picture), found in _by_system(cells).items():
        info = manifest["systems"][system]
        if info.get("answers") == "searches":
            continue
        judged: list[tuple[dict[str, Any], Effect]] = []
        for baseline, compared in groupby(pairs, lambda pair: pair["baseline_arm"]):
            cell = found[baseline]
            before = _passes(run, cell, people, info, attempts, faces, search)
            known = thresholds.filter(pl.col("cell") == cell.id).select(
                "point", "crossfit", "threshold_0", "threshold_1"
            )
            points = [point for point in known.rows() if in_use(point[0])]
            draws = max(DRAWS, DRAWS_A_TEST * len(pairs) * (4 + 3 * len(points)))
            for pair in compared:
                after = _passes(run, found[pair["arm"]], people, info, attempts, faces, search)
                head = {
                    "system": system, "condition": {"name": picture}, "cell": found[pair["arm"]].id,
                    "baseline_cell": cell.id, **pair, "truth": {"baseline": before.truth, "level": after.truth},
                }  # fmt: skip
                made = effects(before, after, points, people.folds, info["direction"], draws)
                judged += [(head, effect) for effect in made]
        rows += _judged(judged)
    return rows


def _by_system(cells: Sequence[Cell]) -> dict[tuple[str, str], dict[str, Cell]]:
    """The cells by system and condition, each then by arm."""
    found: dict[tuple[str, str], dict[str, Cell]] = {}
    for cell in cells:
        found.setdefault((cell.system.label, cell.picture), {})[cell.arm] = cell
    return found


def _passes(
    run: RunDirectory, cell: Cell, people: People, info: Mapping[str, Any], attempts: pl.DataFrame, faces: pl.DataFrame,
    search: Search | None,
) -> Passes:  # fmt: skip
    attempts = attempts.filter((pl.col("cell") == cell.id) & (pl.col("state") != "undelivered"))
    twice = attempts.filter(pl.col("subject").is_duplicated())
    if twice.height:
        raise InputError(f"{cell.id}: {twice['subject'][0]} passes {twice.height} times; a contrast compares one pass")
    captures, templates = captures_of(run, cell.id, info["dimensions"])
    parts = [run.read(FRAMES, part) for part in run.parts(FRAMES, cell.id)]
    shown = pl.concat([pl.DataFrame(schema=FRAMES.columns), *parts]).filter(pl.col("state") == "ok")
    key = ["camera", "frame", "transit"]
    seen = captures.filter(pl.col("transit").is_not_null()).select(key).unique().with_columns(found=1.0)
    of_person = (
        faces.filter("put").join(shown, ["camera", "frame"], how="semi").join(seen, key, how="left")
        .group_by("subject").agg(pl.col("found").fill_null(0.0).mean(), *(pl.col(name).mean() for name in TRUTH))
        .sort("subject")
    )  # fmt: skip
    photographs = references_of(run, cell.system.label, people, cell.enrolled)
    owners = photographs.slices
    # A person's photographs together: the most alike of them counts, as of a pass's captures.
    references = Faces(photographs.templates, np.r_[owners[:, 1], len(photographs)], owners[:, 0])
    probes, _ = probes_of(search, captures, templates, people, info["metric"])
    scores = np.full((len(people.subjects), len(people.subjects)), np.nan)
    compared: Iterable[tuple[slice, Floats]] = (
        [(slice(None), black_box.scores_of(cell.system, probes, references, info["direction"]))]
        if info.get("answers") == "comparisons" else scores_of(probes, references, info["metric"])
    )  # fmt: skip
    for units, block in compared:
        scores[np.ix_(probes.subjects[units], references.subjects)] = block
    enrolled = np.isin(np.arange(len(scores)), references.subjects)
    found = _placed(people, of_person["subject"], of_person["found"])
    acquired = _placed(people, attempts["subject"], (attempts["state"] == "acquired").cast(pl.Float64))
    return Passes(found, acquired, enrolled, scores, of_person.select(pl.col(TRUTH).mean()).row(0, named=True))


def _placed(people: People, subjects: pl.Series, values: pl.Series) -> Floats:
    placed = np.full(len(people.subjects), np.nan)
    placed[people.index(subjects)] = values.to_numpy()
    return placed


def _judged(found: Sequence[tuple[dict[str, Any], Effect]]) -> Iterator[dict[str, Any]]:
    """Rows of one system and condition: their tests are one family."""
    enough = [effect.people >= FEWEST_SUBJECTS for _, effect in found]
    tests = sum(enough)
    p = np.array([effect.p for (_, effect), able in zip(found, enough, strict=True) if able])
    corrected = iter(holm(p))
    for (head, effect), able in zip(found, enough, strict=True):
        holm_p = float(next(corrected)) if able else None
        low, high = effect.bounds(ALPHA)
        together = effect.bounds(ALPHA / max(1, tests))
        verdict = "not shown" if able else "insufficient"
        if holm_p is not None and holm_p <= ALPHA and (low > 0 or high < 0):
            verdict = "shown: worse" if (low > 0) == (effect.worse == "higher") else "shown: better"
        yield {
            **head, "metric": effect.metric, "operating_point": effect.point, "threshold": effect.threshold,
            "unit": effect.unit, "worse": effect.worse, "before": effect.before, "after": effect.after,
            "value": effect.value, "low": _known(low), "high": _known(high), "confidence": 1 - ALPHA,
            "together_low": _known(together[0]), "together_high": _known(together[1]),
            "more_alike": _more_alike(effect, low, high), "people": effect.people, "left_out": effect.left_out,
            "comparisons": effect.comparisons, "p": effect.p if able else None, "holm_p": holm_p, "tests": tests,
            "method": effect.method, "verdict": verdict,
        }  # fmt: skip


def _more_alike(effect: Effect, low: float, high: float) -> dict[str, float | None] | None:
    """A score's effect in standard deviations of the baseline's scores, positive where pictures are more alike."""
    if effect.unit != "score" or not effect.spread or effect.value is None:
        return None
    # Strangers who are more alike are the worse, a person's own photograph that is less so.
    sign = (1 if effect.worse == "higher" else -1) * (1 if effect.metric == "non-mated score" else -1)
    ends = sorted(sign * limit / effect.spread for limit in (low, high))
    return {"value": sign * effect.value / effect.spread, "low": _known(ends[0]), "high": _known(ends[1])}


def _known(value: float) -> float | None:
    return value if isfinite(value) else None

"""The percent decoder over a run, in words: what `testbed decode 67` prints."""

from __future__ import annotations

from math import isinf
from pathlib import Path

from pipelines.errors import InputError
from testbed.evidence.decoder import IN_GALLERY, PRIORS, ROUNDING, Decoded, decode, posterior, search_posterior
from testbed.evidence.likelihood import RatioAt, beyond
from testbed.evidence.scored import ScoredCell, cells_of
from testbed.matching.people import Group, People
from testbed.matching.percent import RULES, PercentRule, rule_from_table, rule_named
from testbed.runs.directory import RunDirectory


def decode_run(
    run: RunDirectory, percent: float, *, prior: tuple[float, ...] | None = None, gallery: int | None = None,
    in_gallery: float | None = None, by: str | None = None, cell: str | None = None, rule: str | None = None,
) -> list[str]:  # fmt: skip
    """Lines that say what `percent` means in every cell of a run, or in `cell`.

    prior: one-to-one, some, else the four of METRICS. gallery: people searched, with in_gallery, the chance that the
    person is among them, else four. by: `group` for the full cross, or one attribute. rule: a rule's name or a CSV
    table score, percent, where the system's own is unknown. Raises InputError, also where no cell observed the score.
    """
    if in_gallery is not None and gallery is None:
        raise InputError("--in-gallery: needs --gallery, the number of people that are searched")
    # A mistaken prior or gallery is told before anything is read.
    posterior(1.0, PRIORS if prior is None else prior)
    search_posterior(1.0, 1 if gallery is None else gallery, 1.0 if in_gallery is None else in_gallery)
    lines: list[str] = []
    refused: list[str] = []
    told, known = 0, bool(run.manifest().get("subjects_known", True))
    for scored in cells_of(run, cell):
        own = _rule(scored, rule)
        lines += ["", f"{scored.cell}: {percent:g} % under the rule {own.name}"]
        for group in _groups(scored.people, by):
            try:
                decoded = decode(scored.population(group), own, percent)
            except InputError as error:
                refused.append(str(error))
                lines.append(f"  {error}")
                continue
            told += 1
            lines += [f"  {line}" for line in in_words(decoded, prior, gallery, in_gallery, known=known)]
    if not told:
        raise InputError(refused[0] if refused else f"{run.path}: has no cells; there is nothing to decode with")
    return lines[1:]


def in_words(
    decoded: Decoded, prior: tuple[float, ...] | None, gallery: int | None, in_gallery: float | None,
    *, known: bool = True,
) -> list[str]:  # fmt: skip
    """One population's lines: strangers shown at least the value, likelihood ratio, posteriors.

    known: whether it is known who is who.
    """
    d, interval, ratio = decoded, decoded.interval, decoded.ratio
    side = "at most" if d.population.cell.direction == "distance" else "at least"
    edge = "" if d.exact else f", counted at {d.counted_at:.5g}, the nearest score that is counted exactly"
    lines = [
        f"{d.population.group.name}: a score of {d.score:.5g}"
        + ("" if d.enough else "; INSUFFICIENT EVIDENCE, too few people to conclude anything"),
        f"  strangers shown at least {d.percent:g} % (score {side} {d.score:.5g}): "
        f"{'' if d.exact else 'at least '}{_rate(d.shown)}, 95 % interval {_rate(interval.low)} to "
        f"{_rate(interval.high)}; {d.errors:,} of {d.strangers:,} comparisons"
        f"{f' of {_people(d.people)}' if known else ''}{edge}; "
        f"{interval.method}",
    ]
    if not known:
        lines.append("    it is not known who is who: every comparison counts as another person's, and all intervals "
                     "are too narrow")  # fmt: skip
    if interval.free is not None:
        lines.append(f"    without borrowing, from disjoint pairs alone: {_rate(interval.free[0])} to "
                     f"{_rate(interval.free[1])}")  # fmt: skip
    low, high = ratio.limits()
    lines += [
        f"  likelihood ratio at the score: {_estimated(d, known=known)}, 95 % interval {_ratio(low)} "
        f"{'and above, no upper limit' if isinf(high) else f'to {_ratio(high)}'} ("
        f"logistic fit {_marked(d.logistic, ratio.can_show)})",
        f"    {ratio.counted}" + (f"; {_people(d.mated_people)} with mated comparisons" if known else ""),
    ]
    each_end = (ratio.value, low, high)
    for each in PRIORS if prior is None else prior:
        likely = _likely(ratio, *posterior(each_end, each))
        lines.append(f"  if {_odds(each)} such pairs is the same person: {likely}")
    for each in () if gallery is None else IN_GALLERY if in_gallery is None else (in_gallery,):
        likely = _likely(ratio, *(search_posterior(x, gallery or 1, each)[0] for x in each_end))
        lines.append(
            f"  found in a search of {_people(gallery or 1)}, the person in it with probability {each:g}: {likely}"
        )
    return [*lines, f"  {_median(d)}"] if known else lines


def _estimated(d: Decoded, *, known: bool) -> str:
    """The likelihood ratio; where it lies beyond what the people can show, the most that can be said of it."""
    said, under = _marked(d.ratio.value, d.ratio.can_show), d.ratio.at_limit == "under"
    if d.ratio.at_limit is None:
        return said
    who = _people(d.mated_people if under else d.people) if known else "so few comparisons"
    return f"estimated {said}, {'less' if under else 'more'} than {who} can show"


def _likely(ratio: RatioAt, value: float, low: float, high: float) -> str:
    """The chance of the same person that follows from a likelihood ratio, and those from its limits."""
    said = f"estimated {ratio.at_limit} {_rate(value).lstrip('<>')}" if ratio.at_limit else _rate(value)
    return f"{said} likely the same, 95 % interval {_rate(low)} to {_rate(high)}"


def _marked(ratio: float, can_show: tuple[float, float]) -> str:
    mark = beyond(ratio, can_show)
    return f"{mark} {_ratio(ratio)}" if mark else _ratio(ratio)


def _median(d: Decoded) -> str:
    """From how large a gallery on the median stranger is shown at least the value."""
    median = d.median
    if median is None or d.nearest is None:
        return (
            f"median stranger shown at least {d.percent:g} %: no threshold was tallied at or beyond this score, so no "
            "size of gallery can be named"
        )
    at = float(d.population.cell.tallied.thresholds[d.nearest, 0])
    counted = "" if abs(at - d.score) <= ROUNDING else f" (counted at {at:.5g}, the nearest threshold tallied)"
    start = f"median stranger, a pass searched among reference photographs, shown at least {d.percent:g} %{counted}:"
    if median.value is not None:
        most = "no upper limit" if median.high is None else f"{median.high:,}"
        return (
            f"{start} in a gallery of {_people(median.value)}, 95 % interval {median.low:,} to {most} "
            "(measured over all galleries of people here)"
        )
    model = "" if median.modelled is None else (
        f"; by the model 1 − (1 − FMR)^N, half of all searches by strangers show it from about "
        f"{_people(median.modelled)} on (EXTRAPOLATED; it may take more)"
    )  # fmt: skip
    return f"{start} in a gallery of {median.how} people, 95 % limit at least {median.low:,}{model}"


def _groups(people: People, by: str | None) -> list[Group]:
    if by is None:
        return [people.everyone()]
    attributes = {**people.single(), "group": people.crossed()}
    if len(people.attributes) == 1:
        attributes[people.attributes[0]] = people.crossed()
    if not attributes.get(by):
        known = [name for name, groups in attributes.items() if groups]
        raise InputError(f"--by {by}: this run has no such grouping; it knows {', '.join(known) or 'none'}")
    return [people.everyone(), *attributes[by]]


def _rule(cell: ScoredCell, named: str | None) -> PercentRule:
    if named is not None and named not in RULES and Path(named).is_file():
        return rule_from_table(Path(named), cell.direction)
    if named is not None:
        return rule_named(named, cell.direction)
    if cell.percent_rule is None:
        raise InputError(
            f"{cell.cell}: the system names no percent rule; name one with --rule ({', '.join(RULES)}), or a CSV table "
            "with columns score, percent"
        )
    return rule_named(cell.percent_rule, cell.direction)


def _rate(share: float) -> str:
    """A probability in percent; short of all is never rounded to all, nor anything to nothing."""
    if 0 < share < 1e-6:
        return "<0.0001 %"
    return ">99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.3g} %"


def _odds(share: float) -> str:
    return f"1 in {float(f'{1 / share:.3g}'):,.10g}"


def _people(number: int) -> str:
    return f"{number:,} {'person' if number == 1 else 'people'}"


def _ratio(ratio: float) -> str:
    """A likelihood ratio: 137, 4.1, 1/25."""
    if ratio == 0:
        return "0"
    value = max(ratio, 1 / ratio)
    return ("1/" if ratio < 1 else "") + (f"{value:.3g}" if value < 1000 else f"{value:,.0f}")

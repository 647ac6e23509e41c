"""The percent decoder over a run, in words: what `testbed decode 67` prints."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import InputError
from testbed.evidence.decoder import IN_GALLERY, PRIORS, Decoded, decode, posterior, search_posterior
from testbed.evidence.percent import RULES, PercentRule, rule_from_table, rule_named
from testbed.evidence.scored import ScoredCell, cells_of
from testbed.matching.people import Group, People
from testbed.runs.directory import RunDirectory


def decode_run(
    run: RunDirectory, percent: float, *, prior: float | None = None, gallery: int | None = None,
    in_gallery: float | None = None, by: str | None = None, cell: str | None = None, rule: str | None = None,
) -> list[str]:  # fmt: skip
    """Lines that say what `percent` means in every cell of a run, or in `cell`.

    prior: one-to-one, else the four of METRICS. gallery: people searched, with in_gallery, the chance that the person
    is among them, else four. by: `group` for the full cross, or one attribute. rule: a rule's name or a CSV table
    score, percent, where the system's own is unknown. Raises InputError, also where no cell observed such a score.
    """
    if in_gallery is not None and gallery is None:
        raise InputError("--in-gallery: needs --gallery, the number of people that are searched")
    # A mistaken prior or gallery is told before anything is read.
    posterior(1.0, PRIORS if prior is None else prior)
    search_posterior(1.0, 1 if gallery is None else gallery, 1.0 if in_gallery is None else in_gallery)
    lines: list[str] = []
    refused: list[str] = []
    told = 0
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
            lines += [f"  {line}" for line in in_words(decoded, prior, gallery, in_gallery)]
    if not told:
        raise InputError(refused[0] if refused else f"{run.path}: has no cells; there is nothing to decode with")
    return lines[1:]


def in_words(decoded: Decoded, prior: float | None, gallery: int | None, in_gallery: float | None) -> list[str]:
    """One population's lines: strangers shown at least the value, likelihood ratio, posteriors."""
    d, interval = decoded, decoded.interval
    side = "at most" if d.population.cell.direction == "distance" else "at least"
    lines = [
        f"{d.population.group.name}: a score of {d.score:.5g}"
        + ("" if d.enough else "; INSUFFICIENT EVIDENCE, too few people to conclude anything"),
        f"  strangers shown at least {d.percent:g} % (score {side} {d.score:.5g}): {_rate(d.shown)}, "
        f"95 % interval {_rate(interval.low)} to {_rate(interval.high)}; "
        f"{d.strangers:,} comparisons of {d.people} people; {interval.method}",
    ]
    if interval.free is not None:
        lines.append(f"    without borrowing, from disjoint pairs alone: {_rate(interval.free[0])} to "
                     f"{_rate(interval.free[1])}")  # fmt: skip
    halves = "" if d.halves is None else "; from each half of them alone " + " and ".join(map(_ratio, d.halves))
    lines.append(
        f"  likelihood ratio at the score: {d.held}{_ratio(d.ratio)} (logistic fit {_ratio(d.logistic)}{halves}); "
        f"{d.mated_people} people with mated comparisons can show {_ratio(d.limits[0])} to {_ratio(d.limits[1])}"
    )
    for each in PRIORS if prior is None else (prior,):
        chance = float(posterior(d.ratio, each))
        lines.append(f"  if {_odds(each)} such pairs is the same person: {d.held}{_rate(chance)} likely the same")
    for each in () if gallery is None else IN_GALLERY if in_gallery is None else (in_gallery,):
        (chance,) = search_posterior(d.ratio, gallery or 1, each)
        lines.append(
            f"  found in a search of {gallery:,} people, the person in it with probability {each:g}: "
            f"{d.held}{_rate(float(chance))} likely the same"
        )
    return [*lines, f"  {_median(d)}"]


def _median(d: Decoded) -> str:
    """From how large a gallery on the median stranger is shown at least the value."""
    start, median = f"median stranger shown at least {d.percent:g} %", d.median
    if median is None:
        return f"{start}: no threshold was tallied at or beyond this score, so no size of gallery can be named"
    least = "" if median.low is None else f", 95 % limit at least {median.low:,}"
    if median.how == "measured":
        most = "" if median.high is None else f", at most {median.high:,}"
        return f"{start} in a gallery of {median.value:,}{least}{most} (measured over all galleries of people here)"
    if median.value is None:
        return f"{start}: in a gallery of {median.how} people{least}"
    return (
        f"{start} in a gallery of about {median.value:,}{least} (EXTRAPOLATED: {median.how} people are needed; "
        "1 − (1 − FMR)^N, the true size may be larger)"
    )


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
    """A probability: percent, or `1 in N` where that would be mostly zeros."""
    if share >= 1e-4 or share == 0:
        return f"{100 * share:.3g} %"
    return _odds(share) if share > 1e-12 else "less than 1 in a million million"


def _odds(share: float) -> str:
    return f"1 in {float(f'{1 / share:.3g}'):,.10g}"


def _ratio(ratio: float) -> str:
    return f"{ratio:.3g}" if ratio < 1000 else f"{ratio:,.0f}"

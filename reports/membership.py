"""The answer of `testbed member` as a letter can hold it: short sentences, every figure with what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from textwrap import wrap
from typing import Any

from reports.wording import THIN, capital, condition, count, listed, people, percent, plain, ratio

WIDTH = 100
SIMULATION = (
    "SIMULATION: the calibration is of made-up people. These figures show how the method works; they say nothing of "
    "real people, real photographs or a real collection."
)

HOW = {
    "name and structure": "name and the names of its files", "manifest": "manifest", "name alone": "name alone",
    "perhaps": "files’ names alone",
}  # fmt: skip
IS = {**dict.fromkeys(HOW, "is"), "name alone": "would be", "perhaps": "is perhaps"}
"""By what a folder is recognised, and how surely, in a sentence."""


def letter(answer: Mapping[str, Any]) -> str:
    """The answer in paragraphs; figures as the command made them, nothing computed here."""
    lines: list[str] = []
    for heading, paragraphs in _sections(answer):
        lines += ["", heading.upper()] if heading else [""]
        for paragraph in paragraphs:
            start = "  - " if paragraph.startswith("- ") else "  "
            lines += wrap(paragraph.removeprefix("- "), WIDTH, initial_indent=start, subsequent_indent=" " * len(start))
    return "\n".join(lines[1:]).replace(THIN, " ")


def _sections(answer: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    own, pooled = _figure(answer, answer["group"]), _figure(answer, "all")
    mine = answer["collection"]
    opening = [
        f"Is the person on this photograph in “{mine['name']}” ({mine['source']}; licence: {mine['licence']})? "
        "The answer is a strength of evidence with its uncertainty. It is not a yes, and not a no."
    ]
    yield "", [*([SIMULATION] if answer["calibration"]["made_up"] else []), *opening, *_recognised(mine)]
    yield "What was compared", list(_compared(answer))
    yield "The best score", list(_score(answer))
    yield "How strong the evidence is", list(_strengths(answer, own, pooled))
    yield "How often a stranger scores as high", list(_strangers(answer, own, pooled))
    yield "What follows, depending on what was likely before", list(_posterior(answer, own))
    yield "What this does not show", list(_limits(answer))


def _recognised(collection: Mapping[str, Any]) -> Iterator[str]:
    """Which well-known set the folder is by its names, whatever its manifest says."""
    for row in collection["recognised"]:
        yield f"By its {HOW[row['sure']]} this folder {IS[row['sure']]} {row['name']}. {row['words']}"


def _compared(answer: Mapping[str, Any]) -> Iterator[str]:
    mine, made = answer["collection"], answer["calibration"]
    yield (
        f"One face was held against {count(answer['faces'], 'faces')} in {count(mine['pictures'], 'pictures')}. "
        f"Of the pictures, {mine['without_face']:,} show no face that the system finds and {mine['unreadable']:,} "
        f"cannot be read; {count(mine['without_template'], 'faces')} could not be compared. Not looked at: "
        f"{count(mine['left_out']['other files'], 'other files')}, {count(mine['left_out']['links'], 'links')} and "
        f"{count(mine['left_out']['too large'], 'files')} that are too large."
    )
    stated = f"The manifest says that it shows {count(answer['people'], 'people')}."
    if answer["people"] < answer["faces"]:
        stated += (
            " Some are shown several times, and the best of several faces says less than a single one: the chances "
            "below take each face for another person, their upper limits the people stated."
        )
    yield (
        stated
        if mine["people_stated"]
        else (
            f"How many different people it shows is not stated. Each face is taken for another person, "
            f"{count(answer['people'], 'people')}: if some are shown more than once, the chances below are too low "
            "rather than too high, and strangers score as high no more often than said."
        )
    )
    system = answer["system"]
    yield (
        f"System: {system['name']} ({listed(f'{name} {version}' for name, version in system['versions'].items())}). "
        f"Trained on: {system['training_data']}."
    )
    pooled = _figure(answer, "all")
    yield (
        f"Calibration: “{made['title']}”, {count(pooled['people'], 'people')}, {_taken(made)}"
        + ("." if made["as_they_are"] else "; the figures hold for a photograph that was taken so.")
    )
    if made["has_photograph"]:
        yield (
            "This very photograph is among those of the calibration, which then knows the person: the figures may "
            "flatter the system. Calibrate with other people."
        )


def _taken(made: Mapping[str, Any]) -> str:
    if made["as_they_are"]:
        return "photographs as they are"
    return f"{'photographs' if made['kind'] == 'stills' else 'passes before a camera'}, {condition(made['condition'])}"


def _score(answer: Mapping[str, Any]) -> Iterator[str]:
    more, side = ("smaller", "up to") if answer["direction"] == "distance" else ("greater", "from")
    shown = "" if answer["percent"] is None else (
        f" Under the rule {answer['percent_rule']} it is shown as {answer['percent']:.3g}{THIN}%, which is no "
        "probability."
    )  # fmt: skip
    yield (
        f"{answer['score']:.4g} ({answer['direction']}: {more} is more alike). The system itself says “match” {side} "
        f"{answer['own_threshold']:g}, so it would {'' if answer['called_a_match'] else 'not '}call this one.{shown}"
    )
    if answer["more_alike_than_any"]:
        yield (
            "No two photographs of one person in the calibration were so alike. It may be the same photograph, or one "
            "from the same minute: look at it. The figures below hold for two different photographs."
        )
    if answer["file"] is not None:
        yield f"The best face is in: {answer['file']}"


def _strengths(answer: Mapping[str, Any], own: Mapping[str, Any], pooled: Mapping[str, Any]) -> Iterator[str]:
    yield f"{_who(own)}: {_strength(own)}"
    if own is not pooled:
        yield f"{_who(pooled)}: {_strength(pooled)}"
    elif known := _groups(answer):
        weakest = min(known, key=_lower)
        yield (
            f"In none of {count(len(known), 'groups')} is the lower limit below everybody’s."
            if _lower(weakest)[0] >= _lower(pooled)[0] else
            f"The lowest limit of {count(len(known), 'groups')}, had the person been one of {_people(weakest)}: "
            f"{_ratio(weakest['likelihood_ratio'])}."
        )  # fmt: skip


def _lower(row: Mapping[str, Any]) -> tuple[float, float]:
    """By what a likelihood ratio is the weakest: its lower limit, then the estimate."""
    low = row["likelihood_ratio"]["log10_low"]
    return -inf if low is None else low, row["likelihood_ratio"]["log10"]


def _strength(row: Mapping[str, Any]) -> str:
    if row["why"]:
        return f"nothing can be said; {row['why']}.{_few(row)}"
    told = row["likelihood_ratio"]
    much = ratio(abs(told["log10"]))
    favours = "one person" if told["log10"] > 0 else "two different people"
    words = (
        "Such a score is about as likely for one person as for two." if abs(told["log10"]) < 0.05 else
        f"Such a score is about {much} times as likely if the photographs show {favours}." if not told["at_limit"] else
        f"So many people can show no more than {much} times as likely if the photographs show {favours}; the estimate "
        "lies beyond, which is no bound on the truth. The interval is."
    )  # fmt: skip
    if not _settled(told):
        words = "It includes 1: this calibration does not settle which of the two it speaks for."
    return (
        f"{_ratio(told)}. {words} It rests on {count(row['people'], 'people')}, "
        f"{count(row['mated_people'])} of them with two photographs: {told['counted']}.{_few(row)}"
    )


def _settled(told: Mapping[str, Any]) -> bool:
    """Whether the interval of a likelihood ratio leaves 1 out."""
    low, high = told["log10_low"], told["log10_high"]
    return (low is not None and low > 0) or (high is not None and high < 0)


def _ratio(told: Mapping[str, Any]) -> str:
    low, high = "0" if told["log10_low"] is None else ratio(told["log10_low"]), told["log10_high"]
    wide = (
        f"from {low} up, with no upper limit" if high is None else
        f"from {low} up, with no useful upper limit" if high > told["log10_can_show"][1] else
        f"between {low} and {ratio(high)}"
    )  # fmt: skip
    return f"likelihood ratio {wide} (95{THIN}% interval; {_estimate(ratio(told['log10']), told['at_limit'])})"


def _estimate(figure: str, at_limit: str | None) -> str:
    """An estimate in words: those under or over what so many people can show are no bounds."""
    beyond = {"over": "above ", "under": "below "}
    return f"estimate: {figure if at_limit is None else beyond[at_limit] + figure.removeprefix('<').strip()}"


def _strangers(answer: Mapping[str, Any], own: Mapping[str, Any], pooled: Mapping[str, Any]) -> Iterator[str]:
    for row in (own,) if own is pooled else (own, pooled):
        yield f"{_who(row)}: nothing can be said." if row["why"] else f"{_who(row)}: {_hits(row)}{_few(row)}"
    if own is not pooled:
        return
    if known := _groups(answer):
        worst = max(known, key=lambda row: (row["false_hits"]["high"], row["false_hits"]["value"]))
        yield (
            f"In none of {count(len(known), 'groups')} is the upper limit above everybody’s."
            if worst["false_hits"]["high"] <= pooled["false_hits"]["high"] else
            f"The highest limit of {count(len(known), 'groups')}, if the strangers and all of the collection were "
            f"{_people(worst)}: {_hits(worst)} Nobody's group was inferred; give --group where it is known."
        )  # fmt: skip
    if few := [plain(row["group"]) for row in answer["figures"] if row["verdict"] != "measured" and row is not pooled]:
        yield f"Left out of this, with too few people in the calibration: {count(len(few), 'groups')} ({listed(few)})."


def _groups(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in answer["figures"] if row["group"] != "all" and row["verdict"] == "measured"]


def _hits(row: Mapping[str, Any]) -> str:
    hits = row["false_hits"]
    if hits["how"] == "measured":
        limits = f"between {_thousand(hits['low'])} and {_thousand(hits['high'])}"
        quality = f"95{THIN}% interval; estimate: {_thousand(hits['value'])}"
        how = f"Measured, on every stranger of the calibration, in collections of {count(hits['faces'], 'faces')}."
    else:  # the model's own error is not in its limits: the upper one alone is given, as a caution
        limits = f"up to {_thousand(hits['high'])}"
        quality = f"by a model, from the 95{THIN}% limit of what was measured"
        how = (
            f"EXTRAPOLATED beyond the {count(hits['measured_up_to'], 'faces')} that could be measured, by the model "
            "1 − (1 − FMR)^N, which says too much where people differ in how often they are mistaken."
        )
    return (
        f"of 1,000 photographs of people who are not in a collection of {count(hits['faces'], 'faces')}, "
        f"{limits} would find a face at least this alike ({quality}). {how} Of {hits['comparisons']:,} "
        f"comparisons of strangers, {hits['errors']:,} were so alike."
    )


def _thousand(share: float) -> str:
    many = 1000 * share
    return f"{many:,.0f}" if many >= 10 or many == 0 else f"{many:.2g}" if many >= 0.01 else "fewer than 0.01"


def _posterior(answer: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[str]:
    if own["why"]:
        return
    among = count(max(answer["people"], answer["faces"]), "people")
    yield (
        "No score says how likely it is that the person is in the collection: that depends on what was likely before, "
        f"which is not the system's to say. Among {among}, by the likelihood ratio above "
        f"(95{THIN}% intervals), the probability that the best face is the person’s is:"
    )
    told = own["likelihood_ratio"]
    for each in own["posterior"]:
        before = "certain" if each["prior"] == 1 else f"1 in {round(1 / each['prior']):,}"
        wide = f"between {percent(each['low'])} and {percent(each['high'])}"
        said = (
            percent(each["value"]) if each["low"] == each["high"] else
            f"{wide} ({_estimate(percent(each['value']), told['at_limit'])})" if _settled(told) else
            f"not settled: {wide}"
        )  # fmt: skip
        yield f"- if it was {before} that the person is in it: {said}"


def _limits(answer: Mapping[str, Any]) -> Iterator[str]:
    yield "- Whether the person is in it. A look-alike, a relative or a twin can score as high as the person."
    yield (
        "- Anything about pictures that could not be read, or faces that were not found. That nothing scored high is "
        "no proof of absence."
    )
    yield (
        "- How well the calibration fits: its people, their ages, the cameras and the years between two photographs "
        "are not those of this collection. Where these differ, the true figures do too, mostly for the worse."
    )
    yield "- That the photographs in the collection were taken, kept or published lawfully, or with consent."


def _figure(answer: Mapping[str, Any], group: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(row for row in answer["figures"] if row["group"] == group)
    return found


def _who(row: Mapping[str, Any]) -> str:
    return capital(_people(row))


def _people(row: Mapping[str, Any]) -> str:
    return "everybody" if row["group"] == "all" else people(row["group"])


def _few(row: Mapping[str, Any]) -> str:
    return "" if row["verdict"] == "measured" else " INSUFFICIENT EVIDENCE: too few people to conclude anything."

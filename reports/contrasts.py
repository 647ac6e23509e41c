"""What one changed cause does, in words: sentences from the rows of `contrasts` in evidence.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from reports.reading import Figure
from reports.wording import LIGHTS, at_point, capital, condition, count, listed, plain, score, too_few

MEASURES = {
    "detection": "face found in a frame",
    "FTA": "no usable face at all",
    "mated score": "likeness to their own photograph",
    "FNMR": "found, but not recognised",
    "non-mated score": "likeness to strangers' photographs",
    "FMR": "taken for a stranger",
    "FRR": "missed in all",
}
"""What each measure counts, in the order they are told."""

_CAUSES = {"tone": "skin tone", "bitrate_kbps": "kbit/s", "exposure_s": "longest shutter time in s", "size": "picture",
           "gain_db": "gain in dB", "defocus_px": "px of defocus", "hair_colour": "hair colour",
           "field": "field of view in °", "tilt": "tilt in °", "pan": "pan in °", "distance": "distance in m",
           "height": "height in m", "family": "head shapes"}  # fmt: skip
_SWITCHED = ("glasses", "mask", "beard", "headwear")


def of_cells(rows: Sequence[Figure]) -> list[tuple[str, str, list[Figure]]]:
    """System, condition, and all rows of the two."""
    told = groupby(rows, lambda row: (row["system"], row["condition"]["name"]))
    return [(system, condition, list(mine)) for (system, condition), mine in told]


def by_pair(rows: Sequence[Figure]) -> list[list[Figure]]:
    """The rows of one system and condition, those of one pair of arms together."""
    return [list(mine) for _, mine in groupby(rows, lambda row: (row["baseline_arm"], row["arm"]))]


def at(rows: Iterable[Figure], point: str) -> list[Figure]:
    """Rows of the measures in their order, of those that need a threshold at one operating point only."""
    found = {row["metric"]: row for row in rows if row["operating_point"] in (None, point)}
    return [found[metric] for metric in MEASURES if metric in found]


def change(row: Mapping[str, Any]) -> str:
    """What differs between the two arms: skin tone 9 instead of 2, at night (a placebo)."""
    cause, level, baseline = row["cause"], row["level"], row["baseline"]
    if cause in _SWITCHED and {level, baseline} & {True, False, "none"}:
        words = f"{_worn(cause, level)} instead of {_worn(cause, baseline)}"
    elif cause == "light":
        words = f"{LIGHTS.get(level, level)} instead of {LIGHTS.get(baseline, baseline)}"
    else:
        words = f"{_CAUSES.get(cause, plain(cause))} {_level(level)} instead of {_level(baseline)}"
    inside = "".join(f", {where(each, value)}" for each, value in row["within"].items())
    return words + inside + (" (a placebo)" if row["placebo"] else "")


def where(cause: str, level: Any) -> str:
    """The setting that a contrast is made at: at night; skin tone 5."""
    if cause == "light":
        return LIGHTS.get(level, str(level))
    return _worn(cause, level) if isinstance(level, bool) else f"{_CAUSES.get(cause, plain(cause))} {_level(level)}"


def alarms(rows: Sequence[Figure]) -> list[str]:
    """A sentence for each system and condition under which a placebo did something."""
    told = []
    for system, name, mine in of_cells(rows):
        moved = [row for row in mine if row["placebo"] and row["verdict"].startswith("shown")]
        if moved:
            what = listed(dict.fromkeys(f"{change(row)}: {MEASURES[row['metric']]}" for row in moved))
            told.append(
                "The placebo changed something: do not trust this run's contrasts. "
                f"{system}, {condition(name)}: {what}."
            )
    return told


def effect(row: Figure) -> str:
    """An effect that is shown, in a sentence's words, with its interval and people."""
    value, low, high = _ends(row)
    more, least, most = "more" if value > 0 else "fewer", *sorted((abs(low), abs(high)))
    alike, size = "more" if value > 0 else "less", _size(row, abs(value))
    ends = f"[{_number(row, least)}–{_number(row, most)}]"
    threshold = f" {at_point(row['operating_point'], score(row['threshold']))}" if row["operating_point"] else ""
    words = {
        "detection": f"the face was found in {size} {more} of the frames {ends}",
        "FTA": f"no usable face was found of {size} {more} of the people {ends}",
        "mated score": f"people looked {size} {alike} like their own photograph {ends}",
        "FNMR": f"of the people found, {size} {more} were not recognised{threshold} {ends}",
        "non-mated score": f"people looked {size} {alike} like strangers' photographs {ends}",
        "FMR": f"{size} {more} comparisons with strangers matched{threshold} {ends}",
        "FRR": f"{size} {more} of the people were missed in all{threshold} {ends}",
    }[row["metric"]]
    return f"{words}; {_people(row)}."


def allowed(row: Figure) -> str:
    """How large an effect that is not shown may still be."""
    if row["low"] is None:
        return "nothing to compare"
    _, low, high = _ends(row)
    if low == high == 0:
        return "not one score changed at all"
    fewer, unit = ("fewer", "points") if row["unit"] == "share" else ("less", "standard deviations")
    least, most = (_number(row, size) for size in sorted((abs(low), abs(high))))
    if low >= 0 or high <= 0:
        alone = "" if low == 0 or high == 0 else f" taken alone, which does not stand among {row['tests']} tests"
        return f"{least} to {most} {unit} {'more' if low >= 0 else fewer}{alone}"
    if least == most:
        return f"up to {most} {unit} either way"
    return f"up to {_number(row, -low)} {unit} {fewer} or {_number(row, high)} more"


def sentences(rows: Sequence[Figure]) -> tuple[list[str], list[str], list[str]]:
    """Of the rows of one pair, one for each measure: effects shown, not shown, and of too few people to say."""
    sure = [row for row in rows if row["verdict"].startswith("shown")]
    shown = [effect(row) for row in sure]
    if {"mated score", "non-mated score"} <= {row["metric"] for row in sure if _ends(row)[0] > 0}:
        shown.append("more alike is not better here: people look more like strangers' photographs too.")
    open_ = [f"{MEASURES[row['metric']]}, {allowed(row)}" for row in rows if row["verdict"] == "not shown"]
    few = [
        f"{MEASURES[row['metric']]}: {too_few(row['people']) if row['comparisons'] else row['method']}"
        for row in rows
        if row["verdict"] == "insufficient"
    ]
    return shown, open_, few


def headline(rows: Sequence[Figure], point: str) -> list[str]:
    """One system in a sentence for each cause that is shown to do something, and one for the placebos."""
    said, quiet = [], []
    for pair in by_pair(rows):
        measured = at(pair, point)
        shown = [effect(row) for row in measured if row["verdict"].startswith("shown")]
        if pair[0]["placebo"]:
            quiet += [] if shown else [change(pair[0])]
        elif shown:
            first, *more = shown[:2]
            said.append(" ".join([f"{capital(change(pair[0]))}: {first}", *map(capital, more)]))
    if not said:
        said = ["No changed cause is shown to do anything; how much is still possible stands below."]
    return [*said, f"No effect is shown of {listed(quiet)}."] if quiet else said


def pictured(row: Figure) -> str:
    """What the truth says of the two arms' pictures: how the effect may have come about."""
    before, after = row["truth"]["baseline"], row["truth"]["level"]
    told = [
        f"{words} {written.format(before[name])} → {written.format(after[name])}"
        for name, words, written in (
            ("luminance", "light from the brow", "{:.3g}"),
            ("inter_eye_px", "pixels between the eyes", "{:.3g}"),
            ("visible", "share of the face that nothing else hides", "{:.0%}"),
        )
        if before[name] is not None and after[name] is not None
    ]
    return "; ".join(told)


def interval(row: Figure, *, together: bool = False) -> str:
    """A row's limits with their signs, in percentage points or the system's own unit."""
    low, high = (row[f"together_{end}" if together else end] for end in ("low", "high"))
    return "none" if low is None or high is None else f"[{_signed(row, low)}, {_signed(row, high)}]"


def value(row: Figure) -> str:
    """A row's effect with its sign."""
    return "nothing to compare" if row["value"] is None else _signed(row, row["value"])


def arm(row: Figure, which: str) -> str:
    """The mean in one arm, `before` or `after`: a share as a percentage, a score as it is."""
    mean = row[which]
    return "–" if mean is None else f"{mean:.4g}" if row["unit"] == "score" else f"{100 * mean:.1f}"


def _ends(row: Figure) -> tuple[float, float, float]:
    """Value and limits as they are told: of a share as it is, of a score in deviations, more alike being positive."""
    if row["unit"] == "share":
        return row["value"] or 0.0, row["low"], row["high"]
    told = row["more_alike"]
    if told is None or told["low"] is None:
        return 0.0, 0.0, 0.0
    return told["value"], told["low"], told["high"]


def _number(row: Figure, size: float) -> str:
    """Without a sign: percentage points, or standard deviations."""
    shown = 100 * size if row["unit"] == "share" else size
    return f"{shown:.0f}" if shown >= 9.95 else f"{shown:.1f}" if row["unit"] == "share" else f"{shown:.2f}"


def _size(row: Figure, size: float) -> str:
    return f"{_number(row, size)} {'percentage points' if row['unit'] == 'share' else 'standard deviations'}"


def _signed(row: Figure, number: float) -> str:
    shown = f"{100 * number:+.1f}" if row["unit"] == "share" else f"{number:+.3g}"
    return shown[1:] if float(shown) == 0 else shown.replace("-", "−")


def _people(row: Figure) -> str:
    out = row["left_out"]
    return count(row["people"], "people") + (f" ({out} who passed could not be compared)" if out else "")


def _level(level: Any) -> str:
    if isinstance(level, bool):
        return "on" if level else "off"
    return f"{level:g}" if isinstance(level, int | float) else str(level)


def _worn(cause: str, level: Any) -> str:
    if level in (False, "none"):
        return f"no {cause}"
    return f"with {cause}" if isinstance(level, bool) else f"{cause} {level}" if cause == "beard" else f"with a {level}"

"""How numbers and names are written: percentages with sensible digits, intervals, conditions in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import floor, log10
from typing import Any

from testbed.scenario.synthetic import CAUSES

THIN = "\u202f"
"""Narrow no-break space: between a number and its unit, so that they are never parted at a line's end."""

MADE_UP = "made-up people"
"""Stands over every chart, table and sentence of a run in which nobody exists."""

NOT_KNOWN = "not known"
"""How many people there are in a log that does not say who is who."""

_SETTINGS = {
    "inter_eye_px": f"{{}}{THIN}px between the eyes",
    "bitrate_kbps": f"{{}}{THIN}kbit/s",
    "scale": "frames shrunk to {} of their size",
    "frame": f"a picture of {{}}{THIN}px",
    "light": "{} of full light",
    "noise": "noise {}",
    "defocus_px": f"{{}}{THIN}px of defocus",
    "exposure_s": f"{{}}{THIN}s exposure",
    "motion_eyes_per_s": "faces moving {} times the distance between their eyes per second",
    "fps": "{} frames per second",
    "frames": "{} frames",
    "gop": "a key frame every {} frames",
}
LIGHTS = {"daylight": "in daylight", "mixed": "in mixed light", "backlight": "against the light", "night": "at night",
          "infrared": "under infrared"}  # fmt: skip
"""Of made-up scenes; a number is a share of full light."""
_ENHANCED = {"none": "pictures not enlarged", "bicubic": "pictures enlarged bicubically",
             "lanczos": "pictures enlarged by Lanczos", "model": "pictures enlarged by the model {}",
             "prior": "pictures completed from the prior {} (draw {})"}  # fmt: skip
_ONE = {"people": "person", "passes": "pass", "searches": "search", "heads followed": "head followed",
        "stretches of time": "stretch of time", "faces that could be seen": "face that could be seen",
        "heads that people boxed by hand": "head that somebody boxed by hand"}  # fmt: skip
"""What one of a noun is called that does not just lose its last s."""
_AXES = {"motion_eyes_per_s": "speed of faces, in distances between the eyes per second"}
_UNITS = {"FTA": "passes", "FTE": "reference photographs", "FRR": "passes", "GFRR": "passes", "FPIR": "searches",
          "FNIR": "searches"}  # fmt: skip


def percent(share: float | None) -> str:
    """A share in [0, 1] as a percentage: 36.7 %, 7.1 %, 0.031 %; "not measured" for None."""
    return "not measured" if share is None else f"{_digits(share)}{THIN}%"


def number(share: float) -> str:
    """The same without its sign, for tables that say once that they hold per cent."""
    return _digits(share)


def _digits(share: float) -> str:
    hundredths = 100 * share
    if share in (0, 1):
        return f"{hundredths:.0f}"
    if hundredths >= 99.95:
        return "99.9"  # short of all is never rounded to all
    if hundredths < 0.00005:
        return "<0.0001"
    if hundredths >= 0.995:
        return f"{hundredths:.1f}"
    return f"{hundredths:.{1 - floor(log10(hundredths))}f}"


def interval(figure: Mapping[str, Any]) -> str:
    """The figure's bounds: [7.1–17.0 %]."""
    return bounds(figure["low"], figure["high"])


def bounds(low: float, high: float) -> str:
    """Two shares in [0, 1] as an interval: [7.1–17.0 %]."""
    return f"[{_digits(low)}–{_digits(high)}{THIN}%]"


def count(number: int | None, noun: str = "") -> str:
    """4,204 comparisons; 1 comparison; comparisons not known."""
    if number is None:
        return f"{noun} {NOT_KNOWN}".strip()
    if not noun:
        return f"{number:,}"
    return f"{number:,} {_ONE.get(noun, noun.removesuffix('s')) if number == 1 else noun}"


def quoted(figure: Mapping[str, Any]) -> str:
    """A rate with everything that must stand beside it: 11.2 % [7.1–17.0 %] (471 of 4,204 comparisons, 102 people)."""
    trials = count(figure["comparisons"], _UNITS.get(figure["metric"], "comparisons"))
    of = f"{count(figure['errors'])} of {trials}, {count(figure['subjects'], 'people')}"
    free = figure.get("assumption_free")
    beside = f", assumption-free {bounds(*free)}" if free else ""
    return f"{percent(figure['value'])} {interval(figure)}{beside} ({of})"


def too_few(people: int | None) -> str:
    """What is said of a group that is too small to say anything about."""
    return "too few comparisons to say" if people is None else f"too few people to say ({people})"


def one_in(share: float) -> str:
    """A share in words, of what is named next: about 1 in 9; more than half of all; all."""
    if share <= 0:
        return "no"
    if share > 0.5:
        return "all" if share == 1 else "more than half of all"
    other = 1 / share
    return f"about 1 in {round(other, None if other < 100 else 1 - floor(log10(other))):,.0f}"


def times(ratio: float) -> str:
    """A lower limit of a ratio above 1, rounded down so that "at least" stays true: 5.3, 12, 1.04."""
    if ratio >= 10:
        return f"{floor(ratio):,}"
    return f"{floor(ratio * 10) / 10:.1f}" if ratio >= 1.1 else f"{floor(ratio * 100) / 100:.2f}"


def ratio(log10: float) -> str:
    """A likelihood ratio: 137, 4.1, 1/25."""
    value = 10 ** abs(log10)
    return ("1/" if log10 < 0 else "") + (f"{value:.1f}" if value < 10 else f"{value:,.0f}")


def beyond(estimate: str, at_limit: str | None) -> str:
    """An estimate that is `under` or `over` what so many people can show: < 1/103; as it is where it is neither."""
    return estimate if at_limit is None else f"{'<' if at_limit == 'under' else '>'} {estimate.removeprefix('<')}"


def plain(label: str) -> str:
    """A label for running text: east_asian → east asian."""
    return label.replace("_", " ")


def people(label: str) -> str:
    """The people of a group in running text; a label may be any word, and somebody put it on them."""
    return f"people labelled {plain(label)}"


def columns(kind: str) -> str:
    """A kind of group in running text, by the columns it comes from, as they are called: “eth” and “sex”."""
    return listed(f"“{name}”" for name in kind.split(" × "))


def kind_of_group(kind: str) -> str:
    """A kind of group as a heading: “eth” × “sex”; everybody."""
    return kind if kind == "everybody" else " × ".join(f"“{name}”" for name in kind.split(" × "))


def capital(words: str) -> str:
    """With a capital letter at its beginning."""
    return words[:1].upper() + words[1:]


def listed(words: Iterable[str]) -> str:
    """a, b and c."""
    *most, last = list(words) or [""]
    return f"{', '.join(most)} and {last}" if most else last


def shared(settings: Sequence[Mapping[str, Any]]) -> str:
    """What several camera settings have in common, in words: 300 kbit/s, 0.01 of full light; no blur is not told."""
    first = settings[0] if settings else {}
    off = {"light": 1.0, "noise": 0.0, "defocus_px": 0.0, "motion_eyes_per_s": 0.0}

    def written(value: Any) -> str:
        return "×".join(f"{part:g}" for part in (value if isinstance(value, tuple | list) else [value]))

    told = [
        _SETTINGS[name].format(written(value))
        for name, value in first.items()
        if name in _SETTINGS and value is not None and value != off.get(name)
        and all(each[name] == value for each in settings)
    ]  # fmt: skip
    return ", ".join(told)


def condition(name: str) -> str:
    """A condition's name in words: inter_eye_px=15 → 15 px between the eyes."""
    if name == "clean":
        return "clean pictures"
    if name == "camera":
        return "the camera's picture"
    return ", ".join(
        _told(*part.split("=", 1)) if "=" in part else condition(part) if part in ("clean", "camera") else part
        for part in re.split(", ?|; ", name)
    )


def _told(key: str, value: str) -> str:
    """One setting: 15 px between the eyes; at night; no glasses; tone 9."""
    if key == "light" and value in LIGHTS:
        return LIGHTS[value]
    if key == "enlarge":
        return f"made {value} times larger"
    if key == "enhance":
        kind, _, name = value.partition("-")
        name, _, draw = name.rpartition("-") if kind == "prior" else (name, "", "")
        return _ENHANCED[kind].format(name, draw)
    if value in ("true", "false"):
        return plain(key) if value == "true" else f"no {plain(key)}"
    return _SETTINGS.get(key, plain(key) + " {}").format(value).strip()


def under(name: str) -> str:
    """The same with its preposition: on clean pictures, at 15 px between the eyes, at night, with glasses."""
    words = condition(name)
    if words.startswith(tuple(LIGHTS.values())):
        return words
    if name.partition("=")[0] in CAUSES and not name.startswith(tuple(_SETTINGS)):
        return f"with {words}"
    on = words.endswith(("picture", "pictures")) or words.startswith(("pictures", "clean pictures"))
    return f"{'on' if on else 'at'} {words}"


def setting(name: str) -> str:
    """A swept setting as an axis title: inter_eye_px → px between the eyes."""
    words = _SETTINGS.get(name, plain(name)).replace("{}", "").replace(THIN, " ")
    return _AXES.get(name, " ".join(words.split()))


def score(value: float | None) -> str:
    """A threshold in the system's own unit."""
    return "none" if value is None else f"{value:.4g}"


def at_point(point: str, threshold: str = "", whose: str = "its") -> str:
    """Where rates were counted: at its own threshold of 0.6, at a threshold of 0.5, or at that for a rate."""
    if point.startswith("fmr="):
        return f"at the threshold for a false match rate of {100 * float(point[4:]):g}{THIN}%"
    if point.startswith("given="):
        return f"at a threshold of {point[6:]}"
    return f"at {whose} own threshold" + (f" of {threshold}" if threshold else "")


def point_name(point: str) -> str:
    """An operating point as a column's heading."""
    words = at_point(point, whose="").removeprefix("at a ").removeprefix("at the ").removeprefix("at ").strip()
    return words.replace("a false match rate of", "FMR")


def file_name(path: str) -> str:
    """The last part of a path: folders say where somebody's data lies, which is nobody's business."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]


WHO_SAYS = {
    "self-reported": "the person",
    "assigned": "somebody else, who looked or had a document",
    "measured": "an instrument, by a stated method",
    "declared": "the program that drew the person",
    "inferred": "guessed from appearance, by a program or a person",
    "not stated": "whoever handed the labels in does not say",
}
"""What each provenance of a label means."""


def without_folders(value: Any) -> Any:
    """A JSON value in which every absolute path is cut down to its file name, inside sentences too."""
    if isinstance(value, Mapping):
        return {key: without_folders(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(each) for each in value]
    if not isinstance(value, str):
        return value
    if re.match(r"(/|[A-Za-z]:[\\/]|\\\\)", value) and "\n" not in value and ": " not in value:
        return file_name(value)
    return re.sub(r"(?<![\w/.:])(?:[A-Za-z]:)?[\\/](?:[^\s\\/:;,]+[\\/])+([^\s\\/:;,]+)", r"\1", value)


def without_names(sentence: str, names: Sequence[str]) -> str:
    """A sentence in which ids of people, of their transits and photographs, where listed, become "…".

    A listed id stands after a colon or a comma; a bare number elsewhere ("3 people") may look like an id and is not.
    """
    there = {name for name in names if name in sentence}  # a log has hundreds of thousands
    for name in sorted(there, key=len, reverse=True):
        if re.search(r"[/.]", name):  # a transit or a file: never a word of a sentence
            sentence = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", sentence)
        else:
            sentence = re.sub(rf"(?<=[:,] ){re.escape(name)}(?=$|[,;.]| and )", "…", sentence)
    return re.sub(r"…(?:, …)+", "…", sentence)

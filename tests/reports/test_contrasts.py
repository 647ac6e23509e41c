"""The section on contrasts: sentences that carry their numbers, a placebo that is loud, and a chart of every pair."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from reports import contrasts
from reports.charts import contrasts as drawn
from reports.stage import report
from reports.wording import THIN

SHARES = {"detection": "lower", "FTA": "higher", "FNMR": "higher", "FRR": "higher", "FMR": "higher"}


def row(
    metric: str = "detection", verdict: str = "shown: worse", value: float | None = -0.38,
    low: float | None = -0.45, high: float | None = -0.31, **other: Any,
) -> dict[str, Any]:  # fmt: skip
    """A row of evidence: dlib, tone 9 instead of 2 at night."""
    score = metric.endswith("score")
    told = {"value": value, "low": low, "high": high} if score else None
    return {
        "system": "one", "condition": {"name": "clean"}, "cell": "one--b", "baseline_cell": "one--a", "cause": "tone",
        "baseline": 2, "level": 9, "placebo": False, "within": {"light": "night"}, "baseline_arm": "a", "arm": "b",
        "truth": {"baseline": {"luminance": 0.31, "inter_eye_px": 61.2, "visible": 0.98},
                  "level": {"luminance": 0.031, "inter_eye_px": 61.2, "visible": 0.98}},
        "metric": metric, "operating_point": "own" if metric in ("FNMR", "FRR", "FMR") else None,
        "threshold": 0.6 if metric in ("FNMR", "FRR", "FMR") else None, "unit": "score" if score else "share",
        "worse": SHARES.get(metric, "higher"), "before": 0.9, "after": None if value is None else 0.9 + value,
        "value": value, "low": low, "high": high, "confidence": 0.95, "together_low": low, "together_high": high,
        "more_alike": told, "people": 24, "left_out": 0, "comparisons": 24, "p": 0.001, "holm_p": 0.01, "tests": 14,
        "method": "Student's t", "verdict": verdict, **other,
    }  # fmt: skip


SHIRT = {"cause": "shirt", "baseline": "white", "level": "black", "placebo": True, "arm": "c"}


def rows(placebo: str = "not shown") -> list[dict[str, Any]]:
    return [
        row(),
        row("FTA", "not shown", 0.02, -0.05, 0.12),
        row("mated score", value=-0.81, low=-1.1, high=-0.52),
        row("FNMR", "insufficient", 0.4, -0.2, 0.8, people=4, left_out=20, p=None, holm_p=None),
        row("FRR", value=0.2, low=0.08, high=0.34),
        row("non-mated score", "insufficient", None, None, None, people=0, more_alike=None, before=None),
        row(verdict=placebo, value=0.01, low=-0.02, high=0.03, **SHIRT),
        row("mated score", "not shown", 0.0, 0.0, 0.0, **SHIRT),
    ]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (row(), "the face was found in 38 percentage points fewer of the frames [31–45]; 24 people."),
        (row("FRR", value=0.2, low=0.08, high=0.34, left_out=3),
         "20 percentage points more of the people were missed in all at its own threshold of 0.6 [8.0–34]; 24 people "
         "(3 who passed could not be compared)."),
        (row("mated score", value=-0.81, low=-1.1, high=-0.52),
         "people looked 0.81 standard deviations less like their own photograph [0.52–1.10]; 24 people."),
        (row("FMR", value=-0.002, low=-0.004, high=-0.001, operating_point="fmr=1e-2"),
         f"0.2 percentage points fewer comparisons with strangers matched at the threshold for a false match rate of "
         f"1{THIN}% [0.1–0.4]; 24 people."),
    ],
)  # fmt: skip
def test_an_effect_is_told_with_its_size_direction_interval_and_people(told: dict[str, Any], sentence: str) -> None:
    assert contrasts.effect(told) == sentence


@pytest.mark.parametrize(
    ("low", "high", "sentence"),
    [
        (-0.03, 0.03, "up to 3.0 points either way"),
        (-0.02, 0.03, "up to 2.0 points fewer or 3.0 more"),
        (0.001, 0.12, "0.1 to 12 points more taken alone, which does not stand among 14 tests"),
        (-0.12, -0.001, "0.1 to 12 points fewer taken alone, which does not stand among 14 tests"),
    ],
)
def test_what_is_not_shown_says_how_large_it_may_be(low: float, high: float, sentence: str) -> None:
    assert contrasts.allowed(row(verdict="not shown", low=low, high=high)) == sentence


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, "skin tone 9 instead of 2, at night"),
        ({**SHIRT, "within": {}}, "shirt black instead of white (a placebo)"),
        ({"cause": "glasses", "level": True, "baseline": False, "within": {"tone": 5}},
         "with glasses instead of no glasses, skin tone 5"),
        ({"cause": "headwear", "level": "cap", "baseline": "none", "within": {}}, "with a cap instead of no headwear"),
        ({"cause": "light", "level": "night", "baseline": "daylight", "within": {}}, "at night instead of in daylight"),
        ({"cause": "bitrate_kbps", "level": 150.0, "baseline": 1500.0, "within": {}}, "kbit/s 150 instead of 1500"),
        ({"cause": "automatic", "level": False, "baseline": True, "within": {}}, "automatic off instead of on"),
    ],
)  # fmt: skip
def test_what_was_changed_is_said_in_words(changed: dict[str, Any], words: str) -> None:
    assert contrasts.change(row(**changed)) == words


def test_a_placebo_that_does_something_is_an_alarm() -> None:
    assert contrasts.alarms(rows()) == []
    (said,) = contrasts.alarms(rows(placebo="shown: better"))
    assert said.startswith("The placebo changed something: do not trust this run's contrasts. one, clean pictures: ")
    assert "face found in a frame" in said


def test_the_chart_has_a_line_for_every_pair_with_the_placebo_in_grey() -> None:
    spec = drawn(rows(), "own")
    points = [r for data in spec["datasets"].values() for r in data if "change" in r]
    assert len(points) == 7  # nothing was compared with strangers
    assert {r["colour"] for r in points if "placebo" in r["change"]} == {"#8a9099"}
    first = next(r for r in points if r["change"] == "skin tone 9 instead of 2, at night")
    assert (first["value"], first["low"], first["high"], first["shown"]) == (-38, -45, -31, True)


def told_by(made_up: Any, contrasted: list[dict[str, Any]]) -> str:
    run, loaded = made_up
    path = run.path / "evidence.json"
    run.write_bytes("evidence.json", json.dumps({**json.loads(path.read_text()), "contrasts": contrasted}).encode())
    report(run, loaded)
    return (run.path / "report/index.html").read_text(encoding="utf-8")


def section(source: str) -> str:
    text = re.sub(r"<[^>]+>", " ", source.split('<section id="contrasts">')[1].split("</section>")[0])
    return " ".join(text.split())


def test_the_report_tells_every_pair_in_words_and_in_figures(made_up: Any) -> None:
    source = told_by(made_up, rows())
    told = section(source)
    assert "one: the face was found in 38 percentage points fewer of the frames [31–45]; 24 people." in told
    assert "not evidence of how real groups of people fare" in told
    assert "light from the brow 0.31 → 0.031" in told
    assert "too few people to say (4)" in told
    assert "Shirt black instead of white, at night (a placebo)" in told
    assert "No effect is shown, which is not to say that there is none" in told
    assert "do not trust" not in source
    table = (made_up[0].path / "report/contrasts.csv").read_text().splitlines()
    assert len(table) == 1 + len(rows())
    assert "baseline_luminance" in table[0]
    assert set(re.findall(r'href="#([^"]+)"', source)) <= set(re.findall(r'\bid="([^"]+)"', source))


def test_the_report_begins_with_the_alarm_of_a_placebo(made_up: Any) -> None:
    source = told_by(made_up, rows(placebo="shown: worse"))
    assert source.index("do not trust this run") < source.index('<section id="found">')


def test_a_report_without_contrasts_has_no_such_section(page: str) -> None:
    assert 'id="contrasts"' not in page


def test_more_alike_is_not_called_better_where_strangers_are_more_alike_too():
    own, strangers = (row(metric, "shown: better", 0.5, 0.3, 0.7) for metric in ("mated score", "non-mated score"))
    note = "more alike is not better here: people look more like strangers' photographs too."
    assert contrasts.sentences([own, strangers])[0][-1] == note
    less = row("non-mated score", "shown: better", -0.5, -0.7, -0.3)
    unsure = row("non-mated score", "not shown", 0.1, -0.1, 0.3)
    for other in ([], [less], [unsure]):
        assert note not in contrasts.sentences([own, *other])[0]

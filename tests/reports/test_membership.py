"""The letter: what it says where people suffice, where they do not, and where nobody exists."""

from __future__ import annotations

from typing import Any

import pytest

from reports.membership import SIMULATION, letter


def figure(group: str, log10: float, hits: float, verdict: str = "measured", **ratio: Any) -> dict[str, Any]:
    told = {"log10": log10, "log10_low": log10 - 1, "log10_high": None, "at_limit": None, "counted": "counts", **ratio}
    return {
        "group": group, "people": 40, "mated_people": 38, "verdict": verdict, "why": None, "likelihood_ratio": told,
        "false_hits": {"faces": 30, "value": hits, "low": hits / 2, "high": min(1.0, 2 * hits), "how": "measured",
                       "measured_up_to": 39, "errors": 7, "comparisons": 1560},
        "posterior": [{"prior": p, "value": p / 2, "low": 0.0, "high": p} for p in (1.0, 0.5, 0.1, 0.01, 0.001)],
    }  # fmt: skip


def answer(**changes: Any) -> dict[str, Any]:
    figures = [figure("all", 2.0, 0.012), figure("black male", 0.3, 0.4), figure("few", 3.0, 0.9, "insufficient")]
    return {
        "score": 0.41, "direction": "distance", "own_threshold": 0.6, "called_a_match": True, "percent": 93.2,
        "percent_rule": "a rule", "more_alike_than_any": False, "file": None, "condition": {"name": "clean"},
        "system": {"name": "s", "versions": {"s": "1"}, "training_data": "nobody knows"}, "faces": 30, "people": 25,
        "group": "all", "figures": figures,
        "collection": {"name": "A set", "source": "example.org", "licence": "none", "pictures": 28,
                       "people_stated": True, "unreadable": 2, "without_face": 1, "without_template": 0,
                       "left_out": {"links": 3, "other files": 4, "too large": 0}},
        "calibration": {"title": "A run", "condition": "clean", "as_they_are": True, "made_up": False,
                        "has_photograph": False, "kind": "stills"},
        **changes,
    }  # fmt: skip


def said(**changes: Any) -> str:
    return " ".join(letter(answer(**changes)).split())


def test_every_figure_stands_beside_its_interval_and_what_it_rests_on() -> None:
    text = said()
    assert "It is not a yes, and not a no." in text
    assert "likelihood ratio 100, 95 % interval 10 to no upper limit" in text
    assert "It rests on 40 people, 38 of them with two photographs: counts." in text
    assert "of 1,000 photographs of people who are not in a collection of 30 faces, about 12 would" in text
    assert "(95 % interval 6 to 24)" in text
    assert "was 1 in 1,000: the best face is theirs with a probability of 0.050 %" in text
    assert "SIMULATION" not in text


def test_of_people_shown_several_times_it_says_how_they_were_counted() -> None:
    text = said()
    assert "it shows 25 people. Some are shown several times" in text
    assert "Among 30 people, by the likelihood ratio above" in text
    assert "several times" not in said(people=30)


def test_without_a_group_the_worst_stands_beside_everybody_and_small_ones_are_named() -> None:
    text = said()
    assert "Least of 1 group, had the person been one of people labelled black male: likelihood ratio 2.0" in text
    assert "were people labelled black male: of 1,000 photographs" in text
    assert "Too few people in the calibration to say so of: few." in text
    mine = said(group="black male")
    assert "People labelled black male: likelihood ratio 2.0" in mine
    assert "Everybody: likelihood ratio 100" in mine
    assert "Worst of" not in mine


def test_a_group_too_small_to_conclude_anything_says_so_where_it_is_asked_for() -> None:
    assert said(group="few").count("INSUFFICIENT EVIDENCE") == 2


def test_an_estimate_beyond_what_the_people_can_show_is_no_bound() -> None:
    text = said(figures=[figure("all", 2.0, 0.0, at_limit="over", log10_low=-0.5)])
    assert "likelihood ratio > 100" in text
    assert "which is no bound on the truth" in text
    assert "It includes 1: this calibration does not settle which of the two it speaks for." in text


def test_what_is_extrapolated_says_so_with_its_bias() -> None:
    row = figure("all", 1.0, 0.2)
    row["false_hits"] |= {"how": "extrapolated", "faces": 5000}
    text = said(figures=[row])
    assert "EXTRAPOLATED beyond the 39 faces that could be measured" in text
    assert "says too much where people differ" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"called_a_match": False}, "it would not call this one"),
        ({"more_alike_than_any": True}, "It may be the same photograph"),
        ({"file": "a/b.jpg"}, "The best face is in: a/b.jpg"),
        ({"percent": None}, "so it would call this one."),
    ],
)
def test_what_else_is_known_is_told(changes: dict[str, Any], words: str) -> None:
    assert words in said(**changes)
    assert words not in said() or changes == {"percent": None}


def test_made_up_people_stated_and_unstated_numbers_and_other_conditions_are_told() -> None:
    calibration = answer()["calibration"] | {"made_up": True, "as_they_are": False, "condition": "inter_eye_px=15"}
    text = said(calibration=calibration)
    assert text.startswith(SIMULATION)
    assert "40 people, photographs, 15 px between the eyes; the figures hold for a photograph that was taken so" in text
    assert "passes before a camera, clean pictures" in said(
        calibration=calibration | {"kind": "video", "condition": "clean"}
    )
    assert "The manifest says that it shows 25 people." in text
    unstated = said(collection=answer()["collection"] | {"people_stated": False})
    assert "Each face is taken for another person" in unstated
    known = said(calibration=answer()["calibration"] | {"has_photograph": True})
    assert "This very photograph is among those of the calibration" in known

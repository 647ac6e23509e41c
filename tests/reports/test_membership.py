"""The letter: what it says where people suffice, where they do not, and where nobody exists."""

from __future__ import annotations

from typing import Any

import pytest

from reports.membership import SIMULATION, letter


def figure(group: str, log10: float, hits: float, verdict: str = "measured", **ratio: Any) -> dict[str, Any]:
    told = {"log10": log10, "log10_low": log10 - 1, "log10_high": None, "at_limit": None, "counted": "counts",
            "log10_can_show": [-1.6, 3.0], **ratio}  # fmt: skip
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
                       "left_out": {"links": 3, "other files": 4, "too large": 0}, "recognised": []},
        "calibration": {"title": "A run", "condition": "clean", "as_they_are": True, "made_up": False,
                        "has_photograph": False, "kind": "stills"},
        **changes,
    }  # fmt: skip


def said(**changes: Any) -> str:
    return " ".join(letter(answer(**changes)).split())


def test_every_figure_stands_beside_its_interval_and_what_it_rests_on() -> None:
    text = said()
    assert "It is not a yes, and not a no." in text
    assert "likelihood ratio from 10 up, with no upper limit (95 % interval; estimate: 100)" in text
    assert "It rests on 40 people, 38 of them with two photographs: counts." in text
    assert "of 1,000 photographs of people who are not in a collection of 30 faces, between 6 and 24 would" in text
    assert "(95 % interval; estimate: 12)" in text
    assert "- if it was 1 in 1,000 that the person is in it: between 0 % and 0.10 % (estimate: 0.050 %)" in text
    assert "SIMULATION" not in text


def test_of_people_shown_several_times_it_says_how_they_were_counted() -> None:
    text = said()
    assert "it shows 25 people. Some are shown several times" in text
    assert "Among 30 people, by the likelihood ratio above" in text
    assert "several times" not in said(people=30)


def test_without_a_group_the_worst_stands_beside_everybody_and_small_ones_are_named() -> None:
    text = said()
    assert "The lowest limit of 1 group, had the person been one of people labelled black male: likelihood" in text
    assert "were people labelled black male: of 1,000 photographs" in text
    assert "Left out of this, with too few people in the calibration: 1 group (few)." in text
    mine = said(group="black male")
    assert "People labelled black male: likelihood ratio from 1/5.0 up, with no upper limit" in mine
    assert "Everybody: likelihood ratio from 10 up" in mine
    assert "The highest limit of" not in mine


def test_the_worst_group_is_the_one_with_the_highest_limit_and_never_better_than_everybody() -> None:
    noise, open_ = figure("white female", 2.5, 1e-15), figure("black", 1.0, 0.0, log10_low=None)
    noise["false_hits"]["high"], open_["false_hits"]["high"] = 0.1, 0.86
    text = said(figures=[figure("all", 2.0, 0.012), noise, open_])
    assert "were people labelled black: of 1,000 photographs" in text
    assert "between 0 and 860 would" in text
    assert "had the person been one of people labelled black: likelihood ratio from 0 up" in text
    better = figure("white", 2.5, 0.001)
    text = said(figures=[figure("all", 2.0, 0.012), better])
    assert "In none of 1 group is the upper limit above everybody’s." in text
    assert "In none of 1 group is the lower limit below everybody’s." in text


def test_an_upper_limit_beyond_what_the_people_can_show_is_of_no_use() -> None:
    assert "from 10 up, with no useful upper limit" in said(figures=[figure("all", 2.0, 0.0, log10_high=8.2)])
    assert "ratio between 10 and 501 (95 %" in said(figures=[figure("all", 2.0, 0.0, log10_high=2.7)])


def test_a_set_that_is_recognised_is_told_whatever_the_manifest_says() -> None:
    lfw = {"name": "Labeled Faces", "sure": "name and structure", "words": "Those pictured were not asked: news."}
    text = said(collection=answer()["collection"] | {"recognised": [lfw]})
    assert "By its name and the names of its files this folder is Labeled Faces. Those pictured were not asked" in text
    perhaps = said(collection=answer()["collection"] | {"recognised": [lfw | {"sure": "perhaps"}]})
    assert "By its files’ names alone this folder is perhaps Labeled Faces." in perhaps


def test_a_group_too_small_to_conclude_anything_says_so_where_it_is_asked_for() -> None:
    assert said(group="few").count("INSUFFICIENT EVIDENCE") == 2


def test_an_estimate_beyond_what_the_people_can_show_is_no_bound() -> None:
    text = said(figures=[figure("all", 2.0, 0.0, at_limit="over", log10_low=-0.5)])
    assert "likelihood ratio from 1/3.2 up, with no upper limit (95 % interval; estimate: above 100)" in text
    assert "if it was 1 in 2 that the person is in it: not settled: between 0 % and 50.0 %" in text
    assert not {"<", ">"} & {*text}
    settled = said(figures=[figure("all", 2.0, 0.0, at_limit="over")])
    assert "if it was 1 in 2 that the person is in it: between 0 % and 50.0 % (estimate: above 25.0 %)" in settled
    assert "which is no bound on the truth" in settled
    assert "It includes 1: this calibration does not settle which of the two it speaks for." in text


def test_what_is_extrapolated_says_so_with_its_bias() -> None:
    row = figure("all", 1.0, 0.2)
    row["false_hits"] |= {"how": "extrapolated", "faces": 5000}
    text = said(figures=[row])
    assert "EXTRAPOLATED beyond the 39 faces that could be measured" in text
    assert "says too much where people differ" in text
    high = f"{1000 * row['false_hits']['high']:,.0f}"
    assert f"up to {high} would find a face at least this alike (by a model" in text


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

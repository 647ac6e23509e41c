"""How numbers and names are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.wording import (
    THIN,
    bounds,
    columns,
    condition,
    count,
    kind_of_group,
    one_in,
    percent,
    point_name,
    ratio,
    setting,
    shared,
    times,
    too_few,
    under,
    without_folders,
    without_names,
)


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0.3671, "36.7"), (0.0712, "7.1"), (0.00031, "0.031"), (0.0099, "0.99"), (0.00996, "1.0"), (0, "0"), (1, "100"),
        (0.99999, "99.9"), (1e-9, "<0.0001"),
    ],
)  # fmt: skip
def test_percentages_have_sensible_digits(share: float, written: str) -> None:
    assert percent(share) == f"{written}{THIN}%"


@given(st.floats(min_value=1e-300, max_value=1, exclude_max=True))
def test_only_none_is_written_as_none_and_only_all_as_all(share: float) -> None:
    assert percent(share) not in (f"0{THIN}%", f"100{THIN}%")


def test_what_was_not_measured_is_not_zero() -> None:
    assert percent(None) == "not measured"


def test_intervals_say_their_unit_once() -> None:
    assert bounds(0.071, 0.17) == f"[7.1–17.0{THIN}%]"


@given(st.floats(min_value=1.001, max_value=1e6))
def test_at_least_is_never_more_than_the_limit(ratio: float) -> None:
    assert float(times(ratio).replace(",", "")) <= ratio


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.112, "about 1 in 9"), (0.7, "more than half of all"), (1.0, "all"), (0.00203, "about 1 in 490")],
)
def test_shares_in_words(share: float, words: str) -> None:
    assert one_in(share) == words


def test_one_of_anything_is_singular() -> None:
    assert [count(1, n) for n in ("people", "comparisons", "passes")] == ["1 person", "1 comparison", "1 pass"]


def test_a_number_that_is_not_known_is_not_invented() -> None:
    assert count(1, "stretches of time") == "1 stretch of time"
    assert count(1, "heads that people boxed by hand") == "1 head that somebody boxed by hand"
    assert [count(None, "people"), count(None)] == ["people not known", "not known"]
    assert too_few(None) == "too few comparisons to say"


def test_conditions_in_words() -> None:
    assert condition("inter_eye_px=15,bitrate_kbps=300") == f"15{THIN}px between the eyes, 300{THIN}kbit/s"
    assert condition("clean") == "clean pictures"
    assert condition("enhance=prior-old-town-3") == "pictures completed from the prior old-town (draw 3)"
    assert under("clean,enhance=bicubic,enlarge=4") == (
        "on clean pictures, pictures enlarged bicubically, made 4 times larger"
    )
    moving = "faces moving 2 times the distance between their eyes per second"
    assert condition("motion_eyes_per_s=2") == moving
    assert setting("motion_eyes_per_s") == "speed of faces, in distances between the eyes per second"


def test_columns_are_named_as_they_are_called() -> None:
    assert columns("face_eth × face_gender") == "“face_eth” and “face_gender”"
    assert kind_of_group("face_eth × face_gender") == "“face_eth” × “face_gender”"
    assert kind_of_group("everybody") == "everybody"


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ("/home/a b/photos/x.jpg", "x.jpg"),
        ("C:\\Users\\me\\x.jpg", "x.jpg"),
        ("/data/set/clip.mp4: is cut short", "clip.mp4: is cut short"),
        ("east_asian/white", "east_asian/white"),
        ("3 of 4 km/h", "3 of 4 km/h"),
    ],
)
def test_folders_are_cut_off_and_nothing_else(told: str, left: str) -> None:
    assert without_folders(told) == left


def test_listed_ids_go_and_numbers_stay() -> None:
    told = "3 people have no probe photograph: 3, 17 and 20 more"
    assert without_names(told, ["3", "17"]) == "3 people have no probe photograph: … and 20 more"


@pytest.mark.parametrize(
    ("point", "words"),
    [("own", "own threshold"), ("given=0.5", "threshold of 0.5"), ("fmr=1e-2", "threshold for FMR 1")],
)
def test_operating_points_in_words(point: str, words: str) -> None:
    assert point_name(point).removesuffix(f"{THIN}%") == words


def test_only_what_all_conditions_share_is_told_as_shared() -> None:
    settings: list[dict[str, object]] = [
        {"light": 0.01, "inter_eye_px": px, "bitrate_kbps": None, "frame": (640, 360)} for px in (20.0, 12.0)
    ]
    assert shared(settings) == f"0.01 of full light, a picture of 640×360{THIN}px"
    assert shared([{"light": 1.0, "defocus_px": 0.0}]) == ""
    assert shared([]) == ""


@pytest.mark.parametrize(("log10", "written"), [(2.0, "100"), (-1.398, "1/25"), (0.0, "1.0"), (0.6, "4.0")])
def test_likelihood_ratios_below_one_are_told_as_fractions(log10: float, written: str) -> None:
    assert ratio(log10) == written

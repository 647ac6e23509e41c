"""Made-up people on several days: the same body and face in other clothes, and nothing else of a film changes."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from pipelines.errors import InputError
from testbed.scenario.synthetic import days_of
from testbed.synthetic.clips import clips
from testbed.synthetic.people.person import Person
from testbed.synthetic.population import another_day
from testbed.synthetic.production import cast, on_day, produce
from testbed.synthetic.scenes.scene import scene
from testbed.synthetic.visits import coming, visits


def contents(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def people(made_up):
    synthetic = made_up(people=[{"count": 60}, {"count": 20, "shirt": "red", "headwear": "none", "hair": "long"}])
    return synthetic, cast(synthetic, 3)


def test_on_another_day_clothes_change_and_the_body_does_not(people):
    synthetic, first = people
    second = on_day(synthetic, first, 2)
    assert on_day(synthetic, first, 1) == first
    assert on_day(synthetic, first, 2) == second != on_day(synthetic, first, 3)
    for before, after in zip(first, second, strict=True):
        kept = before.changed(
            shirt=after.attributes.shirt, headwear=after.attributes.headwear, hair=after.attributes.hair
        )
        assert kept == after  # the seed, and with it every trait, and all other attributes
    worn = [(one.attributes, other.attributes) for one, other in zip(first, second, strict=True)]
    assert 30 < sum(a.shirt != b.shirt for a, b in worn[:60]) < 60
    assert any(a.headwear != b.headwear for a, b in worn)
    assert all((a.headwear == "headscarf") == (b.headwear == "headscarf") for a, b in worn)
    assert any(a.hair != b.hair for a, b in worn[:60])
    assert {(a.hair, b.hair) for a, b in worn if a.hair != b.hair} <= {("long", "tied"), ("tied", "long")}
    assert np.array_equal(Person(first[0]).rest, Person(second[0]).rest)


def test_what_is_declared_stays_on_every_day(people):
    synthetic, first = people
    for day in (2, 3, 4):
        for person in on_day(synthetic, first, day)[60:]:
            worn = person.attributes
            assert (worn.shirt, worn.headwear, worn.hair) == ("red", "none", "long")
    assert another_day(first[0], 2, ("shirt", "headwear", "hair")) == first[0]


def test_everybody_comes_on_the_first_day_and_as_many_as_asked_on_others(made_up):
    synthetic = made_up(staging="walks", days=3, return_rate=0.25)
    place = scene("corridor", "daylight")
    assert coming(synthetic, 400, 1, 1) == list(range(400))
    again = coming(synthetic, 400, 1, 2)
    assert len(again) == pytest.approx(100, abs=30)
    assert again != coming(synthetic, 400, 1, 3)
    found = visits(synthetic, place, 400, 1, 10, day=2)
    assert sorted(visit.person for visit in found) == again
    assert visits(synthetic, place, 400, 1, 10, day=2)[0].seed == found[0].seed
    with pytest.raises(InputError, match=r"probes.return_rate: nobody of 2 comes on day 2; raise it"):
        coming(made_up(days=2, return_rate=1e-9), 2, 1, 2)


def test_each_camera_films_each_day_into_a_clip_of_its_own(made_up):
    cameras = [{"name": "door", "distance": 2.5}, {"name": "till", "distance": 3.0}]
    synthetic = made_up(cameras=cameras, days=3)
    assert days_of(synthetic) == {clip.name: clip.day for clip in clips(synthetic, 1)} == {
        "door": 1, "door.day-2": 2, "door.day-3": 3, "till": 1, "till.day-2": 2, "till.day-3": 3,
    }  # fmt: skip


def test_the_first_day_is_the_film_of_a_single_day_and_each_is_made_again_alike(made_up, here, tmp_path):
    (one, several, again) = (tmp_path / name for name in ("one", "several", "again"))
    people = [{"count": 2, "sex": "female", "hair": "short", "headwear": "none"}]
    produce(made_up(people=people), 5, one, here)
    made = produce(made_up(people=people, days=2), 5, several, here)
    produce(made_up(people=people, days=2), 5, again, here)
    assert contents(one / "clips/lane.mp4") == contents(several / "clips/lane.mp4")
    assert contents(one / "references/P0001/photograph.png") == contents(several / "references/P0001/photograph.png")
    assert contents(several / "clips/lane.day-2.mp4") == contents(again / "clips/lane.day-2.mp4")
    assert contents(several / "clips/lane.mp4") != contents(several / "clips/lane.day-2.mp4")
    assert made.transits.select("camera", "transit", "subject").rows() == [
        (camera, f"{camera}/{who}/1", who) for camera in ("lane", "lane.day-2") for who in ("P0001", "P0002")
    ]
    # The same two people, as large, before the same camera.
    size = made.faces.group_by("camera").agg(pl.col("inter_eye_px").max())["inter_eye_px"]
    assert size.max() == pytest.approx(size.min(), rel=0.2)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"days": 0}, "days"),
        ({"days": 2, "return_rate": 0}, "return_rate"),
        ({"return_rate": 0.5}, "there is one day only; add `days`, or leave it out"),
        ({"days": 2, "contrasts": [{"cause": "tone", "levels": [2, 9]}]}, "contrasts are of one pass of everybody"),
        (
            {"days": 2, "cameras": [{"name": "a", "distance": 2.5}, {"name": "a.day-2", "distance": 3.0}]},
            "'a.day-2' is how a later day of another camera is called; rename it",
        ),
    ],
)
def test_days_that_cannot_be_are_told(made_up, more, said):
    with pytest.raises(ValidationError, match=said):
        made_up(**more)

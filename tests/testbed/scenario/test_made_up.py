"""What a scenario may say of made-up people: arms, pairs, and one sentence for each thing that cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.errors import InputError
from testbed.scenario.loading import load, reload
from testbed.scenario.synthetic import arms, pairs

CAMERA = {"name": "lane", "distance": 3.0}


def loaded(tmp_path: Path, *sets: str, **probes: Any):
    tree = {
        "title": "t", "groups": ["sex"], "systems": [{"pipeline": "plain"}],
        "probes": {"kind": "synthetic", "people": [{"count": 3}], "cameras": [CAMERA]} | probes,
    }  # fmt: skip
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(tree))
    return load(path, sets)


def contrasted(tmp_path: Path, *contrasts: dict[str, Any], **within: list[Any]):
    return loaded(tmp_path, contrasts=list(contrasts), within=within, staging="one by one")


def test_each_cause_is_changed_alone_from_one_baseline_at_every_setting(tmp_path):
    made = contrasted(
        tmp_path, {"cause": "tone", "levels": [2, 5, 9]}, {"cause": "shirt", "levels": ["grey", "red"]},
        light=["daylight", "night"],
    )  # fmt: skip
    probes = made.scenario.probes
    assert [arm.name for arm in arms(probes)] == [
        f"light={light},tone={tone},shirt={shirt}"
        for light in ("daylight", "night")
        for tone, shirt in ((2, "grey"), (5, "grey"), (9, "grey"), (2, "red"))
    ]
    assert len(pairs(probes)) == 6
    for pair in pairs(probes):
        one, other = ({a.name: a for a in arms(probes)}[name].levels for name in (pair.baseline_arm, pair.arm))
        assert {cause for cause in one if one[cause] != other[cause]} == {pair.cause}


def test_every_arm_is_a_cell_that_is_compared_with_photographs_of_the_same_bodies(tmp_path):
    made = contrasted(tmp_path, {"cause": "tone", "levels": [2, 9]}, {"cause": "mask", "levels": [False, True]})
    assert [(cell.arm, cell.enrolled, cell.picture) for cell in made.cells] == [
        ("tone=2,mask=false", "tone=2", "clean"), ("tone=9,mask=false", "tone=9", "clean"),
        ("tone=2,mask=true", "tone=2", "clean"),
    ]  # fmt: skip
    assert len({cell.id for cell in made.cells}) == 3


def test_a_run_finds_its_scenario_again(tmp_path):
    made = contrasted(tmp_path, {"cause": "tilt", "levels": [0, 30]}, light=["mixed", "infrared"])
    assert reload(made.resolved) == made


def test_only_the_camera_of_an_arm_changes(tmp_path):
    probes = contrasted(tmp_path, {"cause": "bitrate_kbps", "levels": [2000, 80]}).scenario.probes
    one, other = (arm.camera(probes) for arm in arms(probes))
    assert one.model_copy(update={"bitrate_kbps": 80.0}) == other
    assert one.bitrate_kbps == 2000


WRONG = {
    "zero people": ({"people": []}, "people: has too few entries"),
    "a count of none": ({"people": [{"count": 0}]}, "people[0].count: should be at least 1"),
    "an unknown tone": ({"people": [{"count": 1, "tone": 11}]}, "people[0].tone: should be at most 10"),
    "a child": ({"people": [{"count": 1, "age": "0-17"}]}, "people[0].age: should be one of 18-29"),
    "an unknown scene": ({"scene": "forest"}, "scene: should be one of corridor, gate, street, shop"),
    "a picture beyond the bound": (
        {"cameras": [{**CAMERA, "size": [4096, 4096]}]}, "cameras[0].size: a frame has at most 3,686,400 pixels",
    ),
    "an odd picture": ({"cameras": [{**CAMERA, "size": [641, 360]}]}, "both sides must be even"),
    "two places": ({"cameras": [{**CAMERA, "mount": "wall"}]}, "mount and distance both say where it hangs"),
    "two cameras of one name": ({"cameras": [CAMERA, CAMERA.copy()]}, "cameras[1].name: two cameras are called 'lane'"),
    "a cause that is none": ({"contrasts": [{"cause": "mood", "levels": [1, 2]}]}, "mood is nothing that can be"),
    "a level that is none": ({"contrasts": [{"cause": "tone", "levels": [2, 12]}]}, "tone: 12 is no level of it"),
    "one level": ({"contrasts": [{"cause": "tone", "levels": [2]}]}, "levels: has too few entries"),
    "a level twice": ({"contrasts": [{"cause": "tone", "levels": [2, 2]}]}, "tone has a level twice"),
    "where, but not what": ({"within": {"light": ["night"]}}, "within: says where contrasts are made"),
    "too many arms": (
        {"contrasts": [{"cause": "tone", "levels": list(range(1, 11))}],
             "within": {"hair": ["short", "long", "bald", "afro"], "shirt": ["red", "blue"]}},
        "make 80 arms of at most 60",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_is_told_in_a_sentence_with_its_place(tmp_path, what):
    probes, said = WRONG[what]
    with pytest.raises(InputError, match=r"probes") as told:
        loaded(tmp_path, **probes)
    assert said in str(told.value)
    assert len(str(told.value).splitlines()) == 1


def test_made_up_people_bring_their_own_table_and_photographs(tmp_path):
    (tmp_path / "people.csv").write_text("subject\na\n")
    with pytest.raises(InputError, match="subjects: made-up people bring their own"):
        loaded(tmp_path, "subjects.table=people.csv")
    with pytest.raises(InputError, match=r"groups\[0\]: is nothing that made-up people have"):
        loaded(tmp_path, "groups=[shoes]")

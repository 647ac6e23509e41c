"""The sentences of the first screen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from reports import findings, tables
from reports.reading import Contents, read
from reports.wording import THIN
from testbed.runs.directory import RunDirectory
from testbed.scenario.loading import reload

RATE = rf"[\d.]+{THIN}%"
WHOLE = re.compile(rf"{RATE} \[[<\d.]+–[\d.]+{THIN}%\] \([\d,]+ of [\d,]+ [a-z ]+, [\d,]+ (people|person)\)")


@pytest.fixture(scope="module")
def contents(stills: RunDirectory) -> Contents:
    return read(stills, reload(stills.manifest()["scenario"]))


def sentences(contents: Contents) -> list[str]:
    return [
        said
        for system in contents.systems
        for said in [
            *findings.headline(contents, system),
            *(each for finding in findings.findings(contents, system) for each in finding.sentences),
        ]
    ]


def test_every_printed_rate_carries_its_interval_and_numbers(contents: Contents) -> None:
    rates = 0
    for said in sentences(contents):
        rates += len(WHOLE.findall(said))
        rest = re.sub(rf"as high as {RATE}", "", WHOLE.sub("", said))
        assert f"{THIN}%" not in rest, f"a bare rate: {said}"
    assert rates >= 10


def test_a_group_shown_to_be_falsely_matched_more_is_said_with_both_rates(contents: Contents) -> None:
    (said,) = [said for said in findings.headline(contents, "one") if "Falsely matched more" in said]
    assert "black people, at least 5.3 times as often as white people" in said
    assert len(WHOLE.findall(said)) == 2


def test_a_lower_limit_is_rounded_down_never_up(contents: Contents) -> None:
    assert not any("5.4 times" in said for said in sentences(contents))


def test_a_difference_not_shown_is_not_called_equality(contents: Contents) -> None:
    (open_,) = [f for f in findings.findings(contents, "one") if f.weight == "open"]
    assert "male" in open_.sentences[0]
    assert "not evidence that they are treated alike" in open_.sentences[0]


def test_an_insufficient_group_is_named_and_never_ranked(contents: Contents, hostile: str) -> None:
    cell = contents.reference_cell("one")
    (unknown,) = [f for f in findings.findings(contents, "one") if f.weight == "unknown"]
    assert any(f"{hostile} (3)" in said for said in unknown.sentences)
    worst = findings.worst_group(contents, cell)
    assert worst is not None
    assert worst["probe_group"] == "black", "the highest rate of all is of a group with too few people"
    order = [group.name for group, _ in tables.ranked(contents, cell, contents.kinds()["eth"])]
    assert order == ["black", "white", hostile]


def test_the_worst_condition_for_finding_faces_is_told(contents: Contents) -> None:
    said = " ".join(each for f in findings.findings(contents, "one") for each in f.sentences)
    assert f"It was worst at 12{THIN}px between the eyes: 50.0{THIN}%" in said


def test_clean_is_the_reference_condition_wherever_it_stands(contents: Contents) -> None:
    turned = replace(contents, cells=contents.cells[::-1])
    assert turned.conditions[0] != "clean"
    assert turned.reference_condition == "clean"


def test_passers_by_are_spoken_of_per_found_face(video: RunDirectory) -> None:
    contents = read(video, reload(video.manifest()["scenario"]))
    said = " ".join(findings.headline(contents, "one"))
    assert "In clips that show nobody enrolled" in said
    assert "every one of them false" in said
    assert WHOLE.search(said)
    assert findings.too_small(contents) == "", "nothing was compared, so no group was found too small"

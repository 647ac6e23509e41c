"""What a scenario may say of searches, and what it is told where it says something else."""

import pytest

from testbed.scenario.loading import ScenarioError
from testbed.scenario.searching import Lookup, Watchlist

VIDEO = """\
title: A clip
subjects: {table: people.csv}
references: {images: "photos/{subject}_1.jpg"}
probes:
  kind: video
  cameras:
    - {name: door, file: people.csv, truth: {nobody_enrolled: true}}
    - {name: gate, file: people.csv}
systems: [{pipeline: plain}]
"""


def test_a_search_is_read_with_its_defaults_and_kept_as_resolved(base, read):
    made = read(base + "search: {kind: lookup}\n")
    assert made.scenario.search == Lookup(kind="lookup", length=10, people=None)
    assert made.resolved["search"] == {"kind": "lookup", "length": 10, "people": None}
    made = read(base + "search: {kind: watchlist, wanted: 3, fusion: mean template}\n")
    assert made.scenario.search == Watchlist(kind="watchlist", wanted=3, fusion="mean template", length=5)


def test_without_a_search_nothing_is_searched_and_one_face_is_wanted_in_a_photograph(base, read):
    made = read(base)
    assert made.scenario.search is None
    assert made.scenario.references.face == "one"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("{length: 3}", "search: is missing `kind`; add `kind: lookup`, `kind: identification` or `kind: watchlist`"),
        (
            "{kind: lookups}",
            "search.kind: should be one of lookup, identification, watchlist, not 'lookups'; did you mean `lookup`?",
        ),
        ("{kind: lookup, wanted: 3}", "search.wanted: unknown key"),
        ("{kind: lookup, length: 0}", "search.length: should be at least 1, not 0"),
        ("{kind: identification, people: 0}", "search.people: should be at least 1, not 0"),
        ("{kind: watchlist}", "search.wanted: is missing; add it"),
        ("{kind: watchlist, wanted: 3, fusion: best}", "search.fusion: should be one of max score, best frame, mean"),
    ],
)
def test_a_mistake_in_a_search_is_told_in_one_sentence(base, read, said, sentence):
    with pytest.raises(ScenarioError) as error:
        read(base + f"search: {said}\n")
    (problem,) = error.value.problems
    assert sentence in problem


def test_searches_need_people_who_are_known(read):
    text = VIDEO + "search: {kind: identification}\n"
    with pytest.raises(ScenarioError) as error:
        read(text)
    assert "search: nobody on these recordings is known: add `truth: {file: …}` to a camera" in str(error.value)
    assert read(text.replace("{nobody_enrolled: true}", "{file: people.csv}")).scenario.search is not None


def test_searches_need_reference_photographs(read):
    text = VIDEO.replace('references: {images: "photos/{subject}_1.jpg"}\n', "")
    text = text.replace("{nobody_enrolled: true}", "{file: people.csv}") + "search: {kind: lookup}\n"
    with pytest.raises(ScenarioError) as error:
        read(text)
    assert "search: needs reference photographs: add `references: {images: …}`" in str(error.value)


def test_a_score_log_is_not_searched(base, read):
    text = base.replace("kind: stills", "kind: log").replace("images: photos/{subject}_2.jpg", "files: [people.csv]")
    with pytest.raises(ScenarioError) as error:
        read(text + "search: {kind: lookup}\n")
    assert "search: a score log is not searched" in str(error.value)

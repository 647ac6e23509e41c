"""Searches made of templates: hand-worked galleries, and every list against a loop over all scores."""

import numpy as np
import polars as pl
import pytest

from kernels.crosscount import Faces
from kernels.scores import scores_of
from pipelines.errors import InputError
from testbed.evidence.searches import searches_of
from testbed.matching.people import People, people_of
from testbed.matching.searching import ABSENT, Gallery, Units, fused, gallery_of, order_of, searched, wanted
from testbed.runs.tables import CANDIDATES, CAPTURES, SEARCHES, conform
from testbed.scenario.searching import Identification, Lookup, Watchlist


def people(names, groups=None):
    return people_of(pl.DataFrame({"subject": sorted(names), "sex": groups or ["f"] * len(names)}), ["sex"], 1)


def units(rows, of: People):
    """Units from (name, person, templates); no templates: none could be made."""
    rows = sorted(rows, key=lambda row: (row[1], row[0]))
    have = [row for row in rows if len(row[2])]
    who = of.index(pl.Series([row[1] for row in rows], dtype=pl.String))
    there = np.array([bool(len(row[2])) for row in rows], bool)
    starts = np.cumsum([0, *(len(row[2]) for row in have)])
    templates = np.array([t for row in have for t in row[2]], np.float32).reshape(starts[-1], -1)
    faces = Faces(templates, starts, who[there])
    return Units(pl.Series([row[0] for row in rows], dtype=pl.String), who, there, faces)


def lists(found):
    """search → [(reference, score), …], ranks being 1, 2, … everywhere; and the rows of SEARCHES by name."""
    table = pl.concat([pl.DataFrame(schema=CANDIDATES.columns), *(conform(CANDIDATES, f) for f in found.candidates)])
    listed = {row["search"]: [] for row in found.searches.iter_rows(named=True)}
    for row in table.sort("search", "rank").iter_rows(named=True):
        listed[row["search"]].append((row["reference"], round(row["score"], 6)))
        assert row["rank"] == len(listed[row["search"]])
    return listed, {row["search"]: row for row in found.searches.iter_rows(named=True)}, table


# -- hand-worked --------------------------------------------------------------------------------------------------
ENROLLED = {name: float(10 * i) for i, name in enumerate("abcdefgz")}
"""Everybody's face is a number. z is enrolled, and not wanted."""


def station(probes, threshold=3.0):
    """Seven wanted people, and probes {name: face}, named by their person: FPIR, FNIR(1), FNIR(2), selectivity."""
    everyone = people([*ENROLLED, "x", "y"])
    enrolled = units([(f"photo {name}", name, [[face]]) for name, face in ENROLLED.items()], everyone)
    able, z = np.unique(enrolled.people), everyone.subjects.index("z")
    seed = next(seed for seed in range(200) if z not in wanted(everyone, 7, seed, able))
    passing = units([(name, name[0], [] if face is None else [[face]]) for name, face in probes.items()], everyone)
    found = searched(
        "c", Watchlist(kind="watchlist", wanted=7), passing, enrolled, everyone, seed, "euclidean", "distance"
    )
    limits = {"own": np.array([threshold, threshold])}
    made = searches_of(everyone, "distance", limits, conform(SEARCHES, found.searches),
                       [conform(CANDIDATES, f) for f in found.candidates], found.cut)  # fmt: skip
    group = everyone.everyone()
    rates = [made.fpir("own", 7, group), made.fnir("own", 7, 1, group), made.fnir("own", 7, 5, group),
             made.selectivity("own", 7, group)]  # fmt: skip
    return [(rate.errors, rate.comparisons) for rate in rates]


RIGHT = {name: ENROLLED[name] + 1 for name in "abcdefg"}


def test_seven_wanted_people_and_two_others_without_an_error():
    assert station({**RIGHT, "x": 500.0, "y": 900.0}) == [(0, 2), (0, 7), (0, 7), (0, 14)]


@pytest.mark.parametrize(("length", "cut"), [(6, 6), (7, None), (8, None)])
def test_lists_as_long_as_the_watch_list_are_whole_whoever_else_is_enrolled(length, cut):
    everyone = people(ENROLLED)
    enrolled = units([(f"photo {name}", name, [[face]]) for name, face in ENROLLED.items()], everyone)
    found = searched("c", Watchlist(kind="watchlist", wanted=7, length=length), enrolled, enrolled, everyone, 1,
                     "euclidean", "distance")  # fmt: skip
    assert (found.most, found.cut) == (7, cut)


def test_one_injected_error_of_each_kind_is_counted_once():
    # x looks like c; b looks more like a than like b, and is still within reach.
    wrong = {**RIGHT, "b": 7.5, "x": 21.0, "y": 900.0}
    assert station(wrong) == [(1, 2), (0, 7), (0, 7), (1, 14)]
    assert station({**wrong, "b": 4.0}, 6.5) == [(1, 2), (1, 7), (0, 7), (1, 14)]


def test_two_injected_errors_of_each_kind_and_a_face_that_was_not_found():
    wrong = {**RIGHT, "b": 4.0, "c": None, "x": 25.0, "y": 33.0}
    # x lies at 5 from c and from d, y at 3 from d: a tie with the threshold matches.
    assert station(wrong, 5.0) == [(2, 2), (2, 7), (2, 7), (3, 14)]
    assert station(wrong, 6.5)[1:3] == [(2, 7), (1, 7)]


def test_a_list_holds_each_photograph_of_a_person_and_ties_stand_in_a_fixed_order():
    everyone = people("abcd")
    enrolled = units(
        [("b/1", "b", [[2.0]]), ("b/2", "b", [[4.0]]), ("c/1", "c", [[4.0]]), ("a/1", "a", [[2.0]])], everyone
    )
    passing = units([("d at noon", "d", [[3.0], [9.0]])], everyone)
    found = searched("c", Identification(kind="identification", length=3, people=2), passing, enrolled, everyone, 4,
                     "euclidean", "distance")  # fmt: skip
    listed, made, _ = lists(found)
    assert list(made) == ["d at noon" + ABSENT]  # d is not enrolled, and is never searched for as somebody who is
    inside = {everyone.subjects[i] for i in order_of(everyone, 4) if everyone.subjects[i] in "abc"}
    first_two = [everyone.subjects[i] for i in order_of(everyone, 4) if everyone.subjects[i] in inside][:2]
    tied = [("a/1", 1.0), ("b/1", 1.0), ("b/2", 1.0), ("c/1", 1.0)]
    assert listed["d at noon" + ABSENT] == [each for each in tied if each[0][0] in first_two][:3]


def test_a_photograph_is_looked_up_once_without_the_persons_own_passes_and_once_with_them():
    everyone = people("abc")
    photographs = units([("a/p", "a", [[0.0]]), ("b/p", "b", [])], everyone)
    passing = units(
        [("a 1", "a", [[1.0]]), ("a 2", "a", [[5.0], [0.5]]), ("b 1", "b", []), ("c 1", "c", [[2.0]])], everyone
    )
    found = searched("c", Lookup(kind="lookup"), photographs, passing, everyone, 1, "euclidean", "distance")
    listed, made, table = lists(found)
    assert {name: (row["mated"], row["state"], row["gallery"]) for name, row in made.items()} == {
        "a/p": (True, "searched", 2), "a/p, absent": (False, "searched", 2),
        "b/p": (True, "failed", 2), "b/p, absent": (False, "failed", 2),
    }  # fmt: skip
    assert listed["a/p, absent"] == [("c 1", 2.0)]  # b was there, and no face of theirs was found
    other = {"c 1"} & {name for name, _ in listed["a/p"]}
    assert listed["a/p"] == [("a 2", 0.5), ("a 1", 1.0), *[("c 1", 2.0)] * len(other)]
    assert listed["b/p"] == listed["b/p, absent"] == []
    assert set(table["subject"]) <= {"a", "c"}


# -- galleries ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [1, 4, 11])
def test_everybody_is_searched_for_in_a_gallery_of_exactly_n_people(size):
    everyone = people([f"p{i:02}" for i in range(14)])
    able = np.arange(12)
    gallery = gallery_of(Lookup(kind="lookup", people=size), everyone, 3, able)
    for person in range(14):
        for mated in (True, False) if person < 12 else (False,):
            members = gallery.members(person, mated=mated)
            assert len(set(members)) == size
            assert (person in members) == mated
            assert set(members) <= set(able)
            assert len(set(members) ^ set(gallery.order[:size])) in (0, 2)


def test_smaller_galleries_are_parts_of_larger_ones():
    everyone = people([f"p{i:02}" for i in range(14)])
    small, large = (gallery_of(Lookup(kind="lookup", people=n), everyone, 3, np.arange(14)) for n in (4, 9))
    assert set(small.order[:4]) <= set(large.order[:9])
    assert isinstance(small, Gallery)


def test_the_wanted_are_drawn_evenly_over_the_groups_and_only_from_people_enrolled():
    everyone = people([f"p{i:02}" for i in range(20)], ["f"] * 5 + ["m"] * 15)
    enrolled = np.setdiff1d(np.arange(20), [0])
    for seed in range(20):
        listed = wanted(everyone, 6, seed, enrolled)
        assert len(set(listed)) == 6
        assert np.bincount(everyone.groups[listed]).tolist() == [3, 3]
        assert 0 not in listed
    assert {tuple(wanted(everyone, 6, seed)) for seed in range(20)} != {tuple(wanted(everyone, 6, 0))}


@pytest.mark.parametrize(
    ("search", "sentence"),
    [
        (Lookup(kind="lookup", people=5), r"search.people: is 5, and 5 people passed .* at most 4"),
        (Identification(kind="identification", people=9), r"search.people: is 9, and 5 people are enrolled; .* 4"),
        (Watchlist(kind="watchlist", wanted=5), r"search.wanted: is 5, and 5 people are enrolled; name at most 4"),
    ],
)
def test_a_gallery_of_more_people_than_there_are_is_told(search, sentence):
    with pytest.raises(InputError, match=sentence):
        gallery_of(search, people("abcdefg"), 1, np.arange(5))


@pytest.mark.parametrize("search", [Lookup(kind="lookup"), Watchlist(kind="watchlist", wanted=1)])
def test_an_empty_gallery_is_told(search):
    with pytest.raises(InputError, match=r"0 people .* at least 2 are needed"):
        gallery_of(search, people("abc"), 1, np.zeros(0, np.int64))


# -- every list, against a loop -----------------------------------------------------------------------------------
def drawn(rng, everyone, share, faces, coarse):
    """Passes and photographs of some people, templates on a coarse grid so that scores tie."""

    def some(kind, most):
        return units([
            (f"{name}/{kind}{i}", name,
             rng.normal(size=(0 if rng.random() < 0.1 else rng.integers(1, faces + 1), 3)).round(coarse) + 0.25)
            for name in everyone.subjects if rng.random() < share for i in range(rng.integers(1, most + 1))
        ], everyone)  # fmt: skip

    return some("pass", 4), some("photo", 2)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize(
    "search",
    [
        Lookup(kind="lookup", length=3),
        Lookup(kind="lookup", length=40, people=5),
        Identification(kind="identification", length=4),
        Identification(kind="identification", length=2, people=7),
        Watchlist(kind="watchlist", wanted=3, length=2),
    ],
    ids=lambda search: f"{search.kind}-{search.length}",
)
def test_every_list_is_what_a_loop_over_all_scores_gives(search, metric):
    rng = np.random.default_rng(7)
    everyone = people([f"p{i:02}" for i in range(18)], ["f", "m", "m"] * 6)
    for coarse, seed in ((0, 1), (1, 2), (6, 3)):
        passing, photographs = drawn(rng, everyone, 0.8, 5, coarse)
        probes, gallery = (photographs, passing) if search.kind == "lookup" else (passing, photographs)
        direction = "similarity" if metric == "cosine" else "distance"
        found = searched("c", search, probes, gallery, everyone, seed, metric, direction)
        listed, made, _ = lists(found)
        scores = np.concatenate([s for _, s in scores_of(probes.faces, gallery.faces, metric)])
        itself = searched("c", search, probes, gallery, everyone, seed, scores, direction)
        assert lists(itself)[:2] == (listed, made)
        able = np.unique(gallery.people if search.kind == "lookup" else gallery.people[gallery.have])
        who = gallery_of(search, everyone, seed, able)
        expected = {}
        row, most = -1, 0
        for name, person, have in zip(probes.names, probes.people, probes.have, strict=True):
            row += have
            for mated in (True, False):
                if (mated and person not in who.order) or (
                    search.kind == "watchlist" and mated != (person in who.order)
                ):
                    continue
                key = name if mated or search.kind == "watchlist" else name + ABSENT
                members = who.members(person, mated=mated)
                most = max(most, np.isin(gallery.faces.subjects, members).sum())
                each = [
                    (float(-score if metric == "cosine" else score), k)
                    for k, score in enumerate(scores[row]) if gallery.faces.subjects[k] in members
                ]  # fmt: skip
                names = gallery.names.filter(pl.Series(gallery.have))
                best = sorted(each)[: search.length] if have else []
                expected[key] = [(names[k], round(float(scores[row][k]), 6)) for _, k in best]
                assert made[key]["mated"] == mated
                assert made[key]["state"] == ("searched" if have else "failed")
                assert made[key]["gallery"] == who.size
        assert listed == expected
        assert found.most == most


def test_a_pass_of_very_many_frames_does_not_crowd_out_the_others():
    everyone = people("abcd")
    passing = units([("a", "a", [[i / 100] for i in range(60)]), ("b", "b", [[2.0]]), ("c", "c", [[3.0]])], everyone)
    photographs = units([("d/p", "d", [[0.0]])], everyone)
    found = searched("c", Lookup(kind="lookup", length=2), photographs, passing, everyone, 1, "euclidean", "distance")
    listed, _, _ = lists(found)
    two = [everyone.subjects[i] for i in order_of(everyone, 1) if everyone.subjects[i] != "d"][:2]
    nearest = [("a", 0.0), ("b", 2.0), ("c", 3.0)]
    assert listed == {"d/p" + ABSENT: [each for each in nearest if each[0] in two]}


# -- what stands for a pass ---------------------------------------------------------------------------------------
def captured(rows):
    """CAPTURES from (frame, transit, score, x2, row)."""
    return pl.DataFrame(
        {
            "cell": "c", "camera": "k", "frame": frame, "face": 0, "seconds": 0.0, "x1": 0.0, "y1": 0.0, "x2": x2,
            "y2": 10.0, "score": score, "transit": transit, "subject": transit, "iou": 1.0, "state": "ok",
            "reason": "", "row": row,
        }
        for frame, transit, score, x2, row in rows
    ).cast(CAPTURES.columns)  # fmt: skip


def test_the_best_frame_is_the_detectors_and_of_several_the_larger():
    templates = np.eye(6, dtype=np.float32)
    rows = captured([(0, "a", 0.5, 90, 0), (1, "a", 0.9, 10, 1), (2, "a", 0.9, 20, 2), (3, "b", None, 10, 3),
                     (4, "b", None, 10, 4), (5, "b", -1.0, 5, 5)])  # fmt: skip
    faces, kept = fused(rows, templates, people("ab"), "best frame", "cosine")
    assert faces.templates.argmax(axis=1).tolist() == [2, 5]
    assert kept.all()
    faces, _ = fused(rows.filter(pl.col("frame") != 5), templates, people("ab"), "best frame", "cosine")
    assert faces.templates.argmax(axis=1).tolist() == [2, 3]


def test_the_mean_template_weighs_every_frame_alike_and_has_unit_length_where_lengths_mean_nothing():
    templates = np.array([[10, 0], [0, 1], [3, 4], [-6, -8]], np.float32)
    rows = captured([(0, "a", 1, 9, 0), (1, "a", 1, 9, 1), (2, "b", 1, 9, 2), (3, "b", 1, 9, 3)])
    cosine, kept = fused(rows, templates, people("ab"), "mean template", "cosine")
    assert cosine.templates == pytest.approx(np.full((1, 2), 0.5**0.5))
    assert kept.tolist() == [True, False]  # two opposite templates leave none
    plain, kept = fused(rows, templates, people("ab"), "mean template", "euclidean")
    assert plain.templates.tolist() == [[5, 0.5], [-1.5, -2]]
    assert kept.all()

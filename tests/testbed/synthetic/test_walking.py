"""Walking: routes, limbs that stay rigid, feet that do not slide, and the same walk whatever somebody wears."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from pipelines.errors import InputError
from testbed.synthetic import assets
from testbed.synthetic.people.identity import Attributes, Identity
from testbed.synthetic.people.limbs import Foot
from testbed.synthetic.people.person import Person, Pose, Posed
from testbed.synthetic.people.template import template
from testbed.synthetic.people.walking import SHARPEST, Route, Walker

WOMAN = Identity(5, Attributes(sex="female", age="45-59", tone=3, family="B", hair="short"))
MAN = Identity(8, Attributes(sex="male", age="18-29", tone=7, family="A"))
CORNER = Route([(0, 0), (0, 3), (2, 5), (6, 5)])


@cache
def person(of: Identity) -> Person:
    return Person(of)


@cache
def walk(of: Identity) -> Walker:
    return Walker(person(of), CORNER, starts=10, seed=2)


def stride(of: Walker, frames: int) -> list[float]:
    """Times spread over one stride around the route's first corner."""
    begin = of.starts + 2 / of.speed
    return [begin + 2 * of.step / of.speed * k / frames for k in range(frames)]


def toes(of: Posed, side: str) -> np.ndarray:
    """Places of the shoe that move with the toes alone."""
    share = sum(w for bone, w in assets.assets().weights.items() if bone.startswith("toe") and bone.endswith(side))
    return of.mesh.positions[len(template().body.first) :][: len(template().clothes.first)][
        template().clothes.of(share) > 0.99
    ]


def test_a_route_rounds_its_corners():
    route = Route([(0, 0), (0, 4), (5, 4)])
    assert route.length == pytest.approx(9 - 2 * 0.8 + 0.8 * np.pi / 2, abs=2e-3)
    assert route.at(0) == (0, 0, 0)
    assert route.at(route.length) == pytest.approx((5, 4, 90))
    x, z, heading = route.at(3.2 + 0.8 * np.pi / 4)
    assert (x, z) == pytest.approx((0.8 - 0.8 / np.sqrt(2), 3.2 + 0.8 / np.sqrt(2)), abs=2e-3)
    assert heading == pytest.approx(45, abs=0.5)
    assert route.at(-1) == pytest.approx((0, -1, 0))
    assert route.at(route.length + 2) == pytest.approx((7, 4, 90))


@pytest.mark.parametrize("points", [[(0, 0), (0, 3), (-2, 4), (-9, 4)], [(0, 0), (0, 0.4), (0.4, 0.4), (3, 3), (5, 0)]])
def test_a_route_heads_where_it_goes(points):
    route, step = Route(points), 0.01
    found = np.array([route.at(metres) for metres in np.arange(0, route.length, step)])
    moved = np.diff(found[:, :2], axis=0)
    assert np.hypot(*moved.T) == pytest.approx(step, rel=0.01)
    off = np.degrees(np.arctan2(moved[:, 0], moved[:, 1])) - found[:-1, 2]
    assert abs((off + 180) % 360 - 180).max() < 6


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        ([(0, 0)], "a path needs two or more points, each x, z"),
        ([(0, 0), (np.nan, 1)], "a path needs two or more points"),
        ([(0, 0), (0, 1), (0, 1)], "points 2 and 3 of a path are the same place"),
        ([(0, 0), (0, 5), (0, 1)], f"a path turns by 180° at its point 2; at most {SHARPEST:g}°"),
    ],
)
def test_a_path_that_nobody_can_walk_is_one_sentence(points, sentence):
    with pytest.raises(InputError, match=sentence):
        Route(points)


@pytest.mark.parametrize("who", [WOMAN, MAN])
def test_limbs_keep_their_lengths(who):
    mesh, rest = assets.assets(), person(who).rest
    for second in stride(walk(who), 8):
        body = person(who).body(walk(who).pose(second))
        for side in "lr":
            for a, b in (("upper-leg", "knee"), ("knee", "ankle"), ("ankle", "foot-1"), ("shoulder", "elbow")):
                one, other = (np.linalg.norm(
                    mesh.joint(of, f"{side}-{a}") - mesh.joint(of, f"{side}-{b}")
                ) for of in (body, rest))  # fmt: skip
                assert one == pytest.approx(other, rel=0.02), (side, a)


@pytest.mark.parametrize("who", [WOMAN, MAN])
def test_one_foot_is_on_the_floor_and_stays_where_it_stands(who):
    walker, slid, landed, standing = walk(who), 0.0, {}, []
    for second in np.arange(*(walker.starts + 1, walker.starts + 4), 0.05):
        posed = person(who).posed(walker.pose(second))
        assert abs(posed.mesh.positions[:, 1].min()) < 0.001
        down = {side: toes(posed, side) for side in ("L", "R")}
        down = {side: at.mean(0) for side, at in down.items() if at[:, 1].min() < 0.006}
        landed = {side: landed.get(side, at) for side, at in down.items()}
        for side, at in down.items():
            slid = max(slid, float(np.linalg.norm((at - landed[side])[[0, 2]])))
        standing.append(len(down))
    assert slid < 0.03
    assert 0 < np.mean(np.array(standing) == 2) < 0.5  # both feet carry for a part of each stride
    assert np.mean(np.array(standing) == 0) < 0.3  # else a heel


@pytest.mark.parametrize("who", [WOMAN, MAN])
def test_knees_bend_forwards_and_legs_do_not_cross(who):
    mesh, walker = assets.assets(), Walker(person(who), Route([(0, 0), (0, 6)]), 0, seed=1)
    for second in stride(walker, 12):
        body = person(who).body(walker.pose(second))
        for side in "lr":
            hip, knee, ankle = (mesh.joint(body, f"{side}-{name}") for name in ("upper-leg", "knee", "ankle"))
            share = (hip[1] - knee[1]) / (hip[1] - ankle[1])
            assert knee[2] > hip[2] + share * (ankle[2] - hip[2])
        for name in ("knee", "ankle"):
            assert mesh.joint(body, f"l-{name}")[0] - mesh.joint(body, f"r-{name}")[0] > 0.6  # decimetres


def test_a_stride_repeats_itself():
    walker = Walker(person(MAN), Route([(0, 0), (0, 9)]), 0, speed=1.2, seed=1)
    long = 2 * walker.step
    one, next_ = (walker.pose(second) for second in (1.3, 1.3 + long / walker.speed))
    assert one.arms == pytest.approx(next_.arms)
    assert one.at == pytest.approx((next_.at[0], next_.at[1] - long))
    for a, b in zip(one.feet, next_.feet, strict=True):
        assert (a.at[0], a.at[1] + long, a.heading, a.pitch, a.lift) == pytest.approx(
            (*b.at, b.heading, b.pitch, b.lift), abs=1e-9
        )


def test_a_walk_takes_the_time_of_its_length_and_moves_smoothly():
    walker = Walker(person(WOMAN), CORNER, starts=3, speed=1.5)
    assert walker.ends == pytest.approx(3 + CORNER.length / 1.5)
    eyes = np.array([
        person(WOMAN).posed(replace(walker.pose(second), yaw=0, pitch=0)).landmarks.left_eye
        for second in np.arange(4, 6, 0.04)
    ])  # fmt: skip
    pace = np.linalg.norm(np.diff(eyes, axis=0), axis=1) / 0.04
    assert pace.min() > 1.1
    assert pace.max() < 2.1
    assert 0.01 < np.ptp(eyes[:, 1]) < 0.06  # a head bobs by centimetres


def test_a_head_keeps_its_shape_as_it_walks():
    def apart(of: Posed) -> np.ndarray:
        marks = vars(of.landmarks).values()
        return np.array([np.linalg.norm(a - b) for a, b in combinations(marks, 2)])

    rest = apart(person(MAN).posed())
    for second in stride(walk(MAN), 5):
        pose = replace(walk(MAN).pose(second), expression={}, gaze=(0, 0))
        assert apart(person(MAN).posed(pose)) == pytest.approx(rest, abs=1e-5)


def test_the_same_seed_gives_the_same_walk_in_any_order_and_another_seed_another():
    times = np.random.default_rng(0).permutation(np.linspace(10, 14, 9))
    again = Walker(Person(MAN), CORNER, starts=10, seed=2)
    assert [again.pose(second) for second in times] == [walk(MAN).pose(second) for second in times]
    other = Walker(person(MAN), CORNER, starts=10, seed=3)
    assert other.pose(12) != walk(MAN).pose(12)
    assert other.speed != walk(MAN).speed


@pytest.mark.parametrize("change", [{"tone": 1}, {"shirt": "red"}, {"glasses": True}, {"mask": True}, {"hair": "bald"}])
def test_nothing_that_leaves_the_body_as_it_is_changes_how_it_moves(change):
    other = Person(MAN.changed(**change), infrared=True)
    for make in (
        lambda of: Walker(of, CORNER, 10, seed=2), lambda of: Walker.stays(of, (1, 2), 30, 10, 2, seed=4),
    ):  # fmt: skip
        one, two = make(person(MAN)), make(other)
        assert (one.ends, one.step) == (two.ends, two.step)
        assert [one.pose(second) for second in np.linspace(10, one.ends, 7)] == [
            two.pose(second) for second in np.linspace(10, one.ends, 7)
        ]


@pytest.mark.parametrize(("who", "heading"), [(WOMAN, 0), (MAN, 120)])
def test_who_stays_has_their_eyes_over_the_spot_at_half_time_and_comes_slowly(who, heading):
    walker = Walker.stays(person(who), (4, -2), heading, starts=7, seconds=1.5, seed=1)
    assert walker.ends == pytest.approx(8.5)
    found = []
    for second in (7, 7.75, 8.5):
        marks = person(who).posed(walker.pose(second)).landmarks
        found.append(((marks.left_eye + marks.right_eye) / 2)[[0, 2]])
    assert np.linalg.norm(found[1] - [4, -2]) < 0.03
    towards = np.array([np.sin(np.radians(heading)), np.cos(np.radians(heading))])
    assert (found[2] - found[0]) @ towards == pytest.approx(0.45, abs=0.1)
    with pytest.raises(InputError, match="cannot stay for 0 seconds"):
        Walker.stays(person(who), (4, -2), heading, 7, 0)


def test_heads_look_ahead_mostly_and_aside_at_times_eyes_jump_and_lids_close_briefly():
    walker, step = Walker(person(WOMAN), Route([(0, 0), (0, 400)]), 0, speed=1, seed=6), 0.02
    poses = [walker.pose(second) for second in np.arange(0, 400, step)]
    yaw, pitch = (np.array([getattr(pose, name) for pose in poses]) for name in ("yaw", "pitch"))
    gaze = np.array([pose.gaze for pose in poses])
    assert 0.65 < np.mean(abs(yaw) < 10) < 0.9
    assert 20 < abs(yaw).max() <= 25
    assert abs(pitch).max() < 16
    assert 0 < pitch.mean() < 5
    assert abs(np.diff(yaw)).max() < 4  # a head turns, it does not jump
    assert abs(gaze).max(0) == pytest.approx([18, 8], abs=2)
    closed = np.array([pose.expression.get("eye-left-closure", 0) > 0 for pose in poses])
    edges = np.flatnonzero(np.diff(closed.astype(int)))
    begins, ends = edges[closed[edges + 1]], edges[~closed[edges + 1]]
    lasts = (ends[ends > begins[0]][: len(begins)] - begins[: len(ends)]) * step
    assert lasts.min() >= 0.12
    assert lasts.max() <= 0.32
    assert 3.4 < np.diff(begins).mean() * step < 4.6
    assert max(pose.expression.get("eye-left-closure", 0) for pose in poses) > 0.98


def test_a_foot_out_of_reach_is_refused():
    far = Pose(feet=(Foot((0.07, 1.5)), Foot((-0.07, 0))))
    with pytest.raises(ValueError, match=r"a foot is 1\.\d+ m from its hip"):
        person(MAN).posed(far)

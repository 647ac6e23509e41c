from dataclasses import replace

import numpy as np
import pytest

from testbed.replay.assignment import assign, overlaps
from testbed.sources.frames import Truth


def truth(*boxes):
    return Truth(np.array(boxes, np.float32).reshape(-1, 4), tuple("ab"[: len(boxes)]), tuple("AB"[: len(boxes)]))


def test_overlap_is_shared_area_over_joint_area():
    found, where = np.array([[0, 0, 2, 2]]), np.array([[1, 1, 3, 3], [5, 5, 6, 6], [0, 0, 2, 2]])
    np.testing.assert_allclose(overlaps(found, where), [[1 / 7, 0, 1]])


def test_two_faces_never_belong_to_one_person():
    found = np.array([[0, 0, 10, 10], [1, 0, 11, 10]], np.float32)
    owners = assign(found, truth((0, 0, 10, 10)), 0.3)
    assert owners == [(0, 1.0), None]


def test_the_assignment_with_most_overlap_in_all_wins_over_the_greedy_one():
    # Greedy would give face 0 to a (its best), leaving face 1 with nothing it overlaps enough.
    found = np.array([[0, 0, 10, 10], [0, 0, 10, 6]], np.float32)
    owners = assign(found, truth((0, 0, 10, 9), (0, 4, 10, 14)), 0.3)
    assert [owner[0] for owner in owners] == [1, 0]


def test_a_face_that_no_truth_explains_is_nobodys():
    assert assign(np.array([[50, 50, 60, 60]], np.float32), truth((0, 0, 10, 10)), 0.3) == [None]
    assert assign(np.zeros((0, 4), np.float32), truth((0, 0, 10, 10)), 0.3) == []


@pytest.mark.parametrize(
    ("found", "owned"),
    [
        ([(0, 0, 40, 40)], True),  # the whole picture: 100 of 1,600 pixels shared, under 0.3
        ([(0, 0, 16, 40)], True),  # six tenths of the face
        ([(0, 0, 15, 40)], False),  # half of it
        ([(13, 13, 17, 17)], False),  # inside it, and far too small
        ([(0, 0, 40, 40), (30, 30, 40, 40)], False),  # two faces: which is meant is not known
    ],
)
def test_a_large_box_is_the_persons_where_nobody_else_is_in_the_picture(found, owned):
    found, among = np.array(found, np.float32), truth((10, 10, 20, 20))
    assert assign(found, among, 0.3)[0] is None  # passers-by whom no truth names may be there
    owner = assign(found, replace(among, alone=True), 0.3)[0]
    assert owner == ((0, pytest.approx(overlaps(found, among.boxes)[0, 0])) if owned else None)


def test_where_the_place_is_not_known_the_largest_face_is_the_persons():
    unknown = Truth(np.zeros((0, 4), np.float32), ("a",), ("A",), anywhere=True)
    owners = assign(np.array([[0, 0, 5, 5], [0, 0, 9, 9]], np.float32), unknown, 0.3)
    assert owners[0] is None
    assert owners[1][0] == 0
    assert owners[1][1] != pytest.approx(owners[1][1])  # NaN: no overlap is claimed

import numpy as np
import pytest

from pipelines.interface import Captures
from testbed.matching.enrolment import one_face


def faces(*boxes):
    templates = [[float(i + 1), 0.0] for i in range(len(boxes))]
    return Captures.of(np.array(boxes).reshape(-1, 4), templates, 2, {})


def test_of_two_faces_in_a_reference_photograph_none_is_enrolled_unless_the_scenario_takes_the_largest():
    two = faces((0, 0, 10, 10), (20, 0, 50, 40))
    assert one_face(two, largest=False) == "2 faces found where one was expected"
    assert one_face(two, largest=True).tolist() == [2, 0]


@pytest.mark.parametrize("largest", [False, True])
def test_a_photograph_without_a_face_is_a_failure_either_way(largest):
    assert one_face(faces(), largest) == "no face found"
    assert one_face(faces((0, 0, 9, 9)), largest).tolist() == [1, 0]

"""Faces of a collection: every one of every picture, and in counts what was none."""

import numpy as np
import pytest

from pipelines.interface import Captures
from testbed.matching.collection import gathered, scores_against


def picture(*faces, side=10):
    """A picture's captures: a template for each face, the later ones larger; None for a face that left none."""
    boxes = [(0, 0, side * (i + 1), side * (i + 1)) for i in range(len(faces))]
    return Captures.of(boxes, [[1.0, 2.0, 3.0] if face is None else face for face in faces], 2, {})


def test_every_face_of_every_picture_is_compared_and_the_rest_is_counted():
    found = [picture((1, 0), (0, 1)), "cannot be read", picture(), picture((3, 4)), picture(None)]
    enrolled = gathered(found, largest=False)
    assert enrolled.templates.tolist() == [[1, 0], [0, 1], [3, 4]]
    assert enrolled.pictures.tolist() == [0, 0, 3]
    assert (enrolled.unreadable, enrolled.without_face, enrolled.without_template) == (1, 1, 1)


def test_where_every_picture_shows_one_face_the_largest_is_it():
    enrolled = gathered([picture((1, 0), (0, 1)), picture((3, 4))], largest=True)
    assert enrolled.templates.tolist() == [[0, 1], [3, 4]]
    assert enrolled.pictures.tolist() == [0, 1]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_scores_are_those_of_the_metric(metric):
    template, enrolled = np.array([1, 1], np.float32), gathered([picture((1, 0), (3, 4))], largest=False)
    by_hand = [1, np.sqrt(13)] if metric == "euclidean" else [1 / np.sqrt(2), 7 / np.sqrt(2) / 5]
    assert scores_against(template, enrolled, metric) == pytest.approx(by_hand)

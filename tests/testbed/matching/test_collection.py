"""Faces of a collection: every one of every picture, and in counts what was none."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from pipelines.errors import InputError
from pipelines.interface import Captures
from testbed.matching.collection import enrol_collection, gathered, scores_against
from testbed.replay import segment
from testbed.runs.directory import RunDirectory
from testbed.sources.collection import read_collection


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


@pytest.mark.parametrize("named", [False, True])
def test_a_picture_at_which_the_system_fails_is_named_only_where_names_are_wanted(tmp_path, monkeypatch, named):
    class Broken:
        def enrol(self, images):
            raise RuntimeError("no")

    monkeypatch.setattr(segment, "_pipeline", lambda *_: Broken())
    Image.new("RGB", (8, 8)).save(tmp_path / "Anna.png")
    (tmp_path / "manifest.yaml").write_text("name: A\nsource: B\nlicence: C\n")
    run = RunDirectory.create(tmp_path / "run", {})
    with ThreadPoolExecutor(1) as executor, pytest.raises(InputError, match=r"the enrolment of .* raised") as raised:
        enrol_collection(run, "s", read_collection(tmp_path), executor, named=named)
    assert ("Anna" in str(raised.value)) == named


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_scores_are_those_of_the_metric(metric):
    template, enrolled = np.array([1, 1], np.float32), gathered([picture((1, 0), (3, 4))], largest=False)
    by_hand = [1, np.sqrt(13)] if metric == "euclidean" else [1 / np.sqrt(2), 7 / np.sqrt(2) / 5]
    assert scores_against(template, enrolled, metric) == pytest.approx(by_hand)

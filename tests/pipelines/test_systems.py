"""The three systems on real photographs: one face each, the same person nearer than another."""

import numpy as np
import pytest

from pipelines.dlib_resnet import DlibResnet
from pipelines.face_recognition_library import FaceRecognition
from pipelines.model_file import ModelFile, digest
from pipelines.yunet_openvino import YunetOpenvino
from testbed.sources.photographs import read_photograph


@pytest.fixture(scope="module")
def photographs(data):
    """Two people, each neutral and smiling, at half size: [a, a', b, b']."""
    faces = data / "london_set"
    names = [f"{kind}/{person}" for person in ("001", "002") for kind in ("neutral", "smiling")]
    suffix = {"neutral": "03", "smiling": "08"}
    return [read_photograph(faces / f"{name}_{suffix[name.split('/')[0]]}.jpg")[::2, ::2].copy() for name in names]


def edge(data):
    network = data / "models/openvino/face-reidentification-retail-0095/FP16/face-reidentification-retail-0095.xml"
    files = (data / "models/face_detection_yunet_2026may.onnx", network, network.with_suffix(".bin"))
    return YunetOpenvino(*(ModelFile(path, digest(path)) for path in files))


@pytest.mark.parametrize("name", ["face_recognition", "dlib", "yunet-openvino"])
def test_a_person_is_more_alike_to_themselves_than_to_another(name, photographs, data):
    system = {"face_recognition": FaceRecognition, "dlib": DlibResnet}.get(name, lambda: edge(data))()
    captures = system.enrol(photographs)
    assert [len(faces) for faces in captures] == [1, 1, 1, 1]
    assert system.info.name == name
    assert system.info.models
    templates = np.stack([faces.templates[0] for faces in captures]).astype(float)
    if system.info.metric == "cosine":
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
        scores = templates @ templates.T
    else:
        scores = -np.linalg.norm(templates[:, None] - templates[None], axis=2)
    assert min(scores[0, 1], scores[2, 3]) > max(scores[0, 2], scores[1, 3])
    height, width = photographs[0].shape[:2]
    assert (captures[0].boxes > 0).all()
    assert (captures[0].boxes[:, [0, 2]] < width).all()
    assert (captures[0].boxes[:, [1, 3]] < height).all()
    assert set(captures[0].timings) >= {"detect", "template"}


def test_face_recognition_is_called_as_its_users_call_it(photographs):
    import face_recognition

    places = face_recognition.face_locations(photographs[0])
    expected = face_recognition.face_encodings(photographs[0], places)[0]
    (captures,) = FaceRecognition().capture(photographs[:1])
    np.testing.assert_array_equal(captures.templates[0], expected.astype(np.float32))


def test_nothing_is_found_where_nothing_is(data):
    empty = np.full((200, 300, 3), 127, np.uint8)
    for system in (FaceRecognition(), DlibResnet(), edge(data)):
        (captures,) = system.capture([empty])
        assert len(captures) == 0
        assert captures.templates.shape == (0, system.info.dimensions)


def test_the_eyes_dlib_reports_are_image_left_then_image_right(photographs):
    (captures,) = DlibResnet().capture(photographs[:1])
    left, right = captures.landmarks[0][:2]
    assert left[0] < right[0]

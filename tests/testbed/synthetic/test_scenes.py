"""Scenes: free air for cameras and walkers, no holes, nothing inside out, and light as declared."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from kernels.raster import Camera, Light, Materials, Mesh, Rendered, look_at, render
from pipelines.errors import InputError
from testbed.scenario.synthetic import LIGHTS, SCENES
from testbed.synthetic.scenes.building import openness
from testbed.synthetic.scenes.scene import LAMP, Mount, Scene, Solid, scene

EACH = [(name, mount) for name in SCENES for mount in scene(name, "daylight").mounts]
FACE = 1.6
WHITE = Materials((np.full((1, 1, 4), 255, np.uint8),), np.zeros(1), np.zeros(1, bool), np.zeros(1, bool))
LUX = {
    "corridor": {"daylight": 500, "mixed": 300, "backlight": 60, "night": 4},
    "gate": {"daylight": 500, "mixed": 300, "backlight": 80, "night": 5},
    "street": {"daylight": 10_000, "mixed": 300, "backlight": 3000, "night": 5},
    "shop": {"daylight": 500, "mixed": 300, "backlight": 80, "night": 3},
}


def towards(pan: float, tilt: float) -> np.ndarray:
    p, t = np.radians([pan, tilt])
    return np.array([-np.sin(p) * np.cos(t), -np.sin(t), -np.cos(p) * np.cos(t)])


def camera(mount: Mount, width: int = 320, height: int = 180) -> Camera:
    focal = width / 2 / np.tan(np.radians(mount.field / 2))
    rotation = look_at(mount.eye, mount.eye + towards(mount.pan, mount.tilt))
    return Camera((focal, focal), (width / 2, height / 2), rotation, mount.eye, width, height)


def usual(of: Scene) -> Mount:
    return next(iter(of.mounts.values()))


@cache
def drawn(name: str, light: str, mount: str) -> Rendered:
    of = scene(name, light)
    at = of.mounts[mount]
    return render(of.meshes, of.materials, camera(at), of.lighting(light, at.eye).lights)


def card(of: Scene, light: str) -> float:
    """What a white card shows that stands at the spot like a face, without the scene's shadows on it."""
    facing = -towards(of.heading, 0)
    right = np.array([-facing[2], 0, facing[0]]) * -0.1
    middle, up = np.array([of.spot[0], FACE, of.spot[1]]), np.array([0, 0.1, 0])
    corners = [middle - right - up, middle + right - up, middle + right + up, middle - right + up]
    mesh = Mesh(
        np.array(corners, np.float32), np.tile(facing, (4, 1)).astype(np.float32), np.ones(4, np.float32),
        np.array([[0, 1, 2], [0, 2, 3]], np.int32), np.zeros((2, 3, 2), np.float32), np.zeros(2, np.int32),
    )  # fmt: skip
    eye = middle + facing
    looking = Camera((40, 40), (8, 8), look_at(eye, middle), eye, 16, 16)
    shown = render([mesh], WHITE, looking, of.lighting(light, usual(of).eye).lights)
    assert shown.identity[8, 8] == 0
    return float(shown.colour[8, 8].mean())


@pytest.mark.parametrize(("name", "mount"), EACH)
def test_every_mount_hangs_in_free_air(name, mount):
    of = scene(name, "daylight")
    assert of.within(of.mounts[mount].eye) == ""


@pytest.mark.parametrize("name", SCENES)
def test_every_path_is_free(name):
    of = scene(name, "daylight")
    assert {path: of.misstep(points) for path, points in of.paths.items()} == dict.fromkeys(of.paths, "")


@pytest.mark.parametrize("name", SCENES)
def test_there_is_free_air_before_the_spot_for_cameras_that_aim_at_it(name):
    of = scene(name, "daylight")
    face, ahead = np.array([of.spot[0], FACE, of.spot[1]]), -towards(of.heading, 0)
    for distance in (1, 2, 3, 4, 5, 6):
        assert of.within(face + distance * ahead) == "", distance
    for angle in np.radians([0, 15, 30, 45]):
        assert of.within(face + 2.5 * (ahead * np.cos(angle) + [0, np.sin(angle), 0])) == "", angle
    assert of.misstep(np.array([of.spot, of.spot])) == ""


@pytest.mark.parametrize(("name", "eye", "where"), [
    ("corridor", (-2.5, 2, -5), "the left wall"), ("corridor", (2.01, 2, -5), "the right wall"),
    ("corridor", (1.97, 2, -5), "the right wall"),  # nearer than a lens is from its glass
    ("corridor", (0, 4.5, 0), "the ceiling"), ("corridor", (0, -0.5, 0), "the floor"),
    ("corridor", (0, 30, 0), "outside the scene"), ("corridor", (0, 2, -40), "outside the scene"),
    ("gate", (-0.56, 0.8, -3), "gate 2"), ("gate", (4, 2, -8), "the right column"),
    ("street", (-4, 3, 0), "the shops"), ("street", (2.5, 1, -7), "a parked car"), ("street", (4, -0.3, 0), "the road"),
    ("shop", (2, 1, -1.5), "the counter"), ("shop", (2, 1, -9.05), "the glass front"),
    ("corridor", (0, 2.5, 0), ""), ("street", (5, 4, -10), ""),
])  # fmt: skip
def test_a_camera_inside_something_is_told_what(name, eye, where):
    assert scene(name, "daylight").within(np.array(eye)) == where


@pytest.mark.parametrize(("name", "points", "wrong"), [
    ("shop", [(0, 0), (9, 0)], "point 2 (9, 0) lies outside the shop"),
    ("street", [(0, 0), (0, -99)], "point 2 (0, -99) lies outside the street"),
    ("shop", [(2, 0), (2, -2.5)], "between points 1 and 2 it goes through the counter"),
    ("shop", [(0, 0), (0, -1), (2, -1.5)], "point 3 (2, -1.5) lies in the counter, or within a shoulder's width of it"),
    ("gate", [(0, 0), (-4, 0), (-4, -6)], "between points 2 and 3 it goes through the left fence"),
    ("corridor", [(0, 0)], "a path needs two points or more, not 1"),
    ("gate", [(0, -7), (0, 0)], ""),  # under the board, which hangs higher than any head
])  # fmt: skip
def test_a_wrong_path_is_told_in_words(name, points, wrong):
    assert scene(name, "daylight").misstep(np.array(points)) == wrong


def test_names_that_do_not_exist_are_told_in_one_sentence():
    with pytest.raises(InputError, match="scene: 'airport' is not one of corridor, gate, street, shop"):
        scene("airport", "daylight")
    with pytest.raises(InputError, match="light: 'noon' is not one of daylight"):
        scene("shop", "noon")
    with pytest.raises(InputError, match="light: 'noon' is not one of daylight"):
        scene("shop", "daylight").lighting("noon", np.zeros(3))


@pytest.mark.parametrize(("name", "mount"), EACH)
def test_no_camera_sees_a_hole(name, mount):
    assert (drawn(name, "daylight", mount).identity >= 0).all()


@pytest.mark.parametrize(("name", "mount"), EACH)
def test_nothing_is_inside_out(name, mount):
    """Surfaces that show one side alone look the same where both are drawn: none has its back to a camera."""
    of, at = scene(name, "daylight"), scene(name, "daylight").mounts[mount]
    both = replace(of.materials, double_sided=np.ones(len(of.materials.textures), bool))
    seen = render(of.meshes, both, camera(at), of.lighting("daylight", at.eye).lights)
    assert (seen.depth == drawn(name, "daylight", mount).depth).mean() > 0.999


@pytest.mark.parametrize("name", SCENES)
def test_meshes_are_few_triangles_whose_normals_agree_with_their_winding(name):
    of = scene(name, "daylight")
    assert sum(len(mesh.triangles) for mesh in of.meshes) < 8000
    assert max(max(texture.shape) for texture in of.materials.textures) <= 1024
    for mesh in of.meshes:
        a, b, c = mesh.positions[mesh.triangles].transpose(1, 0, 2).astype(np.float64)
        wound = np.cross(b - a, c - a)
        given = mesh.normals[mesh.triangles].mean(axis=1)
        foliage = of.materials.cutout[mesh.material]
        assert (np.linalg.norm(wound, axis=1) > 1e-9).all()
        assert ((wound * given).sum(axis=1)[~foliage] > 0).all()


def test_a_scene_is_the_same_bytes_every_time():
    def bytes_of(of: Scene) -> list[bytes]:
        arrays = [x for m in of.meshes for x in (m.positions, m.normals, m.occlusion, m.uv, m.material)]
        return [x.tobytes() for x in (*arrays, *of.materials.textures)]

    from testbed.synthetic.scenes import building, shop

    first = bytes_of(scene("shop", "night"))
    for kept in (shop.paints, shop.panels, building.materials):
        kept.cache_clear()
    assert bytes_of(shop.built("night")) == first


def test_a_place_between_walls_sees_the_share_of_the_sky_that_it_should():
    """Beside an endless wall a floor loses half the sky, in the open nothing; what darkens is nearer than REACH."""
    wall = Solid("a wall", (0, -1, -50), (1, 50, 50))
    up = np.array([[0.0, 1, 0]])
    free, beside, beyond = (openness(np.array([[x, 0.0, 0]]), up, [wall])[0] for x in (-9, -0.001, 1.5))
    assert free == 1
    assert beside == pytest.approx(1 - 0.85 / 2, abs=0.06)
    assert beside < beyond < 1
    clear = replace(wall, clear=True)
    assert openness(np.array([[-0.001, 0.0, 0]]), up, [clear])[0] == 1


@pytest.mark.parametrize("light", [light for light in LIGHTS if light != "infrared"])
@pytest.mark.parametrize("name", SCENES)
def test_about_the_declared_lux_falls_on_a_face_at_the_spot(name, light):
    of = scene(name, light)
    lit = of.lighting(light, usual(of).eye)
    assert lit.lux == LUX[name][light]
    assert not lit.monochrome
    assert 0.7 < card(of, light) < 1.4


@pytest.mark.parametrize("name", SCENES)
def test_infrared_falls_off_with_the_square_of_the_distance_from_the_camera(name):
    of = scene(name, "infrared")
    eye = usual(of).eye
    lit = of.lighting("infrared", eye)
    assert lit.monochrome
    assert lit.lamp
    way = eye - [of.spot[0], FACE, of.spot[1]]
    cosine = way @ -towards(of.heading, 0) / np.linalg.norm(way)
    assert card(of, "infrared") * lit.lux == pytest.approx(LAMP * cosine / (way @ way), rel=0.03)
    lamp = lit.lights.lights[-1]
    assert isinstance(lamp, Light)
    assert lamp.point
    assert (lamp.vector == eye).all()
    assert not of.lighting("daylight", eye).lamp


@pytest.mark.parametrize("name", SCENES)
def test_against_the_light_the_sky_is_at_least_16_times_as_bright_as_a_grey_card(name):
    of = scene(name, "backlight")
    window = max(np.percentile(drawn(name, "backlight", mount).colour.mean(axis=2), 99.5) for mount in of.mounts)
    grey = 0.18 * card(of, "backlight")
    assert 16 <= window / grey <= 64
    usually = drawn(name, "backlight", next(iter(of.mounts))).colour.mean(axis=2)
    assert np.percentile(usually, 99) / grey >= 16
    assert np.percentile(drawn(name, "daylight", next(iter(of.mounts))).colour.mean(axis=2), 99) / grey < 16


@pytest.mark.parametrize("name", SCENES)
def test_who_is_as_tall_as_people_are_throws_a_shadow_of_a_quarter_to_four_metres(name):
    for light in LIGHTS:
        lights = scene(name, light).lighting(light, np.zeros(3)).lights.lights
        for x, y, z in (np.asarray(each.vector) for each in lights if each.shadows):
            assert 0.25 < 1.7 * np.hypot(x, z) / y < 4.1, light


def test_a_mount_looks_where_its_scene_has_its_spot():
    for name in SCENES:
        of = scene(name, "daylight")
        x, y, depth = camera(usual(of)).project(np.array([[of.spot[0], FACE, of.spot[1]]]))[0]
        assert 0.2 * 320 < x < 0.8 * 320
        assert 0.1 * 180 < y < 0.9 * 180
        assert 3 < depth < 8

"""Pictures against geometry: closed forms, rays shot one by one, the NumPy twin, and a triangulation of the plane."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, binary_erosion
from scipy.spatial import Delaunay

from kernels.coverage import STEP, Corners, Texels, cover, cover_twin, extents, extents_twin
from kernels.raster import (
    LARGEST,
    NEAREST,
    Camera,
    Light,
    Lights,
    Materials,
    Mesh,
    backdrop,
    joined,
    look_at,
    render,
    srgb,
)
from kernels.shading import LINEAR

EVERYWHERE = Lights((), above=(1, 1, 1), below=(1, 1, 1))
"""Light from all sides: what is seen is the texture."""
AHEAD = np.diag([1.0, -1.0, -1.0])
"""A camera that looks along −z, as y is up."""


def mesh(points, triangles, uv=None, material=0, normal=None, casts=True):
    points, triangles = np.asarray(points, np.float32), np.asarray(triangles, np.int32)
    if normal is None:
        a, b, c = (points[triangles[0, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        normal = normal / max(np.linalg.norm(normal), 1e-9)
    uv = np.zeros((len(points), 2)) if uv is None else np.asarray(uv)
    return Mesh(
        points, np.broadcast_to(normal, points.shape).astype(np.float32), np.ones(len(points), np.float32), triangles,
        uv[triangles].astype(np.float32), np.full(len(triangles), material, np.int32), casts,
    )  # fmt: skip


def quad(corners, **more):
    """Upper left, lower left, lower right, upper right, as seen from its outer side."""
    return mesh(corners, [[0, 1, 2], [0, 2, 3]], uv=[[0, 0], [0, 1], [1, 1], [1, 0]], **more)


def ball(centre, radius, n=48):
    down, around = np.meshgrid(np.linspace(0, np.pi, n + 1), np.linspace(0, 2 * np.pi, 2 * n + 1), indexing="ij")
    N = np.stack([np.sin(down) * np.cos(around), np.cos(down), np.sin(down) * np.sin(around)], -1).reshape(-1, 3)
    i = (np.arange(n)[:, None] * (2 * n + 1) + np.arange(2 * n)).ravel()
    T = np.concatenate([np.stack([i, i + 1, i + 2 * n + 2], 1), np.stack([i, i + 2 * n + 2, i + 2 * n + 1], 1)])
    uv = np.stack([around / (2 * np.pi), down / np.pi], -1).reshape(-1, 2)[T]
    ones = np.ones(len(N), np.float32)
    P = (N * radius + centre).astype(np.float32)
    return Mesh(P, N.astype(np.float32), ones, T.astype(np.int32), uv.astype(np.float32), np.zeros(len(T), np.int32))


def made_of(*textures, double=False, cutout=False, gloss=0.0, scatter=None, repeats=False):
    M = len(textures)
    return Materials(
        textures, np.full(M, gloss), np.full(M, double), np.full(M, cutout),
        None if scatter is None else np.tile(scatter, (M, 1)), np.full(M, repeats),
    )  # fmt: skip


def plain(*colour, size=4, opacity=255):
    return np.full((size, size, 4), (*colour, opacity), np.uint8)


def noise(height, width, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)


def pinhole(width=64, height=48, focal=60.0, eye=(0, 0, 0), rotation=AHEAD):
    return Camera((focal, focal), (width / 2, height / 2), np.asarray(rotation), np.asarray(eye, float), width, height)


def rays(camera):
    """Unit-depth directions `(h, w, 3)` through the middles of pixels."""
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    own = [(x - camera.centre[0]) / camera.focal[0], (y - camera.centre[1]) / camera.focal[1], np.ones(x.shape)]
    return np.stack(own, -1) @ camera.rotation


def depths(camera, triangle):
    """Along each ray, where it meets a triangle `(3, 3)` (Möller & Trumbore 1997); inf where it does not."""
    d, (a, b, c) = rays(camera), np.asarray(triangle, np.float64)
    e, f, s = b - a, c - a, camera.eye - a
    p, q = np.cross(d, f), np.cross(s, e)
    with np.errstate(all="ignore"):
        det = p @ e
        u, v, t = p @ s / det, d @ q / det, (f @ q) / det
        return np.where((u >= 0) & (v >= 0) & (u + v <= 1) & (t >= NEAREST), t, np.inf)


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in ("colour", "depth", "identity", "boxes")
    )


def close(one, other):
    """The twin's picture: what is seen to the bit, colour to the rounding of float32."""
    assert np.array_equal(one.depth, other.depth)
    assert np.array_equal(one.identity, other.identity)
    np.testing.assert_allclose(one.colour, other.colour, rtol=1e-5, atol=1e-6)


def street(seed=1):
    """A textured ball that meets a floor before a wall, seen from above, in sunlight and by a lamp."""
    floor = quad([[-9, 0, -30], [-9, 0, 1], [9, 0, 1], [9, 0, -30]], material=1, casts=False)
    wall = quad([[-9, 9, -12], [-9, 0, -12], [9, 0, -12], [9, 9, -12]], material=1, casts=False)
    people = [ball((-0.7, 0.5, -4), 0.5, 16), ball((0.4, 0.4, -4.6), 0.6, 16)]
    material = made_of(noise(64, 128, seed), noise(256, 256, seed + 1), gloss=0.8, scatter=(0.3, 0.14, 0.1))
    eye = (0.2, 1.7, 0.3)
    lights = Lights(
        (Light((0.5, 1, 0.4), (1, 0.9, 0.8), shadows=True), Light((-1, 2, -3), strength=2.0, point=True)),
        above=(0.3, 0.35, 0.4), below=(0.1, 0.1, 0.1),
    )  # fmt: skip
    return [floor, wall], people, material, pinhole(96, 72, 80.0, eye, look_at(eye, (0, 0.4, -4))), lights


def no_texels(T, opacity=255):
    levels = np.zeros((1, 2, 3), np.int64)
    levels[0] = [0, 8, 8], [256, 4, 4]
    uv = np.random.default_rng(T).uniform(-0.2, 1.2, (T, 3, 2)).astype(np.float32)
    texture = np.random.default_rng(1).integers(0, opacity + 1, 320, dtype=np.uint8)
    return Texels(texture, levels, np.array([2]), uv, np.zeros(T, np.int32), np.array([False]))


# ---- what is seen


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([1, 2, 3]), st.sampled_from([1, 64, STEP]))
def test_triangles_cover_the_samples_that_the_twin_says(seed, cutout, samples, grid):
    rng = np.random.default_rng(seed)
    width, height, T = 17, 11, 30
    # On coarse grids corners and edges lie on samples, and many triangles have no area.
    xy = rng.integers(-6 * STEP // grid, 40 * STEP // grid, (24, 2)) * grid
    corners = Corners(xy, rng.uniform(0.05, 4, 24), rng.integers(0, 24, (T, 3), dtype=np.int32))
    both = rng.random(T) < 0.5
    spans = extents(corners, both, width * samples, height * samples)
    assert np.array_equal(spans, extents_twin(corners, both, width * samples, height * samples))
    chosen = np.flatnonzero(spans[:, 2] <= spans[:, 3])
    backdrop = rng.choice([0.5, 2.0, np.inf], (height, width)).astype(np.float32)
    given_ = corners, chosen, spans, no_texels(T), np.array([cutout]), backdrop, samples, (2, width, 1, height - 2)
    for one, other in zip(cover(*given_), cover_twin(*given_), strict=True):
        assert np.array_equal(one, other)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([16, HALF := STEP // 2, STEP]))
def test_triangles_that_tile_the_plane_cover_every_sample_exactly_once(seed, grid):
    rng = np.random.default_rng(seed)
    size = 24
    inner = rng.integers(1, size * STEP // grid, (40, 2)) * grid
    outer = np.array([[-1, -1], [size + 1, -1], [size + 1, size + 1], [-1, size + 1]]) * STEP
    xy = np.unique(np.concatenate([inner, outer]), axis=0)
    triangles = Delaunay(xy).simplices.astype(np.int32)
    corners = Corners(xy, np.ones(len(xy)), triangles)
    spans = extents(corners, np.ones(len(triangles), bool), size, size)
    times = np.zeros((size, size), int)
    for t in np.flatnonzero(spans[:, 2] <= spans[:, 3]):
        nowhere = np.full((size, size), np.inf, np.float32)
        texels = no_texels(len(triangles))
        seen = cover(corners, np.array([t]), spans, texels, np.array([False]), nowhere, 1, (0, size, 0, size))[1]
        times += seen >= 0
    assert (times == 1).all()


def test_a_sample_on_an_edge_belongs_to_what_lies_right_of_it_or_below():
    camera = pinhole(4, 4, 4.0)
    # Two quads that meet on the middle of the third column of pixels, and two on that of the third row.
    left, right = ([[a, 3, -4], [a, -3, -4], [b, -3, -4], [b, 3, -4]] for a, b in ((-3, 0.5), (0.5, 3)))
    above, below = ([[-3, a, -4], [-3, b, -4], [3, b, -4], [3, a, -4]] for a, b in ((3, -0.5), (-0.5, -3)))
    white = made_of(plain(255, 255, 255))
    beside = render([quad(left), quad(right)], white, camera, EVERYWHERE, samples=1).identity
    stacked = render([quad(above), quad(below)], white, camera, EVERYWHERE, samples=1).identity
    assert (beside == [0, 0, 1, 1]).all()
    assert (stacked.T == [0, 0, 1, 1]).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_nearest_is_what_a_ray_meets_first_also_where_triangles_reach_behind_the_eye(seed):
    rng = np.random.default_rng(seed)
    camera = pinhole(40, 30, 30.0)
    points = rng.uniform((-3, -3, -6), (3, 3, 2), (5, 3, 3)).astype(np.float32)
    drawn = render(
        [mesh(p, [[0, 1, 2]]) for p in points], made_of(plain(9, 9, 9), double=True), camera, EVERYWHERE, samples=1
    )
    met = np.stack([depths(camera, p) for p in points])
    first = np.where(np.isfinite(met).any(axis=0), met.argmin(axis=0), -1)
    # Corners are rounded to 1/256 of a pixel: rays that graze an edge, and ties, may fall to the other side.
    agree = drawn.identity == first
    assert agree.mean() > 0.985
    seen = agree & (first >= 0)
    np.testing.assert_allclose(1 / drawn.depth[seen], 1 / met.min(axis=0)[seen], rtol=0.02, atol=0.02)


def test_a_floor_that_passes_under_the_eye_is_cut_not_dropped():
    camera = pinhole(eye=(0, 1.5, 0))
    floor = quad([[-500, 0, -500], [-500, 0, 500], [500, 0, 500], [500, 0, -500]])
    drawn = render([floor], made_of(plain(255, 255, 255)), camera, EVERYWHERE, samples=1)
    below = np.arange(48) >= 24
    expected = 1.5 / ((np.arange(24, 48) + 0.5 - 24) / 60)
    assert (drawn.identity[~below] == -1).all()
    assert (drawn.identity[below] == 0).all()
    # Corners are off by up to half a step, and the depth of a floor by as much of its distance from the horizon.
    shift = 1 / (2 * STEP) / 60 / 1.5
    np.testing.assert_allclose(1 / drawn.depth[24:], np.tile(1 / expected[:, None], 64), rtol=0, atol=2 * shift)


def test_what_has_no_area_or_lies_outside_shows_nothing_and_has_no_box():
    flat = mesh([[0, 0, -2], [1, 0, -2], [2, 0, -2]], [[0, 1, 2], [0, 0, 1]])
    beside, behind = (
        quad(np.add([[-1, 1, 0], [-1, -1, 0], [1, -1, 0], [1, 1, 0]], p)) for p in ([50, 0, -5], [0, 0, 5])
    )
    empty = mesh(np.zeros((0, 3)), np.zeros((0, 3)), normal=(0, 1, 0))
    drawn = render([flat, beside, behind, empty], made_of(plain(255, 255, 255), double=True), pinhole(), EVERYWHERE)
    assert (drawn.identity == -1).all()
    assert np.isinf(drawn.depth).all()
    assert not drawn.colour.any()
    assert np.isnan(drawn.boxes).all()


def test_boxes_are_the_projected_bounds_cut_at_the_frame():
    camera = pinhole()
    whole = quad([[-1, 0.5, -5], [-1, -0.5, -5], [0.4, -0.5, -5], [0.4, 0.5, -5]])
    half = quad([[0.5, 0.2, -2], [0.5, -0.2, -2], [9, -0.2, -2], [9, 0.2, -2]])
    drawn = render([whole, half], made_of(plain(255, 255, 255)), camera, EVERYWHERE)
    x, y, _ = camera.project(whole.positions).T
    assert drawn.boxes[0] == pytest.approx([x.min(), y.min(), x.max(), y.max()], abs=1e-4)
    assert drawn.boxes[1] == pytest.approx([32 + 60 * 0.25, 18, 64, 30], abs=1e-4)


def test_the_back_of_a_surface_is_seen_where_it_has_two_sides_and_lit_from_there():
    camera = pinhole()
    towards_us = quad([[-1, 1, -3], [-1, -1, -3], [1, -1, -3], [1, 1, -3]])
    away = Mesh(
        **(vars(towards_us) | {"triangles": towards_us.triangles[:, ::-1].copy(), "normals": -towards_us.normals})
    )
    lamp = Lights((Light((0, 0, 1)),))
    pixel = 24, 32
    assert render([away], made_of(plain(255, 255, 255)), camera, lamp).identity[pixel] == -1
    front = render([towards_us], made_of(plain(255, 255, 255)), camera, lamp).colour[pixel]
    assert render([away], made_of(plain(255, 255, 255), double=True), camera, lamp).colour[pixel] == pytest.approx(
        front
    )
    assert front == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("opacity", [0, 64, 128, 255])
def test_a_cut_out_hides_as_much_as_it_is_opaque(opacity):
    card = quad([[-2, 2, -3], [-2, -2, -3], [2, -2, -3], [2, 2, -3]])
    hair = made_of(plain(255, 255, 255, size=256, opacity=opacity), cutout=True)
    drawn = render([card], hair, pinhole(128, 128, 120.0), EVERYWHERE)
    assert drawn.colour.mean() == pytest.approx(opacity / 256, abs=0.02)


def test_an_edge_fades_by_the_share_of_the_pixel_that_it_leaves():
    turned = np.array([[np.cos(a), np.sin(a), -3] for a in np.radians([100, 190, 280, 10])])
    camera = pinhole(128, 128, 120.0)
    drawn = render([quad(turned)], made_of(plain(255, 255, 255)), camera, EVERYWHERE)
    assert drawn.colour[..., 0].sum() == pytest.approx(2 * 40**2, rel=0.005)
    assert set(np.unique(drawn.colour)) <= {0, 0.25, 0.5, 0.75, 1.0}


# ---- what it looks like


def test_a_texture_seen_face_on_at_its_own_size_is_reproduced():
    texture = noise(32, 48)
    card = quad([[-24, 16, -60], [-24, -16, -60], [24, -16, -60], [24, 16, -60]])
    drawn = render([card], made_of(texture), pinhole(64, 48, 60.0), EVERYWHERE)
    np.testing.assert_allclose(drawn.colour[8:40, 8:56], LINEAR[texture[..., :3]], atol=1e-5)
    assert np.array_equal(srgb(drawn.colour[8:40, 8:56]), texture[..., :3])


def test_texture_coordinates_are_perspective_correct():
    ramp = np.linspace(0, 1, 512)
    texture = np.dstack([np.tile(x, y) for x, y in ((ramp, (512, 1)), (ramp[:, None], (1, 512)), (ramp, (512, 1)))])
    texture = np.dstack([srgb(texture), np.full((512, 512), 255, np.uint8)])
    corners = np.array([[-1, 1, -2], [-1, -1, -2], [1, -1, -8], [1, 1, -8]], float)  # its right side is 4 times as far
    camera = pinhole(160, 120, 150.0)
    drawn = render([quad(corners)], made_of(texture), camera, EVERYWHERE, samples=1)
    y, x = np.nonzero(drawn.identity == 0)
    right, down = corners[3] - corners[0], corners[1] - corners[0]
    d = rays(camera)[y, x]
    M = np.stack([d, -np.broadcast_to(right, d.shape), -np.broadcast_to(down, d.shape)], axis=2)
    _, u, v = np.linalg.solve(M, np.broadcast_to(corners[0], d.shape)[..., None])[..., 0].T
    inside = (u > 0.02) & (u < 0.98) & (v > 0.02) & (v < 0.98)
    assert inside.sum() > 2000
    np.testing.assert_allclose(drawn.colour[y, x, 0][inside], u[inside], atol=0.012)
    np.testing.assert_allclose(drawn.colour[y, x, 1][inside], v[inside], atol=0.012)


def test_the_diagonal_of_a_quad_leaves_no_trace():
    corners = np.array([[-5, 0, -30], [-5, 0, 1], [5, 0, 1], [5, 0, -30]], float)
    uv = np.array([[0, 0], [0, 31], [10, 31], [10, 0]])
    eye = (0.4, 2.6, 0)
    camera = pinhole(160, 90, 230.0, eye, look_at(eye, (0.3, 0.6, -3)))
    wave = np.sin(np.arange(64) * 2 * np.pi / 64)
    tiles = made_of(np.repeat((128 + 120 * wave[:, None] * wave).astype(np.uint8)[..., None], 4, 2), repeats=True)
    one, other = (
        render([mesh(corners, diagonal, uv=uv)], tiles, camera, EVERYWHERE).colour
        for diagonal in ([[0, 1, 2], [0, 2, 3]], [[0, 1, 3], [1, 2, 3]])
    )
    inside = binary_erosion(one[..., 0] > 0, iterations=2)
    assert np.abs(one - other)[inside].max() < 0.02


def test_a_fine_pattern_far_away_is_its_mean_light_not_flicker():
    checks = np.where((np.indices((256, 256)).sum(axis=0) % 2)[..., None], 255, 0) * np.ones(4)
    checks[..., 3] = 255
    card = quad([[-1, 1, -10], [-1, -1, -10], [1, -1, -10], [1, 1, -10]])
    drawn = render([card], made_of(checks.astype(np.uint8)), pinhole(64, 48, 100.0), EVERYWHERE)
    middle = drawn.colour[18:30, 26:38]
    assert middle.mean() == pytest.approx(0.5, abs=0.01)
    assert middle.std() < 0.01


def test_a_floor_whose_texture_repeats_shows_it_again():
    card = quad([[-32, 24, -60], [-32, -24, -60], [32, -24, -60], [32, 24, -60]])
    tiled = Mesh(**(vars(card) | {"uv": (card.uv * np.float32([2, 1]))}))
    texture = noise(48, 32)
    drawn = render([tiled], made_of(texture, repeats=True), pinhole(), EVERYWHERE)
    np.testing.assert_allclose(drawn.colour, np.tile(LINEAR[texture[..., :3]], (1, 2, 1)), atol=1e-5)


def test_light_follows_the_cosine_and_a_lamp_the_square_of_its_distance():
    card = quad([[-1, 1, -3], [-1, -1, -3], [1, -1, -3], [1, 1, -3]])
    white, camera = made_of(plain(255, 255, 255)), pinhole(65, 49)

    def shown(*lights):
        return render([card], white, camera, Lights(lights)).colour[24, 32, 0]

    assert shown(Light((0, 0, 5))) == pytest.approx(1)
    assert shown(Light((0, np.sqrt(3), 1))) == pytest.approx(0.5)
    assert shown(Light((0, 0, -1))) == 0
    assert shown(Light((0, 0, -2), point=True)) == pytest.approx(1, abs=1e-3)
    assert shown(Light((0, 0, -1), point=True)) == pytest.approx(0.25, abs=1e-3)
    assert shown(Light((0, 0, 5), strength=0.25), Light((0, 0, 5), (2, 1, 1))) == pytest.approx(2.25)


def test_skin_is_lit_a_little_around_the_edge_more_in_red_and_the_rest_is_not():
    card = quad([[-1, 1, -3], [-1, -1, -3], [1, -1, -3], [1, 1, -3]])
    grazing = Lights((Light((0, 1, -0.05)),))
    skin = render([card], made_of(plain(255, 255, 255), scatter=(0.3, 0.14, 0.1)), pinhole(), grazing).colour[24, 32]
    assert skin[0] > skin[1] > skin[2] > 0
    assert not render([card], made_of(plain(255, 255, 255)), pinhole(), grazing).colour.any()


def test_what_is_bright_in_linear_light_is_half_as_bright_at_half_the_light_and_srgb_encodes_it():
    assert np.array_equal(srgb(LINEAR), np.arange(256))
    assert srgb(np.array([0.0, 0.2159, 0.5, 1.0, 7.0])).tolist() == [0, 128, 188, 255, 255]


def test_the_shadow_of_a_ball_lies_where_the_light_cannot_pass():
    towards, centre, radius = np.array([0.4, 1.0, 0.3]), np.array([0.0, 1.0, -5.0]), 0.6
    floor = quad([[-9, 0, -14], [-9, 0, 2], [9, 0, 2], [9, 0, -14]], casts=False)
    eye = (0.5, 4, 0)
    camera = pinhole(240, 180, 200.0, eye, look_at(eye, (0, 0, -5)))
    sun = Lights((Light(towards, shadows=True),))
    drawn = render([floor, ball(centre, radius)], made_of(plain(255, 255, 255)), camera, sun)
    place = camera.eye + drawn.depth[..., None].astype(float) * rays(camera)
    unit = towards / np.linalg.norm(towards)
    with np.errstate(invalid="ignore"):
        apart = np.linalg.norm(np.cross(place - centre, unit), axis=-1)
    on_floor = ~binary_dilation(drawn.identity != 0, iterations=1)
    edge = 0.03  # half a pixel, and the edge's softness: three texels of 3 mm
    dark, bright = on_floor & (apart < radius - edge), on_floor & (apart > radius + edge)
    assert dark.sum() > 300
    assert not drawn.colour[dark].any()
    np.testing.assert_allclose(drawn.colour[bright], unit[1], rtol=1e-5)


def test_a_ball_does_not_shade_the_side_that_the_light_falls_on():
    towards = np.array([0.3, 0.6, 0.8])
    sphere, camera = ball((0, 0, -3), 1.0), pinhole(160, 120, 120.0)
    with_, without = (
        render([sphere], made_of(plain(255, 255, 255)), camera, Lights((Light(towards, shadows=s),))).colour
        for s in (True, False)
    )
    bright = without[..., 0] > 0.25
    np.testing.assert_allclose(with_[bright], without[bright], rtol=0.02)


# ---- the same whatever the way there


def test_the_compiled_picture_is_the_twins():
    still, people, material, camera, lights = street()
    close(
        render([*still, *people], material, camera, lights),
        render([*still, *people], material, camera, lights, tier="numpy"),
    )
    backgrounds = [render(still, material, camera, lights, tier=tier) for tier in ("numba", "numpy")]
    close(*backgrounds)
    np.testing.assert_allclose(backgrounds[0].key, backgrounds[1].key, rtol=1e-5, atol=1e-6)
    close(*(render(people, material, camera, lights, backgrounds[0], tier=tier) for tier in ("numba", "numpy")))


def test_hair_and_single_samples_are_the_twins_too():
    _, people, _, camera, lights = street()
    hair = made_of(noise(64, 64), cutout=True, double=True)
    for samples in (1, 3):
        close(*(render(people, hair, camera, lights, samples=samples, tier=tier) for tier in ("numba", "numpy")))


def test_bytes_are_the_same_on_any_number_of_threads_and_again():
    still, people, material, camera, lights = street()
    background = render(still, material, camera, lights, threads=1)
    first = render(people, material, camera, lights, background, threads=1)
    for threads in (1, 2, 5):
        again = render(still, material, camera, lights, threads=threads)
        assert same(again, background)
        assert np.array_equal(again.key, background.key)
        assert same(render(people, material, camera, lights, again, threads=threads), first)


def test_what_moves_over_a_background_is_the_picture_of_everything():
    still, people, material, camera, lights = street()
    background = render(still, material, camera, lights)
    kept = background.colour.copy(), background.depth.copy()
    moved = render(people, material, camera, lights, background)
    full = render([*people, *still], material, camera, lights)
    of_people = np.where(full.identity < len(people), full.identity, -1)
    apart = np.abs(moved.colour - full.colour).max(axis=2)
    # On a person's outline the floor's share is taken at the middle of the pixel, not of what is left of the floor,
    # and of two halves the background counts as the first.
    y, x = np.nonzero((apart > 0.01) | (moved.identity != of_people))
    assert 0 < len(y) < 0.03 * apart.size
    for a, b in zip(y, x, strict=True):
        around = of_people[max(a - 1, 0) : a + 2, max(b - 1, 0) : b + 2]
        assert around.min() < around.max()
    assert (moved.identity == of_people).mean() > 0.99
    assert np.array_equal(kept[0], background.colour)
    assert np.array_equal(kept[1], background.depth)


def test_a_background_hides_what_is_behind_it_and_its_shadow_falls_on_people():
    wall = quad([[-1, 9, -3], [-1, -9, -3], [0, -9, -3], [0, 9, -3]])
    person = quad([[-3, 3, -6], [-3, -3, -6], [3, -3, -6], [3, 3, -6]])
    white, camera, sun = made_of(plain(255, 255, 255)), pinhole(), Lights((Light((0, 0, 1), shadows=True),), (0.1,) * 3)
    background = render([wall], white, camera, sun)
    drawn = render([person], white, camera, sun, background)
    assert drawn.identity[24, 30] == -1  # the wall
    assert drawn.identity[24, 40] == 0  # beside it, in the sun
    assert drawn.colour[24, 40, 0] == pytest.approx(1.05)
    oblique = Lights((Light((-0.5, 0, 1), shadows=True),), (0.1,) * 3)
    background = render([wall], white, camera, oblique)
    shaded = render([person], white, camera, oblique, background).colour[24, :, 0]
    # The wall's right side, x = 0, throws its shadow's end to x = 1.5 on what stands 3 m behind it.
    assert shaded[32 + 12] == pytest.approx(0.05)
    assert shaded[32 + 18] == pytest.approx(0.05 + 1 / np.sqrt(1.25))


def test_before_a_backdrop_outlines_mix_with_it():
    _, people, material, camera, lights = street()
    grey = np.full((camera.height, camera.width, 3), 0.3)
    drawn = render(people, material, camera, lights, backdrop(grey))
    black = render(people, material, camera, lights)
    assert drawn.colour[0, 0] == pytest.approx(0.3)
    assert np.array_equal(drawn.identity, black.identity)
    mixed = (drawn.colour - black.colour)[..., 0] / 0.3
    assert mixed.ravel() == pytest.approx(np.round(mixed.ravel() * 4) / 4, abs=1e-5)
    assert 0 < ((mixed > 0.1) & (mixed < 0.9)).mean() < 0.05


def test_materials_of_several_people_are_drawn_as_those_of_one():
    _, people, material, camera, lights = street()
    other = made_of(plain(9, 200, 9))
    of_second = Mesh(**(vars(people[1]) | {"material": people[1].material + 2}))
    both = render([people[0], of_second], joined([material, other]), camera, lights)
    first = render(people, material, camera, lights)
    second = render(people, joined([other, material]), camera, lights)
    assert np.array_equal(both.identity, first.identity)
    for k, alone in enumerate((first, second)):
        inside = binary_erosion(both.identity == k, iterations=2)
        assert inside.any()
        assert np.array_equal(both.colour[inside], alone.colour[inside])


# ---- refusals


def test_what_is_not_a_picture_is_refused_in_a_sentence():
    good = vars(quad([[-1, 1, -3], [-1, -1, -3], [1, -1, -3], [1, 1, -3]]))
    broken = good["positions"].copy()
    broken[0, 0] = np.nan
    white, camera = made_of(plain(255, 255, 255)), pinhole()
    with pytest.raises(ValueError, match="positions of a mesh must be finite"):
        Mesh(**(good | {"positions": broken}))
    with pytest.raises(ValueError, match="normals of a mesh must be"):
        Mesh(**(good | {"normals": broken[:2]}))
    with pytest.raises(ValueError, match="within its 4 vertices"):
        Mesh(**(good | {"triangles": good["triangles"] + 1}))
    with pytest.raises(ValueError, match="mesh 0 names a material"):
        render([Mesh(**(good | {"material": good["material"] + 1}))], white, camera, EVERYWHERE)
    with pytest.raises(ValueError, match="texture 0 must be"):
        made_of(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="gloss of 1 materials"):
        Materials((plain(1, 1, 1),), np.zeros(2), np.zeros(1, bool), np.zeros(1, bool))
    with pytest.raises(ValueError, match=f"1 to {LARGEST} pixels"):
        pinhole(LARGEST + 1, 10)
    with pytest.raises(ValueError, match="finite focal"):
        pinhole(focal=np.nan)
    with pytest.raises(ValueError, match="must keep lengths"):
        pinhole(rotation=2 * AHEAD)
    with pytest.raises(ValueError, match="only one light"):
        Lights((Light((0, 1, 0), point=True, shadows=True),))
    with pytest.raises(ValueError, match="needs a direction"):
        Lights((Light((0, 0, 0)),))
    with pytest.raises(ValueError, match="samples must be"):
        render([], white, camera, EVERYWHERE, samples=9)
    with pytest.raises(ValueError, match="a backdrop must be"):
        backdrop(np.zeros((4, 4)))
    background = render([], white, camera, EVERYWHERE)
    with pytest.raises(ValueError, match="the background must be 32 × 48"):
        render([], white, pinhole(32, 48), EVERYWHERE, background)
    with pytest.raises(ValueError, match="drawn over none itself"):
        render([], white, camera, EVERYWHERE, render([], white, camera, EVERYWHERE, background))

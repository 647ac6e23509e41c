"""The camera: geometry against formulas, noise against physics, motion against velocity times time."""

from __future__ import annotations

from datetime import datetime, timedelta

import cv2
import numpy as np
import pytest
from scipy import stats

from kernels.raster import srgb
from pipelines.errors import InputError
from testbed.scenario.synthetic import FilmedCamera
from testbed.synthetic.camera import (
    BLACK,
    DAY,
    GREY,
    SETTLES,
    WHITE,
    Sensor,
    Shot,
    View,
    converted,
    counted,
    developed,
    mosaic,
    smeared,
    stamp,
)  # fmt: skip

EYE = np.array([0.0, 2.0, 0.0])


def camera(**settings) -> FilmedCamera:
    plain = {"name": "c", "size": (320, 180), "sharpen": 0.0, "clock": False, "read_noise": 0.0}
    return FilmedCamera(**(plain | settings))


def view(**settings) -> View:
    return View(camera(**settings), EYE, 0, 0, 60)


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def still(light: np.ndarray) -> Shot:
    light = np.asarray(light, np.float32)
    return Shot(light, light, np.full(light.shape[:2], -1, np.int32), np.zeros((0, 2)), np.zeros(0))


def even(level: float) -> Shot:
    return still(np.full((180, 320, 3), level))


def linear(image: np.ndarray) -> np.ndarray:
    x = image / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def box(height: int, width: int, *movers: tuple[slice, slice, tuple[float, float, float]], background=(0, 0, 0)):
    """Colour, background and identity of boxes, the last one in front."""
    behind = np.full((height, width, 3), background, np.float32)
    colour, identity = behind.copy(), np.full((height, width), -1, np.int32)
    for k, (rows, columns, paint) in enumerate(movers):
        colour[rows, columns], identity[rows, columns] = paint, k
    return colour, behind, identity


# Where things are in the picture


def test_pan_and_tilt_point_where_the_world_says():
    for pan, tilt in ((0, 0), (90, 10), (-30, 45), (180, 89)):
        p, t = np.radians([pan, tilt])
        ahead = np.array([-np.sin(p) * np.cos(t), -np.sin(t), -np.cos(p) * np.cos(t)])
        pinhole = View(camera(), EYE, pan, tilt, 60).pinhole
        assert pinhole.project((EYE + 3 * ahead)[None])[0] == pytest.approx([160, 90, 3])
    right_and_up = view().pinhole.project(np.array([[1.0, 2.5, -4.0]]))[0]
    assert right_and_up[0] > 160
    assert right_and_up[1] < 90


@pytest.mark.parametrize("k", [-0.4, -0.1, 0.0, 0.1, 0.4])
def test_the_edges_see_the_field_and_the_lens_obeys_its_formula(k):
    lens = view(distortion=k)
    edge = np.array([[s * np.tan(np.radians(30)), 2.0, -1.0] for s in (-1, 1)])
    assert lens.placed(lens.pinhole.project(edge)[:, :2]) == pytest.approx(np.array([[0, 90], [320, 90]]))
    r = generator().uniform(-1, 1, (50, 2)) * (1, 9 / 16)
    rho = r / (1 + k * (r**2).sum(axis=1, keepdims=True))
    centre = np.array(lens.pinhole.centre)
    assert lens.placed(rho * 160 + centre) == pytest.approx(r * 160 + (160, 90))
    near = r / 20
    polynomial = near * (1 + k * (near**2).sum(axis=1, keepdims=True))
    assert lens.placed(near * 160 + centre) == pytest.approx(polynomial * 160 + (160, 90), abs=1e-3)


@pytest.mark.parametrize("k", [-0.3, -0.1, 0.15, 0.25])
def test_a_dot_is_found_where_it_is_said_to_be_placed(k):
    lens = view(distortion=k)
    h, w = lens.pinhole.height, lens.pinhole.width
    y, x = np.mgrid[:h, :w] + 0.5
    for wanted in ((160, 90), (40, 30), (290.3, 150.7)):
        at = np.array(wanted) - (160, 90)
        at = at / (1 + k * ((at / 160) ** 2).sum()) + lens.pinhole.centre
        dot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 3).astype(np.float32)
        found = lens.taken(dot)
        rows, columns = np.indices(found.shape) + 0.5
        centroid = (found * columns).sum() / found.sum(), (found * rows).sum() / found.sum()
        assert centroid == pytest.approx(lens.placed(at[None])[0], abs=0.1)
        assert centroid == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize("k", [-0.4, -0.15, 0.0, 0.4])
def test_no_corner_is_empty_and_whole_numbers_stay_whole(k):
    lens = view(distortion=k)
    shape = lens.pinhole.height, lens.pinhole.width
    assert (lens.taken(np.ones((*shape, 3), np.float32)) == 1).all()
    people = generator().integers(-1, 9, shape).astype(np.int32)
    seen = lens.taken(people)
    assert seen.shape == (180, 320)
    assert seen.dtype == np.int32
    assert np.isin(seen, np.arange(-1, 9)).all()


def test_what_is_out_of_reach_has_no_place():
    places = view(distortion=0.3).placed(np.array([[np.nan, 3.0], [4000.0, 90.0]]))
    assert np.isnan(places).all()


def test_a_lens_that_cannot_be_drawn_is_refused():
    with pytest.raises(InputError, match=r"camera c: `distortion: -0.4` bends the corners of a picture of 180 × 320"):
        view(distortion=-0.4, size=(180, 320))


# Photosites


@pytest.mark.parametrize("read_noise", [0.0, 4.0])
def test_photon_transfer_has_slope_one_and_the_read_noise_as_its_foot(read_noise):
    means = np.array([0, 0.3, 2, 7, 15, 19.9, 25, 200, 6000])
    sites = 250_000
    counts = np.stack([counted(np.full(sites, m, np.float32)[None], read_noise, generator(k))[0]
                       for k, m in enumerate(means)]).astype(np.float64)  # fmt: skip
    variance = means + read_noise**2
    assert counts.mean(axis=1) == pytest.approx(means, abs=5 * np.sqrt(variance.max() / sites), rel=0.01)
    assert counts.var(axis=1) == pytest.approx(variance, rel=0.02)
    assert counts[-1].mean() / counts[-1].std() == pytest.approx(np.sqrt(6000), rel=0.01)


@pytest.mark.parametrize("mean", [0.5, 3.0, 12.0])
def test_few_electrons_follow_poissons_law(mean):
    counts = counted(np.full((500, 500), mean, np.float32), 0.0, generator())
    assert (counts == np.round(counts)).all()
    expected = stats.poisson.pmf(np.arange(40), mean)
    observed = np.bincount(counts.ravel().astype(int), minlength=40)[:40] / counts.size
    assert abs(observed - expected).max() < 5 * np.sqrt(0.25 / counts.size) + 1e-3


@pytest.mark.parametrize("gain_db", [0.0, 20.0])
def test_the_converter_amplifies_and_stops_at_a_full_well(gain_db):
    well, gain = 8000.0, 10 ** (gain_db / 20)
    said = converted(counted(np.full((400, 400), 300, np.float32), 4.0, generator()), well, gain_db).astype(float)
    per_electron = gain * (WHITE - BLACK) / well
    assert said.mean() - BLACK == pytest.approx(300 * per_electron, rel=0.01)
    # Conversion rounds to whole numbers, which adds 1/12.
    assert said.var() == pytest.approx((300 + 16) * per_electron**2 + 1 / 12, rel=0.02)
    assert converted(np.array([[-1e5, well / gain, 1e9]], np.float32), well, gain_db).tolist() == [[0, WHITE, WHITE]]


@pytest.mark.parametrize("paint", [(0.5, 0.5, 0.5), (0.6, 0.1, 0.1), (0.1, 0.6, 0.1), (0.1, 0.1, 0.6), (1.5, 1.5, 1.5)])
def test_the_mosaic_gives_back_even_colours(paint):
    sites = mosaic(np.full((64, 96, 3), paint, np.float32))
    image = developed(converted(sites * 8000, 8000, 0), 0.5, 2.0)
    assert abs(image.astype(int) - srgb(np.array(paint)).astype(int)).max() <= 2


def test_sharpening_overshoots_at_an_edge_and_leaves_the_rest():
    said = np.full((40, 40), 800, np.uint16)
    said[:, 20:] = 1600
    plain, sharp = (developed(said, amount, None)[20, :, 0].astype(int) for amount in (0.0, 1.0))
    assert sharp[19] < plain[19]
    assert sharp[20] > plain[20]
    assert (sharp[:15] == plain[:15]).all()


# Exposure


def test_exposure_reaches_its_target_by_the_shutter_first():
    sensor = Sensor(camera(), view(), 300, False, 1)
    image = sensor.expose(even(0.4), 0, 0.0)
    assert sensor.gain_db == 0
    assert sensor.shutter_s == pytest.approx(GREY / 0.4 * 2 / 300, rel=1e-3)
    assert linear(image).mean() == pytest.approx(GREY, rel=0.02)


def test_then_by_gain():
    sensor = Sensor(camera(), view(), 10, False, 1)
    image = sensor.expose(even(0.4), 0, 0.0)
    assert sensor.shutter_s == 0.02
    assert sensor.gain_db == pytest.approx(20 * np.log10(GREY / 0.4 / (10 * 0.02 / 2)), abs=0.01)
    assert linear(image).mean() == pytest.approx(GREY, rel=0.03)


def test_in_the_dark_the_most_gain_leaves_it_as_dark_as_physics_says():
    sensor = Sensor(camera(full_well=100_000), view(), 0.2, True, 1)
    image = sensor.expose(even(0.4), 0, 0.0)
    assert (sensor.shutter_s, sensor.gain_db) == (0.02, pytest.approx(30))
    assert linear(image).mean() == pytest.approx(0.4 * 0.2 * 0.02 / 2 * 10**1.5, rel=0.05)


def test_a_bright_window_counts_as_white_however_bright_and_faces_before_it_go_dark():
    shutters, levels = [], []
    for window in (0.3, 20.0, 200.0):
        scene = np.full((180, 320, 3), 0.3)
        scene[:60] = window
        sensor = Sensor(camera(), view(), 200, False, 1)
        image = sensor.expose(still(scene), 0, 0.0)
        shutters.append(sensor.shutter_s)
        levels.append(linear(image)[100:].mean())
    assert shutters[1] == shutters[2]
    assert 0.1 * levels[0] < levels[1] < 0.6 * levels[0]
    assert (image[:50] == 255).all()


def test_exposure_follows_the_light_with_its_time_constant_and_never_ahead():
    sensor = Sensor(camera(), view(), 300, False, 1)
    shutters = []
    for frame in range(12):
        sensor.expose(even(0.1 if frame < 3 else 0.4), frame, frame / 10)
        shutters.append(sensor.shutter_s)
    assert shutters[:4] == [shutters[0]] * 4  # frame 3 shows the change, and knows nothing of it
    left = np.log2(np.array(shutters[3:]) / (GREY / 0.4 * 2 / 300))
    assert left == pytest.approx(2 * np.exp(-np.arange(9) * 0.1 / SETTLES), abs=0.01)


def test_without_automatic_it_gives_all_it_has():
    sensor = Sensor(camera(automatic=False, exposure_s=0.004, gain_db=6.0), view(), 100, False, 1)
    image = sensor.expose(even(0.3), 0, 0.0)
    assert (sensor.shutter_s, sensor.gain_db) == (0.004, 6.0)
    assert linear(image).mean() == pytest.approx(0.3 * 100 * 0.004 / 2 * 10**0.3, rel=0.02)


# Motion


@pytest.mark.parametrize(
    ("velocity", "shutter"), [((1000.0, 0.0), 0.02), ((0.0, -400.0), 0.04), ((300.0, 400.0), 0.05)]
)
def test_an_edge_smears_over_velocity_times_shutter(velocity, shutter):
    colour, behind, identity = box(240, 240, (slice(80, 160), slice(80, 160), (1, 1, 1)))
    light = smeared(Shot(colour, behind, identity, np.array([velocity]), np.ones(1)), shutter, 0.0, 240)[..., 0]
    rows, columns = np.indices(light.shape)
    for places, speed in ((columns, velocity[0]), (rows, velocity[1])):
        mean = (light * places).sum() / light.sum()
        variance = (light * (places - mean) ** 2).sum() / light.sum()
        assert mean == pytest.approx(119.5, abs=0.01)
        # A box of 80 pixels, smeared: variances of uniform lengths add.
        assert variance == pytest.approx((80**2 + (speed * shutter) ** 2) / 12, rel=0.01)
    length, profile = (velocity[0], light[120]) if velocity[0] else (velocity[1], light[:, 120])
    assert ((profile > 0.02) & (profile < 0.98)).sum() / 2 == pytest.approx(abs(length) * shutter, abs=2.5)


def test_a_rolling_shutter_slants_an_upright_edge_about_the_middle_row():
    colour, behind, identity = box(200, 300, (slice(0, 200), slice(100, 160), (1, 1, 1)))
    light = smeared(Shot(colour, behind, identity, np.array([[800.0, 0.0]]), np.ones(1)), 1e-4, 0.03, 200)[..., 0]
    centre = (light * np.arange(300)).sum(axis=1) / light.sum(axis=1)
    slope, middle = np.polyfit(np.arange(200) + 0.5 - 100, centre, 1)
    assert slope == pytest.approx(800 * 0.03 / 200, rel=0.02)
    assert middle == pytest.approx(129.5, abs=0.05)


def test_who_stands_still_is_not_touched_even_where_somebody_walks():
    colour, behind, identity = box(
        120, 300, (slice(20, 100), slice(20, 60), (0.2, 0.5, 0.1)), (slice(20, 100), slice(200, 240), (1, 1, 1)),
        background=(0.3, 0.3, 0.3),
    )  # fmt: skip
    shot = Shot(colour, behind, identity, np.array([[0.0, 0.0], [500.0, 0.0]]), np.array([3.0, 4.0]))
    light = smeared(shot, 0.02, 0.01, 120)
    assert (light[:, :150] == colour[:, :150]).all()
    assert not (light[:, 150:] == colour[:, 150:]).all()
    slow = Shot(colour, behind, identity, np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([3.0, 4.0]))
    assert smeared(slow, 0.02, 0.01, 120) is colour


@pytest.mark.parametrize("walks", [(600.0, 0.0), (0.0, 600.0), (600.0, -600.0), (600.0, 600.0)])
def test_the_nearer_of_two_stays_in_front_and_nothing_shows_through_the_other(walks):
    far = slice(10, 110), slice(20, 180), (1.0, 0.0, 0.0)
    near = slice(30, 90), slice(80, 130), (0.0, 1.0, 0.0)
    colour, behind, identity = box(120, 200, far, near, background=(0, 0, 1))
    shot = Shot(colour, behind, identity, np.array([[walks[0], 0], [walks[1], 0]]), np.array([5.0, 2.0]))
    light = smeared(shot, 0.02, 0.0, 120)
    assert light[40:80, 95:115] == pytest.approx(np.broadcast_to([0, 1, 0], (40, 20, 3)), abs=1e-5)
    assert light[20:100, 40:160, 2].max() < 1e-5  # no background inside of the farther one
    assert light[20:100, 40:160].sum(axis=-1) == pytest.approx(1, abs=1e-4)


def test_shadows_beside_a_mover_stay():
    colour, behind, identity = box(100, 200, (slice(20, 60), slice(60, 100), (1, 1, 1)), background=(0.5, 0.5, 0.5))
    colour[64:80, 60:100] = 0.2
    shot = Shot(colour, behind, identity, np.array([[300.0, 0.0]]), np.ones(1))
    assert (smeared(shot, 0.02, 0.0, 100)[64:80] == colour[64:80]).all()


# The whole picture


def walking(lens: View, seed: int = 3) -> Shot:
    h, w = lens.pinhole.height, lens.pinhole.width
    colour, behind, identity = box(
        h, w, (slice(30, 150), slice(60, 130), (0.5, 0.3, 0.2)), (slice(60, 170), slice(100, 190), (0.1, 0.2, 0.4)),
        background=(0.4, 0.4, 0.35),
    )  # fmt: skip
    colour *= generator(seed).uniform(0.5, 1, (h, w, 1)).astype(np.float32)
    return Shot(colour, behind, identity, np.array([[300.0, 200.0], [-250.0, 10.0]]), np.array([4.0, 3.0]))


def test_the_same_bytes_on_one_thread_and_two():
    settings = camera(distortion=-0.2, defocus_px=0.8, sharpen=0.5, clock=True, read_noise=4.0)
    lens = View(settings, EYE, 0, 0, 60)
    threads = cv2.getNumThreads()
    made = []
    try:
        for number in (1, 2):
            cv2.setNumThreads(number)
            sensor = Sensor(settings, lens, 3, False, 7)
            made.append([sensor.expose(walking(lens), frame, frame / 10).tobytes() for frame in range(2)])
    finally:
        cv2.setNumThreads(threads)
    assert made[0] == made[1]
    assert made[0][0] != made[0][1]


def test_noise_is_the_frames_own_and_each_photosites():
    settings, lens = camera(automatic=False, read_noise=4.0, gain_db=20.0), view()
    scene = np.full((180, 320, 3), 0.3)
    other = scene.copy()
    other[:40, :40] = 0.02  # so dark that Poisson's law holds there

    def exposed(light: np.ndarray, frame: int, seed: int = 1) -> np.ndarray:
        return Sensor(settings, lens, 10, False, seed).expose(still(light), frame, frame / 10)

    assert (exposed(scene, 5) == exposed(scene, 5)).all()
    assert not (exposed(scene, 5) == exposed(scene, 6)).all()
    assert not (exposed(scene, 5) == exposed(scene, 5, seed=2)).all()
    assert (exposed(scene, 5)[60:, 60:] == exposed(other, 5)[60:, 60:]).all()


def test_infrared_is_grey_and_finer_than_colour():
    stripes = np.full((180, 320, 3), 0.1)
    stripes[:, ::2] = 0.6
    settings = camera(full_well=200_000)
    grey, coloured = (
        Sensor(settings, view(), 300, infrared, 1).expose(still(stripes), 0, 0.0) for infrared in (True, False)
    )
    assert (grey == grey[..., :1]).all()
    assert np.ptp(grey[90].astype(int), axis=0)[1] > 20  # as much as the lens lets through
    assert not (coloured == coloured[..., :1]).all()  # stripes as fine as the mosaic: false colours


def test_defocus_blurs_by_its_standard_deviation():
    edge = np.full((180, 320, 3), 0.1)
    edge[:, 160:] = 0.3
    settings = camera(defocus_px=3.0, full_well=200_000)
    image = Sensor(settings, view(), 300, True, 1).expose(still(edge), 0, 0.0)
    profile = linear(image)[..., 0].mean(axis=0)
    low, high = profile[:120].mean(), profile[200:].mean()
    expected = stats.norm.cdf((np.arange(320) + 0.5 - 160) / 3)
    assert (profile - low) / (high - low) == pytest.approx(expected, abs=0.01)


def test_the_clock_stands_in_its_corner_alone_and_goes():
    plain = np.full((720, 1280, 3), 120, np.uint8)
    pictures = []
    for seconds in (0, 1):
        pictures.append(plain.copy())
        stamp(pictures[-1], DAY + timedelta(seconds=seconds))
    written = (pictures[0] != plain).any(axis=2)
    rows, columns = np.nonzero(written)
    assert rows.min() > 0.94 * 720
    assert columns.max() < 0.25 * 1280
    assert pictures[0].max() == 255
    assert pictures[0].min() < 20
    changed = np.nonzero((pictures[0] != pictures[1]).any(axis=2))[1]
    assert len(changed)
    assert changed.min() > columns.max() - 20  # only the last digit
    small = np.full((64, 64, 3), 120, np.uint8)
    stamp(small, datetime(2031, 5, 14))
    assert (small != 120).any()

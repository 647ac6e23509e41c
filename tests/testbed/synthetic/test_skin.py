"""The model of skin: what melanin and blood do to its colour, and the angle it is reported by."""

from __future__ import annotations

import numpy as np
import pytest

from testbed.synthetic.people import skin


def test_a_perfect_reflector_is_white():
    assert skin.linear(np.ones(31)) == pytest.approx(np.ones(3), abs=0.002)
    assert skin.lab(np.ones(3)) == pytest.approx([100, 0, 0], abs=0.05)


def test_lab_agrees_with_published_colours():
    # sRGB red and a mid grey (Lindbloom's calculator, D65)
    assert skin.lab([1, 0, 0]) == pytest.approx([53.24, 80.09, 67.20], abs=0.1)
    assert skin.lab(skin.decoded(np.array([119, 119, 119], np.uint8)))[0] == pytest.approx(50.03, abs=0.05)


def test_more_melanin_reflects_less_at_every_wave_length_and_most_so_in_the_blue():
    few, many = skin.reflected(0.02, 0.012), skin.reflected(0.3, 0.012)
    assert (many < few).all()
    assert many[0] / few[0] < many[-1] / few[-1]


def test_more_blood_takes_green_before_red():
    pale, flushed = skin.linear(skin.reflected(0.03, 0.005)), skin.linear(skin.reflected(0.03, 0.05))
    assert flushed[1] / pale[1] < flushed[0] / pale[0] < 1


def test_the_angle_of_a_tone_is_the_one_declared_and_falls_evenly():
    found = [skin.ita(skin.linear(skin.reflected(skin.melanin(tone), skin.USUAL_BLOOD))) for tone in range(1, 11)]
    assert found == pytest.approx(skin.ITA, abs=0.6)
    assert [skin.tone(angle) for angle in found] == list(range(1, 11))


def test_the_two_kinds_of_haemoglobin_absorb_alike_where_they_are_known_to():
    # the isosbestic points of the visible range, nm
    for point in (500, 529, 545, 570, 584):
        rich, spent = (np.interp(point, skin.WAVES, table) for table in (skin.OXYGENATED, skin.SPENT))
        assert rich == pytest.approx(spent, rel=0.10)


def test_the_ends_of_the_scale_are_as_light_and_as_dark_as_skin():
    light, dark = (skin.lab(skin.linear(skin.reflected(skin.melanin(tone), skin.USUAL_BLOOD))) for tone in (1, 10))
    assert 65 < light[0] < 76
    assert 22 < dark[0] < 34
    assert 8 < light[2] < 20
    assert 6 < dark[2] < 18


def test_the_table_of_colours_gives_the_model_between_its_entries():
    melanin, blood = np.array([[0.011, 0.137, 0.71]], np.float32), np.array([[0.006, 0.021, 0.044]], np.float32)
    assert skin.colour(melanin, blood) == pytest.approx(skin.linear(skin.reflected(melanin, blood)), abs=0.003)


def test_at_850_nm_dark_and_light_skin_come_near_each_other_and_keep_their_order():
    shares = [skin.melanin(tone) for tone in range(1, 11)]
    day, lamp = (np.array([seen(share) for share in shares]) for seen in (
        lambda share: skin.linear(skin.reflected(share, skin.USUAL_BLOOD))[1],
        lambda share: skin.infrared(share, skin.USUAL_BLOOD)[0],
    ))  # fmt: skip
    assert (np.diff(lamp) < 0).all()
    assert lamp[1] / lamp[9] < 0.4 * day[1] / day[9]
    # Jacques: eumelanin takes 6.6e11 λ^-3.33 /cm, so 850 nm sees a skin as 550 nm sees one of 0.235 times its melanin
    alike = skin.reflected(0.3 * (850 / 550) ** -3.33, 0.0)[15]
    assert skin.infrared(0.3, 0.0)[0] == pytest.approx(alike, rel=0.12)


def test_blood_shows_little_at_850_nm():
    lamp, day = (np.log(seen(0.03, 0.005) / seen(0.03, 0.05)) for seen in (
        lambda *shares: skin.infrared(*shares)[0], lambda *shares: skin.linear(skin.reflected(*shares))[1],
    ))  # fmt: skip
    assert 0 < lamp < 0.2 * day

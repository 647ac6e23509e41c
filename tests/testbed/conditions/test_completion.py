"""Completing a face: the law of what may be drawn in closed form, and every draw shrinking back to what was seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, norm

from testbed.conditions.completion import completed, consistent, posterior, shrunk
from testbed.synthetic.prior import EYES, SIZE, FacePrior, mask

F = 4
W, H = SIZE[0], SIZE[1] // F * F
EYES_SEEN = (EYES + 0.5) / F - 0.5
"""Where the pupils of a small picture are if the prior's faces lie on the large one pixel by pixel."""


def prior(mean: float = 120.0, noise: float = 3.0, seed: int = 1, components: int = 2) -> FacePrior:
    """Faces that are smooth patterns, half of them too fine to be seen in the small picture."""
    random = np.random.default_rng(seed)
    coarse = random.normal(size=(components, 8, 6, 3))
    made = []
    for k, each in enumerate(coarse):
        wave = np.kron(each, np.ones((20, 20, 1)))[: SIZE[1], : SIZE[0]]
        made.append(wave if k % 2 == 0 else wave * (-1.0) ** np.arange(SIZE[0])[None, :, None])
    axes = np.stack([wave / np.sqrt((wave**2).sum()) for wave in made])
    variances = np.linspace(3000.0, 2000.0, components) ** 2
    face = np.full((SIZE[1], SIZE[0], 3), mean)
    return FacePrior(face.astype(np.float32), axes.astype(np.float32), variances.astype(np.float32), noise)


def seen(prior: FacePrior, z: np.ndarray, noise: float = 0.0) -> np.ndarray:
    face = prior.mean + np.tensordot(z, prior.components, axes=1)
    small = shrunk(face[:H, :W].astype(np.float32), F)
    return np.clip(np.rint(small + np.random.default_rng(9).normal(0, noise or 1e-9, small.shape)), 0, 255).astype(
        np.uint8
    )


def drawn(prior: FacePrior, small: np.ndarray, seed: int) -> np.ndarray:
    face = completed(small, np.zeros((H, W, 3), np.float32), EYES_SEEN, prior, np.random.default_rng(seed))
    assert face is not None
    return face


def deviates(prior: FacePrior, face: np.ndarray) -> np.ndarray:
    """The z of a drawn face, found by least squares where the mask is 1."""
    inside = mask()[:H, :W] == 1
    basis = np.stack([each[:H, :W][inside].ravel() for each in prior.components], axis=1)
    return np.linalg.lstsq(basis, (face - prior.mean[:H, :W])[inside].ravel(), rcond=None)[0]


def closed_form(prior: FacePrior, small: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of z given y, in the form that inverts a matrix of pixels instead of components."""
    told = shrunk(mask()[:H, :W, None], F)[..., 0] >= 0.5
    a = np.stack([shrunk(each[:H, :W], F)[told].ravel() for each in prior.components], axis=1).astype(float)
    y = (small - shrunk(prior.mean[:H, :W], F))[told].ravel().astype(float)
    spread = np.diag(prior.variances.astype(float))
    gain = spread @ a.T @ np.linalg.inv(a @ spread @ a.T + prior.noise**2 * np.eye(len(y)))
    return gain @ y, spread - gain @ a @ spread


def test_the_posterior_is_the_closed_form() -> None:
    random = np.random.default_rng(3)
    a, variances, noise = random.normal(size=(7, 2)), np.array([4.0, 0.5]), 1.7
    y = random.normal(size=7)
    middle, root = posterior(a, y, variances, noise)
    gain = np.diag(variances) @ a.T @ np.linalg.inv(a @ np.diag(variances) @ a.T + noise**2 * np.eye(7))
    assert middle == pytest.approx(gain @ y)
    assert root @ root.T == pytest.approx(np.diag(variances) - gain @ a @ np.diag(variances))


def test_by_hand_one_pixel_seen_of_one_component() -> None:
    middle, root = posterior(np.array([[2.0]]), np.array([6.0]), np.array([9.0]), 3.0)
    # precision 1/9 + 4/9 = 5/9; mean = 9/5 · 2 · 6/9
    assert middle == pytest.approx([2.4])
    assert root @ root.T == pytest.approx(np.array([[1.8]]))


def test_many_draws_have_the_mean_and_covariance_of_the_closed_form() -> None:
    law = prior(noise=60.0)
    small = seen(law, np.array([2500.0, -1800.0]), noise=20.0)
    middle, spread = closed_form(law, small)
    assert spread[1, 1] > 0.9 * law.variances[1]  # nothing is known of what is too fine
    assert spread[0, 0] < 0.2 * law.variances[0]
    z = np.array([deviates(law, drawn(law, small, seed)) for seed in range(200)])
    standard = np.linalg.solve(np.linalg.cholesky(spread), (z - middle).T)
    for each in standard:
        assert kstest(each, norm.cdf).pvalue > 1e-4
    assert abs(np.corrcoef(standard)[0, 1]) < 4 / np.sqrt(200)


def test_a_face_of_the_prior_seen_without_noise_is_found_again() -> None:
    law = prior(noise=0.5, components=1)
    z = np.array([2500.0])
    face = drawn(law, seen(law, z), 5)
    truth = (law.mean + np.tensordot(z, law.components, axes=1))[:H, :W]
    inside = mask()[:H, :W] == 1
    assert np.abs(face - truth)[inside].max() < 1
    assert np.abs(truth - law.mean[:H, :W])[inside].max() > 10


def test_draws_differ_where_pixels_say_nothing_and_all_shrink_back_to_them() -> None:
    law = prior(components=8)
    small = seen(law, np.random.default_rng(2).normal(0, 2000, 8))
    pictures = [consistent(drawn(law, small, seed), small) for seed in range(5)]
    for picture in pictures:
        assert np.array_equal(np.rint(shrunk(picture.astype(np.float32), F)).astype(np.uint8), small)
    apart = [np.abs(a.astype(int) - b).mean() for i, a in enumerate(pictures) for b in pictures[:i]]
    assert min(apart) > 1


def test_another_population_makes_another_face_of_the_same_pixels() -> None:
    small = seen(prior(), np.array([2500.0, 0.0]))
    one, other = (consistent(drawn(prior(seed=seed), small, 1), small) for seed in (1, 2))
    assert np.abs(one.astype(int) - other).mean() > 1
    for picture in (one, other):
        assert np.array_equal(np.rint(shrunk(picture.astype(np.float32), F)).astype(np.uint8), small)


@pytest.mark.parametrize("f", [2, 3, 8])
def test_any_picture_is_made_to_shrink_back_even_to_black_and_white(f: int) -> None:
    random = np.random.default_rng(f)
    small = random.integers(0, 256, (9, 7, 3), np.uint8)
    small[:3], small[3:5] = 0, 255
    picture = consistent(random.normal(128, 200, (9 * f, 7 * f, 3)).astype(np.float32), small)
    back = picture.reshape(9, f, 7, f, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(back - small).max() <= 0.5
    assert np.array_equal(np.rint(back), small)


def test_what_shrinks_back_already_stays_as_it_is() -> None:
    large = np.random.default_rng(1).integers(100, 120, (24, 16, 3)).astype(np.float32)
    blocks = large.reshape(6, 4, 4, 4, 3)
    blocks += np.rint(blocks.mean(axis=(1, 3), keepdims=True)) - blocks.mean(axis=(1, 3), keepdims=True)
    small = np.rint(shrunk(large, 4)).astype(np.uint8)
    assert np.abs(consistent(large, small) - large).max() <= 0.51


def test_the_face_is_drawn_at_its_eyes_and_nowhere_else() -> None:
    law, small = prior(mean=200.0), np.full((60, 90, 3), 100, np.uint8)
    large = np.full((240, 360, 3), 100, np.float32)
    eyes = np.array([[40.0, 20.0], [48.0, 26.0]])  # ten pixels apart, and leaning
    face = completed(small, large, eyes, law, np.random.default_rng(1))
    assert face is not None
    y, x = np.nonzero(np.abs(face - large).max(axis=2) > 0)
    middle = (eyes.mean(axis=0) + 0.5) * F - 0.5
    down = np.array([-6.0, 8.0]) / 10
    centre = middle + down * 20 / 48 * 40  # the ellipse's middle lies 20 of 48 below the eyes
    assert np.array([x.mean(), y.mean()]) == pytest.approx(centre, abs=1.5)
    assert np.hypot(x - centre[0], y - centre[1]).max() < 71 / 48 * 40 + 1


def test_a_face_of_more_pixels_than_the_prior_s_is_not_completed() -> None:
    small, large = np.zeros((300, 300, 3), np.uint8), np.zeros((600, 600, 3), np.float32)
    for apart, made in ((47.0, True), (49.0, False)):
        eyes = np.array([[100.0, 120.0], [100.0 + apart, 120.0]])
        face = completed(small, large, eyes, prior(components=1), np.random.default_rng(1))
        assert (face is not None) == made


def test_a_face_outside_the_picture_is_not_completed() -> None:
    small, large = np.zeros((20, 20, 3), np.uint8), np.zeros((80, 80, 3), np.float32)
    assert completed(small, large, np.array([[90.0, 50.0], [98.0, 50.0]]), prior(), np.random.default_rng(1)) is None

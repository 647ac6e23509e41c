"""The prior of an enhancer: principal components as scikit-learn's, portraits by their eyes, the same bytes again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

from pipelines.errors import InputError
from testbed.runs.directory import RunDirectory
from testbed.scenario.enhancing import POSES, Prior
from testbed.synthetic.prior import EYES, SIZE, aligned, decomposed, make_priors, mask, read_prior, similarity
from testbed.synthetic.production import cast

PAIR = Prior.model_validate({"people": [{"count": 1, "tone": 2}, {"count": 1, "tone": 9}], "components": 5})


def test_components_within_the_face_are_those_of_scikit_learn() -> None:
    faces = np.random.default_rng(1).integers(0, 256, (9, SIZE[1], SIZE[0], 3), np.uint8)
    prior = decomposed(faces, 4, 2.0)
    inside = (faces - faces.mean(axis=0)) * mask()[..., None]
    peer = PCA(4, svd_solver="full").fit(inside.reshape(9, -1))
    assert prior.variances[:4] == pytest.approx(peer.explained_variance_, rel=1e-4)
    likeness = np.abs(prior.components[:4].reshape(4, -1) @ peer.components_.T)
    assert likeness == pytest.approx(np.eye(4), abs=1e-3)
    assert prior.mean == pytest.approx(faces.mean(axis=0), abs=1e-3)
    assert (prior.components**2).sum(axis=(1, 2, 3)) == pytest.approx(np.ones(13), rel=1e-4)  # four, nine of light


def test_a_similarity_takes_two_points_to_two_others() -> None:
    here, there = np.array([[3.0, 4.0], [10.0, 2.0]]), np.array([[0.0, 5.0], [1.0, 9.0]])
    matrix = similarity(here, there)
    moved = (matrix @ np.column_stack([here, [1, 1]]).T).T
    assert moved == pytest.approx(there)
    turn = matrix[:, :2]
    assert turn @ turn.T == pytest.approx(np.eye(2) * np.linalg.det(turn))


def test_a_made_prior_is_read_again_and_is_the_same_from_the_same_seed(tmp_path: Path) -> None:
    runs = [RunDirectory.create(tmp_path / name, {}) for name in ("one", "two", "other")]
    with ThreadPoolExecutor(1) as executor:
        for run, seed in zip(runs, (1, 1, 2), strict=True):
            make_priors({"A": PAIR}, seed, run, executor)
    digests = [run.manifest()["priors"]["A"] for run in runs]
    assert digests[0] == digests[1] != digests[2]
    prior = read_prior(runs[0], "A")
    assert prior.components.shape == (5 + 9, SIZE[1], SIZE[0], 3)
    assert prior.noise == PAIR.noise
    # A light and a dark person: skin between and below the eyes is what varies most.
    cheek = prior.components[0, 85:95, 40:80].mean()
    assert abs(cheek) > abs(prior.components[1, 85:95, 40:80].mean())
    (tmp_path / "one/priors/A.npz").write_bytes(b"changed")
    with pytest.raises(InputError, match=r"A\.npz: is missing, or not the prior that this run made"):
        read_prior(runs[0], "A")


def test_pupils_of_portraits_lie_where_the_prior_says() -> None:
    faces = aligned(cast(PAIR, 5)[0])
    assert faces.shape == (POSES, SIZE[1], SIZE[0], 3)
    for x, y in EYES.astype(int):
        # A pupil is the darkest thing near it.
        around = faces[:, y - 8 : y + 9, x - 12 : x + 13].astype(float).mean(axis=(0, 3))
        rows, columns = np.nonzero(around <= np.sort(around.ravel())[15])
        assert abs(rows.mean() - 8) < 4
        assert abs(columns.mean() - 12) < 5

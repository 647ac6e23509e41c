"""What an enhancer expects of a face: the portraits of a declared population, as a mean and principal components."""

from __future__ import annotations

import io
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError
from pipelines.model_file import digest
from testbed.runs.directory import RunDirectory
from testbed.runs.progress import Progress, silent
from testbed.scenario.enhancing import POSES, Prior
from testbed.synthetic.people.identity import Identity, numbered
from testbed.synthetic.people.person import Person, Pose
from testbed.synthetic.portrait import portrait
from testbed.synthetic.production import cast

Floats = npt.NDArray[np.float32]

FOLDER = "priors"
SIZE = (120, 156)
"""Of an aligned face, width and height in pixels."""
EYES = np.array([[36.0, 58.0], [84.0, 58.0]])
"""Where its pupils are, image-left and image-right."""
MIDDLE, REACH, SOFT = (59.5, 78.0), (51.0, 71.0), 0.15
"""The face: an ellipse, within which the prior speaks; over so much of its radius it fades."""
TURNS = 8.0, 5.0
"""How far people turn and nod: standard deviations, degrees."""
LIGHT = 25.0
"""Grey levels: how far each colour may be brighter or darker, all over, from side to side, and from top to bottom.
A standard deviation; the portraits are all taken in one light, pictures to be completed are not."""
_PICTURE = (220, 260)


@dataclass(frozen=True)
class FacePrior:
    """Faces as mean `(h, w, 3)` plus components `(k, h, w, 3)`, each of unit length, times normal deviates.

    variances `(k,)` are those of the deviates, all in grey levels (0–255). noise: the standard deviation of what a
    small picture has beside that, grey levels. Pupils are at EYES.
    """

    mean: Floats
    components: Floats
    variances: Floats
    noise: float


def make_priors(
    priors: dict[str, Prior], seed: int, run: RunDirectory, executor: Executor, progress: Progress = silent
) -> None:
    """Write `priors/NAME.npz` of each and note `priors`, their SHA-256; what is there stays.

    Raises InputError for people who cannot be drawn.
    """
    people = {name: cast(prior, numbered(seed, f"prior/{name}")) for name, prior in priors.items()}
    missing = [name for name in priors if not (run.path / _file(name)).exists()]
    faces = {name: [executor.submit(aligned, each) for each in people[name]] for name in missing}
    total, done = sum(map(len, people.values())), 0
    for name, of_people in people.items():
        made = []
        for nth in range(len(of_people)):
            if name in faces:
                made.append(faces[name][nth].result())
            progress("prior", done := done + 1, total)
        if made:
            prior = priors[name]
            # In a worker, which has one thread: the same bytes on any machine of its kind.
            stack = np.concatenate(made)
            run.write_bytes(_file(name), executor.submit(_written, stack, prior.components, prior.noise).result())
    run.note(priors={name: digest(run.path / _file(name)) for name in priors})


def read_prior(run: RunDirectory, name: str) -> FacePrior:
    """A prior as `make_priors` wrote it. Raises InputError where the file is another by now."""
    path = run.path / _file(name)
    try:
        same = digest(path) == run.manifest()["priors"][name]
    except (OSError, KeyError):
        same = False
    if not same:
        raise InputError(f"{path}: is missing, or not the prior that this run made; start a new run")
    with np.load(path, allow_pickle=False) as held:
        return FacePrior(held["mean"], held["components"], held["variances"], float(held["noise"]))


def aligned(identity: Identity) -> npt.NDArray[np.uint8]:
    """Portraits of a person, turned a little, with the pupils at EYES: `(POSES, h, w, 3)`."""
    person, random = Person(identity), np.random.default_rng(numbered(identity.seed, "prior"))
    found = []
    for _ in range(POSES):
        turn, nod = (float(each) for each in random.normal(0, TURNS))
        apart = float(EYES[1, 0] - EYES[0, 0])
        picture, marks = portrait(person, Pose(yaw=turn, pitch=nod), apart, _PICTURE)
        to_place = similarity(marks[[1, 0]] - 0.5, EYES)
        found.append(cv2.warpAffine(picture, to_place, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
    return np.asarray(found, np.uint8)


def similarity(here: npt.NDArray[np.float64], there: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The matrix `(2, 3)` that turns, scales and moves two points `(2, 2)` to two others."""
    a, b = (np.array([1, 1j]) @ (points[1] - points[0]) for points in (here, there))
    turn = b / a
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([matrix, there[0] - matrix @ here[0]])


def mask() -> Floats:
    """`(h, w)` 1 in the face, 0 outside, and between the two where it fades."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    radius = np.hypot((x - MIDDLE[0]) / REACH[0], (y - MIDDLE[1]) / REACH[1])
    return np.asarray(np.clip((1 - radius) / SOFT, 0, 1), np.float32)


def decomposed(faces: npt.NDArray[np.uint8], components: int, noise: float) -> FacePrior:
    """The principal components of aligned faces `(n, h, w, 3)` within the face, and those of light."""
    within = mask()[..., None]
    mean = faces.mean(axis=0, dtype=np.float64).astype(np.float32)
    away = ((faces - mean) * within).reshape(len(faces), -1)
    values, vectors = np.linalg.eigh((away @ away.T).astype(np.float64))
    kept = np.argsort(values)[::-1][:components]
    axes = (vectors[:, kept].T @ away) / np.sqrt(values[kept])[:, None]
    lights, lit = _lights()
    return FacePrior(
        mean,
        np.concatenate([axes.reshape(-1, *mean.shape), lights]).astype(np.float32),
        np.concatenate([values[kept] / (len(faces) - 1), lit]).astype(np.float32),
        noise,
    )


def _lights() -> tuple[Floats, Floats]:
    """Components of light, and their variances."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    plain = [np.ones(x.shape), (x - MIDDLE[0]) / REACH[0], (y - MIDDLE[1]) / REACH[1]]
    made = np.stack([each[..., None] * np.eye(3)[colour] for each in plain for colour in range(3)])
    length = np.sqrt((made**2).sum(axis=(1, 2, 3)))
    return (made / length[:, None, None, None]).astype(np.float32), ((LIGHT * length) ** 2).astype(np.float32)


def _written(faces: npt.NDArray[np.uint8], components: int, noise: float) -> bytes:
    prior, content = decomposed(faces, components, noise), io.BytesIO()
    np.savez(content, mean=prior.mean, components=prior.components, variances=prior.variances, noise=prior.noise)
    return content.getvalue()


def _file(name: str) -> str:
    return str(Path(FOLDER) / f"{name}.npz")

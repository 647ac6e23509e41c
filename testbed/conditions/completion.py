"""A small face completed from a prior, as a generative upscaler does: one of many faces that shrink to the same pixels.

What is known is the small picture y = D x + noise, where D takes means of blocks of pixels. What is supposed is that
the large face is x = mean + B z, with z normal: a population. Then z given y is normal, too, and is drawn from.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.interface import Image
from testbed.synthetic.prior import EYES, SIZE, FacePrior, mask, similarity

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

SEEN = 0.5
"""A small pixel tells of the face where at least this share of it is."""
_ROUNDS = 4


def posterior(design: Doubles, seen: Doubles, variances: Doubles, noise: float) -> tuple[Doubles, Doubles]:
    """What is known of z ~ N(0, diag variances) after `seen` = design z + N(0, noise²).

    design `(m, k)`, seen `(m,)`. The mean `(k,)`, and a root `(k, k)`: the mean plus root times normal deviates is a
    draw.
    """
    precision = np.diag(1 / variances) + design.T @ design / noise**2
    lower = np.linalg.cholesky(precision)
    root = np.linalg.inv(lower).T
    return root @ (root.T @ (design.T @ seen)) / noise**2, root


def completed(
    small: Image, large: Floats, eyes: Doubles, prior: FacePrior, generator: np.random.Generator
) -> Floats | None:
    """`large` with the face drawn that has its pupils at `eyes`.

    None where nothing of it is in the picture, or where it has more pixels there than the prior's faces have.

    small `(h, w, 3)`, large `(f·h, f·w, 3)` grey levels, eyes `(2, 2)` pixels of `small`. The face fades into `large`.
    """
    if np.hypot(*(eyes[1] - eyes[0])) > np.hypot(*(EYES[1] - EYES[0])):
        return None
    f = large.shape[0] // small.shape[0]
    # Canonical face to the large picture, then to the blocks that it touches.
    there = similarity(EYES, (eyes + 0.5) * f - 0.5)
    width, height = SIZE
    corners = there @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    limits = np.array(small.shape[1::-1])
    first = np.clip(np.floor(corners.min(axis=1) / f).astype(int), 0, limits)
    last = np.clip(np.ceil(corners.max(axis=1) / f).astype(int) + 1, 0, limits)
    if (last <= first).any():
        return None
    there[:, 2] -= first * f
    size = tuple(int(side) for side in (last - first) * f)

    def placed(picture: Floats) -> Floats:
        return np.asarray(cv2.warpAffine(picture, there, size, flags=cv2.INTER_LINEAR), np.float32)

    within = placed(mask())
    told = shrunk(within[..., None], f)[..., 0] >= SEEN
    if not told.any():
        return None
    (x1, y1), (x2, y2) = first, last
    # Each component is placed and let go: of all together there would be many large pictures.
    design = np.stack([shrunk(placed(each), f)[told].ravel() for each in prior.components], axis=1).astype(np.float64)
    seen = (small[y1:y2, x1:x2].astype(np.float32) - shrunk(placed(prior.mean), f))[told].ravel().astype(np.float64)
    middle, root = posterior(design, seen, prior.variances.astype(np.float64), prior.noise)
    z = middle + root @ generator.standard_normal(len(middle))
    face = placed(prior.mean + np.tensordot(z.astype(np.float32), prior.components, axes=1))
    part = (slice(y1 * f, y2 * f), slice(x1 * f, x2 * f))
    drawn = large.copy()
    drawn[part] += within[..., None] * (face - large[part])
    return drawn


def shrunk(large: Floats, f: int) -> Floats:
    """Means of blocks of f × f pixels, `(h, w, c)`: what a camera with pixels f times as wide sees."""
    h, w, c = large.shape
    return np.asarray(large.reshape(h // f, f, w // f, f, c).mean(axis=(1, 3)), np.float32)


def consistent(large: Floats, small: Image) -> Image:
    """The picture nearest to `large` in kind of which every block's mean is the pixel of `small`, to half a grey level.

    First the difference is spread smoothly, then evenly within each block; a block that would leave 0–255 keeps its
    mean and loses contrast, so that there is no picture for which this cannot be.
    """
    f = large.shape[0] // small.shape[0]
    wanted = small.astype(np.float32)
    size = (large.shape[1], large.shape[0])
    for _ in range(_ROUNDS):
        large = np.clip(large + cv2.resize(wanted - shrunk(large, f), size, interpolation=cv2.INTER_CUBIC), 0, 255)
    fine = large - replicated(shrunk(large, f), f)
    h, w, c = small.shape
    blocks = fine.reshape(h, f, w, f, c)
    low, high = blocks.min(axis=(1, 3)), blocks.max(axis=(1, 3))
    room = np.ones_like(wanted)
    np.divide(255 - wanted, high, out=room, where=high > 255 - wanted)
    np.minimum(room, np.divide(wanted, -low, out=np.ones_like(wanted), where=-low > wanted), out=room)
    exact = replicated(wanted, f) + fine * replicated(room, f)
    picture = np.clip(np.rint(exact), 0, 255).astype(np.uint8)
    if np.abs(shrunk(picture.astype(np.float32), f) - wanted).max() > 0.5 + 1e-3:
        raise RuntimeError("an enlarged picture does not shrink back to the one that it was made of")
    return picture


def replicated(small: Floats, f: int) -> Floats:
    """Each pixel as a block of f × f."""
    return np.repeat(np.repeat(small, f, axis=0), f, axis=1)

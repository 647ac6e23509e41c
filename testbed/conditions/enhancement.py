"""A delivered picture made larger before the system sees it: interpolated, super-resolved or completed from a prior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError
from pipelines.interface import Image
from pipelines.onnx_session import session
from testbed.conditions.completion import completed, consistent
from testbed.scenario.enhancing import Completion, SuperResolver
from testbed.scenario.models import Condition
from testbed.sources.frames import Frame, Take, Truth
from testbed.synthetic.prior import FacePrior

MAX_SIDE = 8192
"""Pixels of an enlarged picture."""
_OVERLAP = 16
"""Pixels around a tile that only serve to make it: a network sees its neighbourhood."""

Floats = npt.NDArray[np.float32]


def enhance(take: Take, condition: Condition, prior: FacePrior | None, seed: Sequence[int]) -> Take:
    """The take as `condition.enhance` makes it, `condition.enlarge` times as large, with its truth; as it is for none.

    prior: of a completion, else None. Faces of which the eyes are not known, outside the picture, or further apart than
    the prior's are not completed; the frame's reason says how many. A draw depends on `seed`, the frame's index, the
    face's number and `draw` alone. Raises InputError where a picture becomes too large, or a model does not
    take it.
    """
    how = condition.enhance
    if how == "none":
        return take
    f = condition.enlarge
    frames, truth = [], []
    for frame, there in zip(take.frames, take.truth, strict=True):
        truth.append(_enlarged(there, f))
        if frame.image is None:
            frames.append(frame)
            continue
        _check_size(frame.image, f, take.camera)
        if isinstance(how, Completion):
            assert prior is not None, "a completion comes with its prior"
            frames.append(_completed(frame, there, f, prior, [*seed, frame.index], how.draw))
        else:
            image = (
                resolver(how.model, f)(frame.image) if isinstance(how, SuperResolver) else _ENLARGE[how](frame.image, f)
            )
            frames.append(replace(frame, image=image))
    eyes = None if take.eyes is None else (take.eyes + 0.5) * f - 0.5
    return replace(take, frames=tuple(frames), truth=tuple(truth), eyes=eyes)


def _enlarged(truth: Truth, f: int) -> Truth:
    # Boxes are edges, eyes pixel centres.
    eyes = None if truth.eyes is None else (truth.eyes + 0.5) * f - 0.5
    return replace(truth, boxes=(truth.boxes * f).astype(np.float32), eyes=eyes)


def _check_size(image: Image, f: int, camera: str) -> None:
    height, width = (side * f for side in image.shape[:2])
    if max(height, width) > MAX_SIDE:
        raise InputError(
            f"camera {camera}: `enlarge: {f}` makes a picture of {width} × {height}; at most {MAX_SIDE} pixels a side "
            "are made, so shrink the picture first (`scale`, `inter_eye_px`) or enlarge it less"
        )


def _interpolated(image: Image, f: int, how: int) -> Image:
    size = (image.shape[1] * f, image.shape[0] * f)
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


_ENLARGE: dict[str, Callable[[Image, int], Image]] = {
    "bicubic": partial(_interpolated, how=cv2.INTER_CUBIC), "lanczos": partial(_interpolated, how=cv2.INTER_LANCZOS4),
}  # fmt: skip


def _completed(frame: Frame, truth: Truth, f: int, prior: FacePrior, seed: Sequence[int], draw: int) -> Frame:
    """The frame bicubically enlarged, its faces completed; all of it shrinks back to the frame."""
    image = frame.image
    assert image is not None
    size = (image.shape[1] * f, image.shape[0] * f)
    large = np.asarray(cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_CUBIC))
    faces, left = len(truth.subjects), 0
    for number in range(faces):
        eyes = None if truth.eyes is None or truth.anywhere else truth.eyes[number]
        drawn = None
        if eyes is not None and np.isfinite(eyes).all():
            generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([*seed, number, draw])))
            drawn = completed(image, large, eyes, prior, generator)
        large, left = (large, left + 1) if drawn is None else (drawn, left)
    reason = f"{NOT_COMPLETED}: {left} of {faces}" if left else ""
    return replace(frame, image=consistent(large, image), reason=reason)


NOT_COMPLETED = (
    "faces enlarged bicubically, not completed, since their eyes are not known, or further apart than the prior's"
)


@lru_cache(maxsize=2)
def resolver(model: Path, f: int) -> Callable[[Image], Image]:
    """A learned super-resolver: pictures `(h, w, 3)` to `(f·h, f·w, 3)`.

    The model takes and gives float32 `(1, c, h, w)`, 0 to 1: c = 1 is luma alone (colours are then enlarged
    bicubically), c = 3 RGB; h and w are any, or fixed (larger pictures go through it in overlapping tiles). Raises
    InputError where it is no such model, or does not enlarge by f.
    """
    try:
        network: Any = session(str(model))
    except InputError:
        raise
    except Exception as error:  # ONNX Runtime has a class of its own for each thing that can be wrong with a file
        said = str(error).splitlines()[0][:200]
        raise InputError(f"{model}: ONNX Runtime cannot open it ({said}); name a whole .onnx model") from None
    takes, gives = network.get_inputs(), network.get_outputs()
    shape = takes[0].shape if len(takes) == 1 else []
    sides = [side if isinstance(side, int) else None for side in shape[2:]]
    sound = (
        len(takes) == 1 and len(gives) == 1 and len(shape) == 4 and takes[0].type == "tensor(float)"
        and shape[1] in (1, 3) and (not isinstance(shape[0], int) or shape[0] == 1)
        and all(side is None or side > 2 * _OVERLAP for side in sides)
    )  # fmt: skip
    if not sound:
        found = ", ".join(f"{port.name} {port.type} {port.shape}" for port in takes)
        raise InputError(
            f"{model}: takes {found}, which is not understood here; a super-resolver takes one float tensor "
            f"(1, 1, height, width) of luma or (1, 3, height, width) of RGB, of any size or more than {2 * _OVERLAP} "
            "pixels a side, and gives the same, larger"
        )
    channels = int(shape[1])

    def run(planes: Floats) -> Floats:
        """Planes `(h, w, c)` 0 to 1, enlarged."""
        h, w = planes.shape[:2]
        try:
            made = np.asarray(network.run(None, {takes[0].name: planes.transpose(2, 0, 1)[None]})[0])
        except Exception as error:
            raise InputError(
                f"{model}: does not run on a picture of {w} × {h} ({str(error).splitlines()[0][:200]}); a "
                "super-resolver takes (1, 1 or 3, height, width)"
            ) from None
        if made.shape != (1, channels, h * f, w * f):
            raise InputError(
                f"{model}: makes {made.shape} of {(1, channels, h, w)}, not {(1, channels, h * f, w * f)}; set "
                "`enlarge` to what the model does"
            )
        if not np.isfinite(made).all():
            raise InputError(f"{model}: makes what is no number of a picture of {w} × {h}; mend the model")
        return np.asarray(made[0].transpose(1, 2, 0), np.float32)

    # What is wrong with it is said before any picture.
    level = float(np.median(run(np.full((sides[0] or 64, sides[1] or 64, channels), 0.5, np.float32))))
    if not 0.25 < level < 0.75:
        raise InputError(
            f"{model}: makes {level:.3g} of plain grey, which is 0.5; a super-resolver takes and gives levels "
            "from 0 to 1"
        )

    def resolved(image: Image) -> Image:
        scaled = image.astype(np.float32) / 255
        if channels == 3:
            return _to_bytes(_tiled(np.asarray(scaled, np.float32), sides, f, run))
        # Full-range YCbCr (JPEG), as the models of the ONNX zoo were trained on.
        planes = cv2.cvtColor(scaled, cv2.COLOR_RGB2YCrCb)
        size = (image.shape[1] * f, image.shape[0] * f)
        large = np.asarray(cv2.resize(planes, size, interpolation=cv2.INTER_CUBIC), np.float32)
        large[..., :1] = _tiled(planes[..., :1], sides, f, run)
        return _to_bytes(cv2.cvtColor(large, cv2.COLOR_YCrCb2RGB))

    return resolved


def _to_bytes(picture: Any) -> Image:
    return np.asarray(np.rint(np.clip(picture, 0, 1) * 255), np.uint8)


def _tiled(picture: Floats, sides: Sequence[int | None], f: int, run: Callable[[Floats], Floats]) -> Floats:
    """What `run` makes of a picture `(h, w, c)`, tile by tile where it only takes pictures of certain sides.

    Beyond the picture's edge tiles repeat the edge.
    """
    h, w, c = picture.shape
    large = np.empty((h * f, w * f, c), np.float32)
    steps = [each if side is None else side - 2 * _OVERLAP for each, side in zip((h, w), sides, strict=True)]
    grid = [-(-each // step) for each, step in zip((h, w), steps, strict=True)]
    margins = [
        (_OVERLAP, _OVERLAP + n * step - each) for each, step, n in zip((h, w), steps, grid, strict=True)
    ]  # fmt: skip
    wide = np.asarray(np.pad(picture, (*margins, (0, 0)), mode="edge"), np.float32)
    for row in range(grid[0]):
        for column in range(grid[1]):
            y, x = row * steps[0], column * steps[1]
            made = run(wide[y : y + steps[0] + 2 * _OVERLAP, x : x + steps[1] + 2 * _OVERLAP])
            inner = made[_OVERLAP * f : (_OVERLAP + steps[0]) * f, _OVERLAP * f : (_OVERLAP + steps[1]) * f]
            part = large[y * f : (y + steps[0]) * f, x * f : (x + steps[1]) * f]
            part[:] = inner[: part.shape[0], : part.shape[1]]
    return large

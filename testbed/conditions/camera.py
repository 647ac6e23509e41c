"""One camera condition from end to end: a take as it was recorded, as the system under test gets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
import numpy.typing as npt

from pipelines.interface import Image
from testbed.conditions.codec import round_trip
from testbed.conditions.geometry import Linear, Placement, inter_eye, place, placements, shrink
from testbed.conditions.optics import defocus, motion_blur
from testbed.conditions.sensor import expose, to_grey, to_light
from testbed.scenario.models import Condition
from testbed.sources.frames import Frame, Take, Truth

CLIP_STRIDE = 8
"""Frame k of the clip made of photograph i has index 8·i + k; a clip has at most eight frames."""

_NO_EYES = "the bench could not locate the eyes, so the face size is not known"
_LEAST_SIDE = 16


def deliver(take: Take, condition: Condition, seed: Sequence[int]) -> Take:
    """The take under `condition`; the take itself where that is `clean`.

    A photograph (`condition.inter_eye_px` is set) becomes a clip in which the face crosses the picture, at
    that face size; a clip that cannot be made has frames without image, with the reason. Video is scaled, and
    no motion is added. Then, in linear light: blur and sensor noise; then sRGB and H.264. Truth boxes follow
    the geometry. Noise is drawn from `seed` and the frame's index alone.
    """
    if condition.clean:
        return take
    if condition.inter_eye_px is None:
        return _video(take, condition, seed)
    return _photograph(take, condition, condition.inter_eye_px, seed)


def _photograph(take: Take, condition: Condition, face_px: float, seed: Sequence[int]) -> Take:
    (photograph,), (truth,) = take.frames, take.truth
    indices = [photograph.index * CLIP_STRIDE + k for k in range(condition.frames)]
    seconds = [k / condition.fps for k in range(condition.frames)]
    if photograph.image is None:
        reason = photograph.reason
    elif take.eyes is None:
        reason = _NO_EYES
    elif face_px > inter_eye(take.eyes):
        reason = (
            f"a face of {face_px:g} px between the eyes would enlarge the photograph, "
            f"which has {inter_eye(take.eyes):.0f} px"
        )
    else:
        placed = placements(take.eyes, face_px, condition)
        scenes = _scenes(photograph.image, placed, face_px, condition)
        images = _record(scenes, indices, condition, condition.fps, seed)
        frames = (Frame(*delivered) for delivered in zip(images, indices, seconds, strict=True))
        return replace(
            take,
            frames=tuple(frames),
            truth=tuple(_moved(truth, placement, condition.frame) for placement in placed),
            eyes=None,
        )
    frames = (Frame(None, index, second, reason) for index, second in zip(indices, seconds, strict=True))
    return replace(take, frames=tuple(frames), truth=(truth,) * condition.frames, eyes=None)


def _scenes(image: Image, placed: Sequence[Placement], face_px: float, condition: Condition) -> list[Linear]:
    """The light that falls on the sensor in each frame."""
    scale = placed[0].scale
    height, width = image.shape[:2]
    # Smeared at the photograph's own resolution, where a fraction of a camera pixel is several pixels.
    path = condition.motion_eyes_per_s * condition.exposure_s * face_px / scale
    smeared = motion_blur(to_light(image), path)
    small = shrink(smeared, max(1, round(width * scale)), max(1, round(height * scale)))
    return [
        defocus(place(small, (width, height), placement, condition.frame), condition.defocus_px) for placement in placed
    ]


def _video(take: Take, condition: Condition, seed: Sequence[int]) -> Take:
    scale = condition.scale or 1.0
    frames: list[Frame] = list(take.frames)
    truth = list(take.truth)
    shown = [i for i, frame in enumerate(take.frames) if frame.image is not None]
    # A recording may change its size; an encoder starts anew where it does.
    for _, run in groupby(shown, key=lambda i: _shape(take.frames[i].image)):
        members = list(run)
        scenes = []
        for i in members:
            image = take.frames[i].image
            assert image is not None
            height, width = image.shape[:2]
            small_width, small_height = (_even(side * scale) for side in (width, height))
            scenes.append(defocus(shrink(to_light(image), small_width, small_height), condition.defocus_px))
            ratio = np.array([small_width / width, small_height / height] * 2)
            boxes, eyes = (truth[i].boxes * ratio).astype(np.float32), truth[i].eyes
            # Boxes are edges, eyes pixel centres.
            truth[i] = replace(truth[i], boxes=boxes, eyes=None if eyes is None else (eyes + 0.5) * ratio[:2] - 0.5)
        indices = [take.frames[i].index for i in members]
        images = _record(scenes, indices, condition, _rate([take.frames[i] for i in members], condition.fps), seed)
        for i, delivered in zip(members, images, strict=True):
            frames[i] = replace(take.frames[i], image=delivered)
    return replace(take, frames=tuple(frames), truth=tuple(truth), eyes=None)


def _record(
    scenes: Sequence[Linear], indices: Sequence[int], condition: Condition, fps: float, seed: Sequence[int]
) -> list[Image]:
    """Sensor and codec."""
    images = []
    for scene, index in zip(scenes, indices, strict=True):
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([*seed, index])))
        images.append(to_grey(expose(scene, condition.light, condition.noise, generator)))
    if condition.bitrate_kbps is None:
        return images
    return round_trip(images, fps, condition.bitrate_kbps, condition.gop)


def _moved(truth: Truth, placement: Placement, frame: tuple[int, int]) -> Truth:
    """`truth` of the photograph in the camera's picture, clipped to it; gone where the face has left it."""
    corners = placement.points(truth.boxes.astype(np.float64).reshape(-1, 2, 2)).reshape(-1, 4)
    boxes: npt.NDArray[np.float32] = np.clip(corners, 0, [*frame, *frame]).astype(np.float32)
    seen = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return replace(
        truth,
        boxes=boxes[seen],
        transits=tuple(name for name, there in zip(truth.transits, seen, strict=True) if there),
        subjects=tuple(name for name, there in zip(truth.subjects, seen, strict=True) if there),
        eyes=None if truth.eyes is None else placement.points(truth.eyes)[seen],
    )


def _shape(image: Image | None) -> tuple[int, ...]:
    return () if image is None else image.shape


def _rate(frames: Sequence[Frame], default: float) -> float:
    """Frames per second of these frames by their own clock; `default` where that says nothing."""
    lasted = frames[-1].seconds - frames[0].seconds
    return (len(frames) - 1) / lasted if lasted > 0 else default


def _even(side: float) -> int:
    """The largest even number of pixels that fits, at least 16: H.264 halves the colour planes."""
    return max(_LEAST_SIDE, 2 * int(side / 2 + 1e-9))

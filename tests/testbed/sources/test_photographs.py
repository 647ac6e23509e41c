from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from pipelines.errors import InputError
from testbed.sources.photographs import Photograph, find, read_photograph, strangers


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def names(found: Sequence[Photograph]) -> list[tuple[str, str]]:
    return [(photograph.subject, photograph.path.name) for photograph in found]


def test_every_photograph_goes_to_the_person_named_in_its_file(tmp_path: Path) -> None:
    touch(tmp_path, "b_2.jpg", "a_1.jpg", "a_2.jpg", "a_1.txt", "c[1]_1.jpg")
    found = find(f"{tmp_path}/{{subject}}_*.jpg", ["a", "b", "c[1]", "d"])
    assert names(found) == [("a", "a_1.jpg"), ("a", "a_2.jpg"), ("b", "b_2.jpg"), ("c[1]", "c[1]_1.jpg")]


def test_an_id_may_stand_twice_in_the_pattern_and_hold_the_separator(tmp_path: Path) -> None:
    touch(tmp_path, "a_b/a_b_01.jpg", "a/a_01.jpg", "a/b_01.jpg")
    found = find(f"{tmp_path}/{{subject}}/{{subject}}_*.jpg", ["a", "a_b"])
    assert names(found) == [("a", "a_01.jpg"), ("a_b", "a_b_01.jpg")]


def test_a_photograph_that_could_be_two_peoples_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a_b_01.jpg")
    with pytest.raises(InputError, match="could be a's or a_b's"):
        find(f"{tmp_path}/{{subject}}_*.jpg", ["a", "a_b"])


def test_photographs_of_nobody_are_named_up_to_five(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{i}.jpg" for i in range(7)))
    strangers(f"{tmp_path}/{{subject}}.jpg", [str(i) for i in range(7)])
    with pytest.raises(InputError, match=r"6 of the photographs.*\(1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg, …\)"):
        strangers(f"{tmp_path}/{{subject}}.jpg", ["0"])


def save(picture: Pillow.Image, path: Path, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    picture = Pillow.new("RGB", (30, 20))
    picture.putpixel((0, 0), (255, 255, 255))
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turn clockwise to view
    image = read_photograph(save(picture, tmp_path / "a.png", exif=exif))
    assert image.shape == (30, 20, 3)
    assert image[0, 19].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Pillow.new("RGBA", (4, 4), (200, 0, 0, 0)), [255, 255, 255]),
        (Pillow.new("RGBA", (4, 4), (200, 0, 0, 255)), [200, 0, 0]),
        (Pillow.new("L", (4, 4), 77), [77, 77, 77]),
        (Pillow.new("RGB", (4, 4), (1, 2, 3)).quantize(), [1, 2, 3]),
        (Pillow.fromarray(np.full((4, 4), 0x8000, np.uint16)), [128, 128, 128]),
    ],
    ids=["transparent", "opaque", "grey", "palette", "16 bits"],
)
def test_every_kind_of_pixel_becomes_8_bit_rgb(tmp_path: Path, picture: Pillow.Image, expected: list[int]) -> None:
    image = read_photograph(save(picture, tmp_path / "a.png"))
    assert image.dtype == np.uint8
    assert image.shape == (4, 4, 3)
    assert image[1, 1].tolist() == expected


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    image = read_photograph(save(Pillow.new("CMYK", (8, 8), (0, 255, 255, 0)), tmp_path / "a.jpg", quality=95))
    assert np.abs(image.astype(int) - [255, 0, 0]).max() < 8


def png_of_size(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def truncated() -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Pillow.fromarray(noise).save(buffer, "JPEG")
    return buffer.getvalue()[: len(buffer.getvalue()) // 2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "zero bytes"),
        (b"hello", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (truncated(), "truncated"),
        (png_of_size(20_001, 10), "20,001 × 10 pixels exceeds the limit"),
        (png_of_size(10_001, 10_000), "100 megapixels"),
        (png_of_size(60_000, 60_000), "exceeds the limit"),
    ],
)
def test_what_is_no_whole_picture_of_sane_size_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.jpg") as refused:
        read_photograph(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_photograph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_photograph(tmp_path / "none.jpg")

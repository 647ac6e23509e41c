"""Each format of truth on a small file written by hand, and what is said of one that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from pipelines.errors import InputError
from testbed.scenario.models import Camera, TruthFile
from testbed.sources.recording import recording
from testbed.sources.sequence import sequence
from testbed.sources.truth import CameraTruth, read_truth
from testbed.sources.video import Footage

MakeClip = Callable[..., Path]
Read = Callable[..., CameraTruth]


@pytest.fixture
def read(tmp_path: Path, make_clip: MakeClip) -> Read:
    """Truth of a folder of six pictures, 0001.png to 0006.png, or of a clip of 12 frames, both of 64 × 48."""

    def of(text: str | bytes, format: str, clip: bool = False, **keys: Any) -> CameraTruth:
        path = tmp_path / "truth"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        truth = TruthFile(file=path, format=format, **keys)  # type: ignore[arg-type]
        footage: Footage
        if clip:
            footage = recording(make_clip())
        else:
            (tmp_path / "cam").mkdir(exist_ok=True)
            for number in range(1, 7):
                Pillow.new("RGB", (64, 48)).save(tmp_path / "cam" / f"{number:04d}.png")
            footage = sequence(tmp_path / "cam", 10)
        return read_truth(Camera(name="cam", file=footage.path, truth=truth), truth, footage, 15)

    return of


def boxes(table: Any) -> list[tuple[Any, ...]]:
    return [(row["frame"], *(row[side] for side in ("x1", "y1", "x2", "y2"))) for row in table.iter_rows(named=True)]


def frames(truth: CameraTruth) -> list[int]:
    assert truth.annotated is not None
    return truth.annotated["frame"].to_list()


IDL = """\
"cam/0002.png": (10.0, 5.0, 20.0, 15.0), (30, 25, 20, 15):0.9/3;
"cam/0001.png";
"cam/0005.png":;
"other/0001.png": (0, 0, 9, 9);
"cam/0006.png": (-5, 40, 15, 60.5).
"""


def test_idl_has_heads_in_pictures_corners_in_either_order_and_pictures_without_anybody(read: Read) -> None:
    truth = read(IDL, "idl")
    assert boxes(truth.heads) == [(1, 10, 5, 20, 15), (1, 20, 15, 30, 25), (5, 0, 40, 15, 48)]
    assert truth.heads["head"].to_list() == [0, 1, 0]
    assert frames(truth) == [0, 1, 4, 5]
    assert truth.transits.is_empty()
    assert truth.boxes.is_empty()
    assert any("1 of its pictures lie in other folders" in notice for notice in truth.notices)
    assert any("of 2 of 6 pictures the truth file says nothing" in notice for notice in truth.notices)


CVAT_IMAGES = """\
<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><name>cafe</name><labels><label><name>head</name></label></labels></task></meta>
  <image id="0" name="0001.png" width="64" height="48">
    <box label="head" occluded="0" xtl="1.5" ytl="2" xbr="11" ybr="12"><attribute name="who">ann</attribute></box>
    <box label="head" occluded="1" xtl="20" ytl="20" xbr="30" ybr="30"><attribute name="who"></attribute></box>
    <box label="chair" occluded="0" xtl="0" ytl="0" xbr="60" ybr="40"></box>
    <polygon label="head" points="1,1;2,2;3,1"/>
  </image>
  <image id="1" name="0003.png" width="64" height="48"></image>
</annotations>
"""


def test_cvat_images_have_boxes_of_one_label_which_an_attribute_may_name(read: Read) -> None:
    nameless = read(CVAT_IMAGES, "cvat", label="head")
    assert boxes(nameless.heads) == [(0, 1.5, 2, 11, 12), (0, 20, 20, 30, 30)]
    assert nameless.transits.is_empty()
    assert frames(nameless) == [0, 2]
    assert any("1 shapes are no upright boxes" in notice for notice in nameless.notices)
    known = read(CVAT_IMAGES, "cvat", label="head", identity="who")
    assert boxes(known.boxes) == [(0, 1.5, 2, 11, 12)]
    assert known.transits["transit"].to_list() == ["cam/ann/1"]
    assert boxes(known.heads) == [(0, 20, 20, 30, 30)]


def cvat_video(*tracks: str, task: str = "") -> str:
    return f"<annotations><version>1.1</version><meta><task>{task}</task></meta>{''.join(tracks)}</annotations>"


def track(number: int, *at: tuple[int, int], label: str = "head") -> str:
    """Boxes at (frame, outside), 10 pixels wide, moving right with the frame."""
    rows = "".join(
        f'<box frame="{f}" outside="{o}" occluded="0" keyframe="1" xtl="{f}" ytl="5" xbr="{f + 10}" ybr="15"/>\n'
        for f, o in at
    )
    return f'<track id="{number}" label="{label}">{rows}</track>\n'


def test_cvat_video_has_tracks_that_end_outside_and_are_never_filled_in(read: Read) -> None:
    text = cvat_video(track(7, (0, 0), (1, 0), (2, 1)), track(8, (4, 0), (7, 0)))
    truth = read(text, "cvat", clip=True)
    assert truth.heads.select("frame", "head", "track").rows() == [(0, 0, "7"), (1, 0, "7"), (4, 0, "8"), (7, 0, "8")]
    assert boxes(truth.heads)[1] == (1, 1, 5, 11, 15)
    assert frames(truth) == [0, 1, 2, 3, 4, 7, 8, 9, 10, 11]
    assert any("1 times a track skips frames" in notice and "2 frames are not" in notice for notice in truth.notices)


def test_cvat_video_was_looked_at_where_its_task_says_so(read: Read) -> None:
    task = "<start_frame>2</start_frame><stop_frame>9</stop_frame><frame_filter>step=3</frame_filter>"
    truth = read(cvat_video(track(1, (2, 0), (5, 0), (8, 1)), task=task), "cvat", clip=True)
    assert frames(truth) == [2, 5, 8]
    assert truth.heads["frame"].to_list() == [2, 5]
    assert not any("skips" in notice for notice in truth.notices)


CHOKEPOINT = """\
<!DOCTYPE GroundTruth>
<dataset name="P1E_S1_C1">
 <frame number="00000001"/>
 <frame number="00000002">
  <person id="0004"><leftEye x="30" y="20"/><rightEye x="20" y="20"/></person>
 </frame>
 <frame number="00000003"><person id="0004"><leftEye x="30" y="20"/><rightEye x="20" y="20"/></person></frame>
 <frame number="00000005">
  <person id="0004"><leftEye x="40" y="20"/><rightEye x="30" y="20"/></person>
  <person id="0009"/>
 </frame>
</dataset>
"""


def test_chokepoint_names_people_and_their_eyes_make_a_box(read: Read) -> None:
    truth = read(CHOKEPOINT, "chokepoint")
    # 2.2 eye distances wide, its middle half of one below the eyes: eyes at (20, 20) and (30, 20).
    assert boxes(truth.boxes)[0] == (1, *(float(np.float32(edge)) for edge in (14, 14, 36, 36)))
    assert truth.transits.select("transit", "first", "last").rows() == [("cam/0004/1", 10, 20), ("cam/0004/2", 40, 40)]
    assert truth.heads.is_empty()
    assert frames(truth) == [0, 1, 2]
    assert any("in 1 pictures the eyes of somebody are not marked" in notice for notice in truth.notices)
    assert read(CHOKEPOINT, "chokepoint", clip=True).boxes["frame"].to_list() == [2, 3, 5]


ENTITY = '<!DOCTYPE annotations [<!ENTITY a "aaaa">]><annotations>&a;</annotations>'
IMAGE = '<annotations><image id="0" name="0001.png" width="64" height="48">{}</image></annotations>'
BOX = '<box label="head" xtl="1" ytl="1" xbr="9" ybr="9" {}/>'


@pytest.mark.parametrize(
    ("text", "format", "said"),
    [
        ("", "idl", "is empty; an IDL file has lines such as"),
        (b"\xff\xfe", "idl", "is no text in UTF-8"),
        ('"0001.png": (1, 2, 3, 4);\n0002.png: (1, 2, 3, 4);\n', "idl", "line 2: is no line of IDL"),
        ('"0001.png": (1, 2, 3, 4), (1, 2, 3);\n', "idl", "line 1: box 2 cannot be read"),
        ('"0001.png": (1, 2, 3, 4),;\n', "idl", "line 1: box 2 cannot be read"),
        ('"0001.png": (1, 2, 3, 4) (1, 2, 3, 4);\n', "idl", "line 1: box 2 cannot be read"),
        ('"0001.png" (1, 2, 3, 4);\n', "idl", "line 1: box 1 cannot be read"),
        ('"0001.png": (1, 2, 3, 1e999);\n', "idl", "line 1: its box must be finite numbers"),
        ('"0001.png": (1, 2, 1, 9);\n', "idl", "line 1: w and h must be larger than zero"),
        ('"0001.png";\n"0002.png": (64, 2, 90, 9);\n', "idl", "line 2: the box lies wholly outside the picture of 64"),
        ('"0001.png";\n"0009.png";\n', "idl", "a picture that it names is not in the folder cam: '0009.png'"),
        ("<annotations><image", "cvat", "is no whole XML file"),
        ("frame,x,y\n", "cvat", "is no whole XML file"),
        (ENTITY, "cvat", "line 1: declares the entity 'a'"),
        ("<dataset/>", "cvat", "line 1: begins with <dataset>; it must be CVAT 1.1 XML"),
        ("<a>" * 40, "cvat", "begins with <a>"),
        (f"<annotations>{'<a>' * 40}", "cvat", "nested more than 32 deep"),
        (f"<annotations>{BOX.format('')}</annotations>", "cvat", "line 1: <box> stands in no <image> or <track>"),
        (IMAGE.format('<box label="head" xtl="1" ytl="1" xbr="9"/>'), "cvat", "line 1: <box> has no ybr"),
        (IMAGE.format(BOX.format("").replace('"9"', '"wide"', 1)), "cvat", "line 1: xbr is 'wide'; it must be"),
        (IMAGE.format(BOX.format('rotation="12.5"')), "cvat", "line 1: the box is turned by 12.5 degrees"),
        (IMAGE.format(BOX.format("") + BOX.replace("head", "dog").format("")), "cvat", "boxes of 2 labels (dog, head)"),
        (IMAGE.replace('"64"', '"640"').format(""), "cvat", "its pictures have 640 × 48 pixels, those of"),
        (cvat_video(track(1, (6, 0))), "cvat", "line 1: its frame is beyond the end"),
        (
            cvat_video(task="<original_size><width>9</width><height>9</height></original_size>"),
            "cvat",
            "is about a recording of 9 × 9 pixels, the camera's has 64 × 48",
        ),
        ("<dataset><frame number='x'/></dataset>", "chokepoint", "line 1: <frame> has number 'x'"),
        ("<dataset><person id='1'/></dataset>", "chokepoint", "line 1: <person> stands in no <frame>"),
        ("<dataset><frame number='1'/>\n<frame number='01'/>", "chokepoint", "line 2: the frame 1 stands"),
        ("<dataset><frame number='1'/><frame number='77'/></dataset>", "chokepoint", "not in the recording: number 77"),
        (CHOKEPOINT.replace("0004", "../x", 1), "chokepoint", "line 5: the subject '../x' holds a path separator"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_told_where(read: Read, text: str | bytes, format: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read(text, format)
    assert said in str(refused.value)
    assert "truth: " in str(refused.value)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "has boxes of 2 labels (chair, head); say which are heads or faces"),
        ({"label": "face"}, "has no box of the label 'face'; its labels are chair, head"),
        ({"label": "head", "identity": "name"}, "no box has the attribute 'name', which would say who it is; "),
    ],
)
def test_a_label_or_an_attribute_that_is_not_there_is_told(read: Read, keys: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as refused:
        read(CVAT_IMAGES, "cvat", **keys)
    assert said in str(refused.value)


@pytest.mark.parametrize("format", ["idl", "cvat", "chokepoint"])
def test_too_many_boxes_are_refused_as_they_are_read(read: Read, monkeypatch: pytest.MonkeyPatch, format: str) -> None:
    eyes = '<leftEye x="30" y="20"/><rightEye x="20" y="20"/>'
    people = "".join(f'<person id="{name}">{eyes}</person>' for name in "abc")
    text = {
        "idl": '"0001.png": (1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4), unread',
        "cvat": IMAGE.format(BOX.format("") * 3) + "unread",
        "chokepoint": f'<dataset><frame number="1">{people}</frame></dataset>unread',
    }[format]
    monkeypatch.setattr("testbed.sources.annotations.MAX_ROWS", 2)
    with pytest.raises(InputError, match="has more than 2 boxes; split it by camera"):
        read(text, format)


def test_names_of_pictures_mean_nothing_in_a_clip(read: Read) -> None:
    with pytest.raises(InputError, match="is about pictures with names"):
        read(IDL, "idl", clip=True)
    with pytest.raises(InputError, match="is about pictures with names"):
        read(CVAT_IMAGES, "cvat", clip=True, label="head")

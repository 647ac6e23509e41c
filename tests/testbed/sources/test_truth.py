from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.errors import InputError
from testbed.scenario.models import Camera, TruthFile
from testbed.sources.recording import recording
from testbed.sources.truth import CameraTruth, read_truth

MakeClip = Callable[..., Path]
HEADER = "camera,frame,subject,x,y,w,h\n"


@pytest.fixture
def read(make_clip: MakeClip, tmp_path: Path) -> Callable[..., CameraTruth]:
    clip = make_clip()  # 12 frames of 64 × 48, ten per second

    def of(text: str, mot: bool = False, gap: float = 0.25) -> CameraTruth:
        path = tmp_path / "truth.csv"
        path.write_text(text, encoding="utf-8")
        truth = TruthFile(file=path, format="mot" if mot else "csv")
        return read_truth(Camera(name="door", file=clip, truth=truth), truth, recording(clip), gap)

    return of


def test_a_person_away_for_longer_than_the_gap_starts_a_new_transit(read: Callable[..., CameraTruth]) -> None:
    frames = (0, 1, 3, 6, 7)  # 0.1, 0.2, 0.3 and 0.1 s apart
    truth = read(HEADER + "".join(f"door,{frame},ann,1,2,10,10\n" for frame in frames) + "other,99,bob,0,0,1,1\n")
    times = {row[0]: row[3:] for row in truth.transits.rows()}
    assert times == {"door/ann/1": pytest.approx((0.0, 0.3)), "door/ann/2": pytest.approx((0.6, 0.7))}
    assert truth.boxes["transit"].to_list() == ["door/ann/1"] * 3 + ["door/ann/2"] * 2
    assert truth.boxes.row(0)[4:] == (1, 2, 11, 12)


def test_motchallenge_counts_frames_and_pixels_from_one_and_its_ignored_rows_are_counted(
    read: Callable[..., CameraTruth],
) -> None:
    truth = read("1,7,1,1,10,20,1,1,1\n2,7,3,1,10,20,1,1,0.5\n2,8,-9,-9,1,1,0,3,1\n", mot=True)
    assert [row[1:] for row in truth.boxes.rows()] == [
        (0, "door/7/1", "7", 0, 0, 10, 20),
        (1, "door/7/1", "7", 2, 0, 12, 20),
    ]
    assert any("1 rows are marked" in notice for notice in truth.notices)


def test_a_box_half_outside_is_clipped(read: Callable[..., CameraTruth]) -> None:
    assert read(HEADER + "door,0,a,-5,40,20,20\n").boxes.row(0)[4:] == (0, 40, 15, 48)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("door,x,a,1,1,9,9\n", "row 2: frame is 'x'"),
        ("door,0,a,1,1,9,9\ndoor,1,a,nan,1,9,9\n", "row 3: x is 'nan'"),
        ("door,1,a,inf,1,9,9\n", "row 2: x is 'inf'"),
        ("other,1,a,1,1,9,9\ndoor,1,a,,1,9,9\n", "row 3: x is ''"),
        ("door,0,a,1,1,0,9\n", "row 2: w and h must be larger"),
        ("door,0,a,1,1,9,-9\n", "row 2: w and h must be larger"),
        ("door,12,a,1,1,9,9\n", "row 2: its frame is beyond the end of the video, which has 12"),
        ("door,-1,a,1,1,9,9\n", "row 2: its frame is no frame number"),
        ("door,1.5,a,1,1,9,9\n", "row 2: its frame is no frame number"),
        ("door,1,../../etc,1,1,9,9\n", "row 2: the subject '../../etc' holds a path separator"),
        ("door,1,,1,1,9,9\n", "row 2: the subject '' is empty"),
        ("door,1,a,1,1,9,9\ndoor,1,a,5,5,9,9\n", "row 2: its subject stands twice"),
        ("door,1,a,64,1,9,9\n", "row 2: the box lies wholly outside the picture of 64 × 48"),
        ("gate,1,a,1,1,9,9\n", "no row is for camera 'door'; its cameras are gate"),
    ],
)
def test_a_row_that_cannot_be_true_is_named(read: Callable[..., CameraTruth], rows: str, said: str) -> None:
    with pytest.raises(InputError, match=r"truth\.csv") as refused:
        read(HEADER + rows)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "mot", "said"),
    [
        ("", False, "is empty"),
        ("camera,frame,who,x,y,w,h\n", False, "has no column 'subject'"),
        ("1,2,3\n", True, "has 3 columns"),
    ],
)
def test_a_file_of_another_format_is_refused(read: Callable[..., CameraTruth], text: str, mot: bool, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(text, mot)


def test_a_file_without_rows_says_that_nobody_passes(read: Callable[..., CameraTruth]) -> None:
    truth = read(HEADER)
    assert truth.boxes.is_empty()
    assert any("nobody passes" in notice for notice in truth.notices)
    assert read("", mot=True).boxes.is_empty()

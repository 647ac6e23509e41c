from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from PIL import Image as Pillow

from pipelines.errors import InputError
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import TRUTH
from testbed.scenario.models import Camera, Scenario, System, TruthFile, Video
from testbed.sources.sequence import by_number, digest_of_pictures, indices_of, sequence
from testbed.sources.survey import survey
from testbed.sources.video import VideoSource

Draw = Callable[..., Path]


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """A folder with pictures of these names, each of the grey level of its place in the list."""

    def make(*names: str, folder: str = "cafe", size: tuple[int, int] = (64, 48)) -> Path:
        for grey, name in enumerate(names):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Pillow.new("RGB", size, (grey, grey, grey)).save(path)
        return tmp_path / folder

    return make


def test_pictures_come_in_natural_order_with_the_seconds_between_them(draw: Draw) -> None:
    folder = draw("b/1.png", "shot10.png", "shot9.JPG", "shot2.png", "10/a.png", "9/a.png")
    (folder / "notes.txt").write_text("no picture")
    pictures = sequence(folder, 100)
    assert pictures.names == ("9/a.png", "10/a.png", "b/1.png", "shot2.png", "shot9.JPG", "shot10.png")
    assert pictures.times.tolist() == [0, 100, 200, 300, 400, 500]
    assert (pictures.width, pictures.height) == (64, 48)
    assert ["1 files are no PNG or JPEG" in notice for notice in pictures.notices] == [True]


def test_a_picture_that_cannot_be_shown_keeps_its_place_and_says_why(draw: Draw) -> None:
    folder = draw("1.png", "2.png", "3.png", "4.png")
    (folder / "2.png").write_bytes(b"no picture")
    draw("3.png", size=(32, 48))
    source = VideoSource({"cafe": folder}, pl.DataFrame(schema=TRUTH.columns), segment=3, apart={"cafe": 0.5})
    assert (source.frames("cafe"), source.segments("cafe")) == (4, 2)
    frames = [frame for segment in (1, 0) for take in source.read("cafe", segment) for frame in take.frames]
    assert [(frame.index, frame.seconds) for frame in frames] == [(3, 1.5), (0, 0), (1, 0.5), (2, 1)]
    assert [None if frame.image is None else int(frame.image[0, 0, 0]) for frame in frames] == [3, 0, None, None]
    assert [frame.reason for frame in frames[2:]] == [
        "is not a picture in a format known here; save it as JPEG or PNG",
        "the picture has 32 × 48 pixels, the first has 64 × 48",
    ]


def test_every_other_picture_is_shown(draw: Draw) -> None:
    files = {"cafe": draw(*(f"{i}.png" for i in range(5)))}
    source = VideoSource(files, pl.DataFrame(schema=TRUTH.columns), every=2, segment=2, apart={"cafe": 1.0})
    shown = [[frame.index for take in source.read("cafe", i) for frame in take.frames] for i in (0, 1)]
    assert shown == [[0, 2], [4]]


def test_a_folder_without_readable_pictures_is_refused(draw: Draw, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the folder of pictures cannot be read"):
        sequence(tmp_path / "absent", 1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no PNG or JPEG file"):
        sequence(tmp_path / "empty", 1)
    folder = draw("1.png")
    (folder / "1.png").write_bytes(b"")
    with pytest.raises(InputError, match="none of its 1 pictures can be read"):
        sequence(folder, 1)


def meant(folder: Path, *names: str) -> tuple[list[int | None], int]:
    return indices_of(sequence(folder, 1), list(enumerate(names, start=1)), Path("truth.idl"))


def test_a_name_means_the_picture_whose_path_ends_so(draw: Draw) -> None:
    folder = draw("mon/1.png", "mon/2.png", "tue/1.png")
    assert meant(folder, "tue/1.png", "cafe/mon/2.png") == ([2, 1], 0)
    assert meant(folder, "2.png") == ([1], 0)


def test_pictures_of_another_camera_s_folder_are_left_out_and_those_of_a_renamed_one_found(draw: Draw) -> None:
    folder = draw("1.png", "2.png")
    assert meant(folder, "elsewhere/1.png", "cafe/2.png") == ([None, 1], 1)
    assert meant(folder, "old_name/2.png", "old_name/1.png") == ([1, 0], 0)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("1.png",), "line 1: '1.png' may be mon/1.png or tue/1.png"),
        (("mon/7.png", "tue/8.png", "mon/1.png"), "2 pictures that it names are not in the folder cafe: 'mon/7.png'"),
        (("mon/1.png", "cafe/mon/1.png"), "lines 1 and 2 are of one picture"),
        (("wed/1.png", "thu/1.png"), "names pictures of 2 folders, none of which is the camera's"),
    ],
)
def test_a_name_that_means_no_picture_or_two_is_refused(draw: Draw, names: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=r"truth\.idl") as refused:
        meant(draw("mon/1.png", "tue/1.png"), *names)
    assert said in str(refused.value)


def test_numbers_are_the_last_in_a_picture_s_own_name(draw: Draw) -> None:
    assert by_number(sequence(draw("P1E_S1/0007.png", "P1E_S1/0012_x.png", "logo.png"), 1), Path("t")) == {7: 0, 12: 1}
    with pytest.raises(InputError, match=r"a/1\.png and b/01\.png have the same"):
        by_number(sequence(draw("a/1.png", "b/01.png", folder="twice"), 1), Path("t"))


def test_the_digest_knows_names_and_contents(draw: Draw) -> None:
    folder = draw("1.png", "2.png")
    (folder / "notes.txt").write_text("not an input")
    one = digest_of_pictures(folder)
    (folder / "notes.txt").write_text("changed")
    assert digest_of_pictures(folder) == one
    (folder / "2.png").rename(folder / "3.png")
    other = digest_of_pictures(folder)
    (folder / "3.png").write_bytes((folder / "1.png").read_bytes())
    assert len({one, other, digest_of_pictures(folder)}) == 3


def test_heads_without_names_make_no_transits(draw: Draw, tmp_path: Path) -> None:
    folder = draw("1.png", "2.png", "3.png")
    truth = tmp_path / "heads.idl"
    truth.write_text('"1.png": (1, 2, 11, 12), (20, 20, 30, 30);\n"3.png";\n')
    camera = Camera(name="cafe", file=folder, seconds_apart=60, truth=TruthFile(file=truth, format="idl"))
    scenario = Scenario(title="t", probes=Video(kind="video", cameras=[camera]), systems=[System(pipeline="dlib")])
    run = RunDirectory.create(tmp_path / "run", {})
    survey(scenario, run)
    tables = {path.relative_to(run.path).as_posix(): pl.read_parquet(path) for path in run.path.rglob("*.parquet")}
    assert {name: len(table) for name, table in tables.items()} == {
        "subjects.parquet": 0, "transits.parquet": 0, "truth/boxes.parquet": 0, "truth/heads.parquet": 2,
        "truth/annotated.parquet": 2,
    }  # fmt: skip
    assert tables["truth/heads.parquet"].rows() == [
        ("cafe", 0, 0, None, 1, 2, 11, 12),
        ("cafe", 0, 1, None, 20, 20, 30, 30),
    ]
    assert tables["truth/annotated.parquet"].rows() == [("cafe", 0), ("cafe", 2)]
    assert run.manifest()["recorded"] == {"cafe": [64, 48]}
    assert any("of 1 of 3 pictures the truth file says nothing" in notice for notice in run.manifest()["notices"])
    assert set(run.manifest()["inputs"]) == {str(folder), str(truth)}

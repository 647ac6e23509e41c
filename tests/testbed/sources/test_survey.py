from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from pipelines.errors import InputError
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import PHOTOGRAPHS, SUBJECTS, TRANSITS, TRUTH
from testbed.scenario.models import (
    Camera,
    NobodyEnrolled,
    Photographs,
    Scenario,
    Stills,
    Subjects,
    System,
    TruthFile,
    Video,
)
from testbed.scenario.searching import Watchlist
from testbed.sources.stills import StillsSource, face_box
from testbed.sources.survey import open_source, sizes, survey

MakeClip = Callable[..., Path]
LONDON = Path(__file__).parents[4] / "shared/data/london_set"
needs_london = pytest.mark.skipif(not LONDON.is_dir(), reason="the London Set is not beside the repository")


class Folder:
    """A scenario's material on disk, and its survey."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runs = 0

    def people(self, *names: str) -> Subjects:
        table = self.path / "people.csv"
        table.write_text("subject,g\n" + "".join(f"{name},x\n" for name in names), encoding="utf-8")
        return Subjects(table=table)

    def photographs(self, *names: str) -> None:
        for name in names:
            Pillow.new("RGB", (60, 60), (90, 90, 90)).save(self.path / name)

    def stills(self, subjects: Subjects) -> Scenario:
        return Scenario(
            title="t",
            groups=["g"],
            subjects=subjects,
            references=Photographs(images=f"{self.path}/{{subject}}_ref.png"),
            probes=Stills(kind="stills", images=f"{self.path}/{{subject}}_probe*.png"),
            systems=[System(pipeline="dlib")],
        )

    def survey(self, scenario: Scenario) -> RunDirectory:
        self.runs += 1
        run = RunDirectory.create(self.path / f"run{self.runs}", {})
        with ThreadPoolExecutor(1) as executor:
            survey(scenario, run, executor)
        return run


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_every_probe_photograph_is_a_transit_and_an_unreadable_one_is_named(folder: Folder) -> None:
    subjects = folder.people("a", "b")
    folder.photographs("a_ref.png", "b_ref.png", "a_probe1.png", "a_probe2.png")
    (folder.path / "b_probe.png").write_bytes(b"no picture")
    run = folder.survey(folder.stills(subjects))
    photographs = run.read(PHOTOGRAPHS)
    assert photographs["transit"].to_list() == ["a/a_probe1", "a/a_probe2", "b/b_probe"]
    assert photographs["state"].to_list() == ["ok", "ok", "unreadable"]
    assert photographs["left_eye_x"].null_count() == 3
    assert run.read(TRANSITS)["transit"].to_list() == photographs["transit"].to_list()
    notices = run.manifest()["notices"]
    assert any(notice == "1 of 3 probe photographs cannot be read: b/b_probe" for notice in notices)
    assert any("could not locate the eyes in 2 of 3" in notice for notice in notices)
    assert list(run.manifest()["inputs"]) == [str(subjects.table)]
    source = open_source(folder.stills(subjects), run)
    takes = list(source.read("stills", 0))
    assert [take.index for take in takes] == [0, 1, 2]
    assert takes[0].truth[0].anywhere
    assert takes[0].frames[0].image is not None
    assert takes[2].frames[0].image is None
    assert "b_probe.png" in takes[2].frames[0].reason


def test_a_person_with_only_one_of_the_two_photographs_is_noticed(folder: Folder) -> None:
    subjects = folder.people("a", "b", "c")
    folder.photographs("a_ref.png", "a_probe.png", "b_ref.png", "c_probe.png")
    notices = folder.survey(folder.stills(subjects)).manifest()["notices"]
    assert "1 person has no reference photograph: c" in notices
    assert "1 person has no probe photograph: b" in notices


def test_people_and_photographs_that_do_not_belong_together_are_refused(folder: Folder) -> None:
    folder.photographs("a_ref.png", "a_probe.png")
    with pytest.raises(InputError, match="1 person has neither a reference nor a probe photograph: b"):
        folder.survey(folder.stills(folder.people("a", "b")))
    folder.photographs("z_probe.png")
    with pytest.raises(InputError, match=r"belong to nobody in the subjects table \(z_probe.png\)"):
        folder.survey(folder.stills(folder.people("a")))


def test_no_photograph_at_all_or_none_readable_is_refused(folder: Folder) -> None:
    subjects = folder.people("a")
    with pytest.raises(InputError, match="no photograph matches"):
        folder.survey(folder.stills(subjects))
    folder.photographs("a_ref.png")
    (folder.path / "a_probe.png").touch()
    with pytest.raises(InputError, match=r"none of the 1 probe photographs can be read: .*zero bytes"):
        folder.survey(folder.stills(subjects))


def test_two_photographs_that_would_be_one_transit_are_refused(folder: Folder) -> None:
    for name in ("one", "two"):
        (folder.path / name).mkdir()
        folder.photographs(f"{name}/a.png")
    folder.photographs("a_ref.png")
    scenario = folder.stills(folder.people("a")).model_copy(
        update={"probes": Stills(kind="stills", images=f"{folder.path}/*/{{subject}}.png")}
    )
    with pytest.raises(InputError, match="both would be the transit a/a"):
        folder.survey(scenario)


def test_a_segment_is_eight_photographs(folder: Folder) -> None:
    subjects = folder.people(*"abcdefghi")
    folder.photographs(*(f"{name}_{kind}.png" for name in "abcdefghi" for kind in ("ref", "probe")))
    source = open_source(folder.stills(subjects), folder.survey(folder.stills(subjects)))
    assert isinstance(source, StillsSource)
    assert (source.segments("stills"), source.frames("stills")) == (2, 9)
    assert [[take.index for take in source.read("stills", i)] for i in range(3)] == [list(range(8)), [8], []]


def test_a_photograph_that_changes_during_a_run_is_refused(folder: Folder) -> None:
    scenario = folder.stills(folder.people("a"))
    folder.photographs("a_ref.png", "a_probe.png")
    source = open_source(scenario, folder.survey(scenario))
    Pillow.new("RGB", (60, 60), (0, 0, 0)).save(folder.path / "a_probe.png")
    with pytest.raises(InputError, match=r"a_probe\.png: the photograph has changed"):
        list(source.read("stills", 0))


def test_the_face_box_is_centred_below_the_eyes() -> None:
    box = face_box(np.array([[100.0, 50.0], [110.0, 50.0]]))
    assert box == pytest.approx([94, 44, 116, 66])


def video(clip: Path, truth: TruthFile | NobodyEnrolled | None, subjects: Subjects | None = None) -> Scenario:
    probes = Video(kind="video", cameras=[Camera(name="door", file=clip, truth=truth)])
    return Scenario(title="t", subjects=subjects, probes=probes, systems=[System(pipeline="dlib")])


def test_without_a_table_the_people_are_those_of_the_truth_file(folder: Folder, make_clip: MakeClip) -> None:
    truth = folder.path / "truth.csv"
    truth.write_text("camera,frame,subject,x,y,w,h\ndoor,0,ann,1,1,9,9\ndoor,3,bob,1,1,9,9\n", encoding="utf-8")
    scenario = video(make_clip(), TruthFile(file=truth))
    run = folder.survey(scenario)
    assert run.read(SUBJECTS)["subject"].to_list() == ["ann", "bob"]
    assert run.read(TRANSITS)["transit"].to_list() == ["door/ann/1", "door/bob/1"]
    assert sorted(run.manifest()["inputs"]) == sorted([str(scenario.probes.cameras[0].file), str(truth)])  # type: ignore[union-attr]
    (take,) = open_source(scenario, run).read("door", 0)
    assert [truth.subjects for truth in take.truth[:4]] == [("ann",), (), (), ("bob",)]
    with pytest.raises(InputError, match="1 of its subjects have no row in the subjects table: bob"):
        folder.survey(video(make_clip(), TruthFile(file=truth), folder.people("ann")))


def test_hours_of_a_watch_list_are_not_counted_by_a_clock_that_runs_backwards(
    folder: Folder, make_clip: MakeClip
) -> None:
    clip = make_clip("clip.ts")
    clip.write_bytes(2 * clip.read_bytes())
    folder.photographs("ann_ref.png", "bob_ref.png")
    truth = folder.path / "truth.csv"
    truth.write_text("camera,frame,subject,x,y,w,h\ndoor,0,ann,1,1,9,9\ndoor,3,bob,1,1,9,9\n", encoding="utf-8")
    plain = video(clip, TruthFile(file=truth), folder.people("ann", "bob")).model_copy(
        update={"references": Photographs(images=f"{folder.path}/{{subject}}_ref.png")}
    )
    assert any("its clock runs backwards" in notice for notice in folder.survey(plain).manifest()["notices"])
    assert sizes(plain) == (2, 2)
    wanted = plain.model_copy(update={"search": Watchlist(kind="watchlist", wanted=1)})
    with pytest.raises(InputError, match=r"camera 'door': the clock of .*clip\.ts runs backwards or stands still, so"):
        folder.survey(wanted)


@pytest.mark.parametrize("truth", [None, NobodyEnrolled(nobody_enrolled=True)])
def test_a_clip_without_truth_has_empty_tables(
    folder: Folder, make_clip: MakeClip, truth: NobodyEnrolled | None
) -> None:
    scenario = video(make_clip(), truth)
    run = folder.survey(scenario)
    assert run.read(SUBJECTS).is_empty()
    assert run.read(TRUTH).is_empty()
    (take,) = open_source(scenario, run).read("door", 0)
    assert len(take.frames) == 12
    assert all(len(truth.boxes) == 0 for truth in take.truth)


@needs_london
def test_the_survey_of_real_photographs_is_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    scenario = Scenario(
        title="t",
        groups=["face_gender"],
        subjects=Subjects(table=LONDON / "subjects.csv", id="face_id", limit=9),
        references=Photographs(images=f"{LONDON}/neutral/{{subject}}_03.jpg"),
        probes=Stills(kind="stills", images=f"{LONDON}/smiling/{{subject}}_08.jpg"),
        systems=[System(pipeline="dlib")],
    )
    alone = RunDirectory.create(tmp_path / "alone", {})
    survey(scenario, alone)
    shared = RunDirectory.create(tmp_path / "shared", {})
    with ThreadPoolExecutor(2) as executor:
        survey(scenario, shared, executor)
    for table in (SUBJECTS, TRANSITS, PHOTOGRAPHS):
        file = f"{table.name}.parquet"
        assert (alone.path / file).read_bytes() == (shared.path / file).read_bytes()
    assert alone.read(PHOTOGRAPHS)["left_eye_x"].null_count() == 0
    (notice,) = alone.manifest()["notices"]
    assert "9 of 102 people" in notice

"""The first look at a scenario's material: everything that can be wrong with it is said before a system runs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path

import polars as pl

from pipelines.errors import InputError
from pipelines.model_file import digest, digest_of_all
from testbed.runs.directory import RunDirectory
from testbed.runs.progress import Progress, silent
from testbed.runs.tables import ANNOTATED, EYES, FACES, HEADS, PHOTOGRAPHS, SUBJECTS, TRANSITS, TRUTH, conform
from testbed.scenario.enhancing import Completion, SuperResolver
from testbed.scenario.models import NobodyEnrolled, Scenario, Stills, TruthFile, Video
from testbed.scenario.searching import Watchlist, too_many
from testbed.scenario.synthetic import Synthetic, pairs
from testbed.sources.frames import Source
from testbed.sources.photographs import Photograph, find, strangers
from testbed.sources.sequence import digest_of_pictures
from testbed.sources.stills import StillsSource, named, survey_stills
from testbed.sources.subjects import pick, read_table
from testbed.sources.truth import read_truth
from testbed.sources.video import VideoSource, footage
from testbed.synthetic.prior import make_priors
from testbed.synthetic.production import PHOTOGRAPHS_OF, files, produce

MADE_UP = "made-up"
"""Where in a run the clips and photographs of made-up people lie."""


def survey(
    scenario: Scenario, run: RunDirectory, executor: Executor | None = None, progress: Progress = silent
) -> None:
    """Write SUBJECTS, TRANSITS, and PHOTOGRAPHS (stills), TRUTH (video; HEADS and ANNOTATED where truth says which
    pictures were looked at), or TRUTH and FACES (made up, and filmed now).

    Notes `notices`, and `inputs`: the SHA-256 of the subjects table, truth files, clips and folders of pictures
    (photographs have theirs in their tables); `recorded`, the width and height of recordings that have HEADS. Raises
    InputError where tables, photographs, clips and truth files do not hang together.
    """
    table = read_table(scenario.subjects, scenario.groups) if scenario.subjects else None
    clips: list[Path] = []
    if isinstance(scenario.probes, Synthetic):
        assert executor is not None, "people are made up by the replay's workers"
        notices, clips = _survey_made_up(scenario, scenario.probes, run, executor, progress)
    elif isinstance(scenario.probes, Stills):
        assert table is not None, "the scenario's model asks for a subjects table with stills"
        notices = _survey_photographs(scenario, scenario.probes, table, run, executor)
    else:
        assert isinstance(scenario.probes, Video), "a score log is not replayed"
        notices = _survey_video(scenario, scenario.probes, table, run)
        if scenario.probes.made_up:
            run.note(synthetic=True)
        clips = [file for camera in scenario.probes.cameras for file in _files(camera.file, camera.truth)]
    photographed = references(scenario, run)
    if scenario.search is not None:
        passed, enrolled = run.read(TRANSITS)["subject"].n_unique(), len({each.subject for each in photographed})
        if wrong := too_many(scenario.search, passed, enrolled):
            raise InputError(wrong)
    used = {each.enhance.prior for each in scenario.conditions if isinstance(each.enhance, Completion)}
    if used:
        assert executor is not None, "portraits are made by the replay's workers"
        priors = {name: prior for name, prior in scenario.priors.items() if name in used}
        make_priors(priors, scenario.seed, run, executor, progress)
    tables = [scenario.subjects.table] if scenario.subjects else []
    tables += sorted({c.enhance.model for c in scenario.conditions if isinstance(c.enhance, SuperResolver)})
    if scenario.subjects and scenario.subjects.limit is not None and table is not None:
        shown = run.read(SUBJECTS).height
        if shown < table.height:
            notices.insert(
                0,
                f"a quick look: {shown} of {table.height} people, taken evenly over the groups (subjects.limit); "
                "rates over all groups together are not those of a full run",
            )
    run.note(
        notices=notices,
        inputs={str(path): digest_of_input(path) for path in [*tables, *clips]},
        reference_photographs=digest_of_all([each.path for each in photographed]),
    )


def sizes(scenario: Scenario) -> tuple[int, int]:
    """How many people pass, and how many have a reference photograph, in a scenario of photographs or recordings.

    Told by file names and truth files, before a photograph is read; InputError where these cannot be.
    """
    table = read_table(scenario.subjects, scenario.groups) if scenario.subjects else None
    known: list[str] = []
    if scenario.subjects is not None and table is not None:
        known = pick(table, scenario.groups, scenario.subjects.limit)["subject"].to_list()
    if isinstance(scenario.probes, Stills):
        passing = {photograph.subject for photograph in find(scenario.probes.images, known)}
    else:
        assert isinstance(scenario.probes, Video), "made-up people are counted by who makes them"
        passing = {
            subject
            for camera in scenario.probes.cameras if isinstance(camera.truth, TruthFile)
            for subject in read_truth(
                camera, camera.truth, footage(camera.file, camera.seconds_apart), scenario.probes.transit_gap_s
            ).transits["subject"]
        }  # fmt: skip
        known = [*dict.fromkeys([*known, *passing])]
    pattern = scenario.references.images if scenario.references else ""
    return len(passing), len({photograph.subject for photograph in find(pattern, known)}) if pattern else 0


def references(scenario: Scenario, run: RunDirectory) -> list[Photograph]:
    """The reference photographs of a run's people."""
    pattern = scenario.references.images if scenario.references else ""
    if isinstance(scenario.probes, Synthetic):
        pattern = str(run.path / MADE_UP / PHOTOGRAPHS_OF)
    return find(pattern, run.read(SUBJECTS)["subject"].to_list()) if pattern else []


def digest_of_input(path: Path) -> str:
    """SHA-256 of a file, or of a folder of pictures. Raises OSError where it cannot be read."""
    return digest_of_pictures(path) if path.is_dir() else digest(path)


def open_source(scenario: Scenario, run: RunDirectory) -> Source:
    """The scenario's probes, with the truth that `survey` wrote into `run`; cheap, for every worker."""
    if isinstance(scenario.probes, Stills):
        return StillsSource(run.read(PHOTOGRAPHS))
    if isinstance(scenario.probes, Synthetic):
        made_up = scenario.probes
        clips = files(made_up, scenario.seed, run.path / MADE_UP)
        truth = run.read(TRUTH)
        if any(isinstance(condition.enhance, Completion) for condition in scenario.conditions):
            # Of a face that is turned away the pupils say too little about where it is.
            seen = run.read(FACES).filter("put").select("camera", "frame", "transit", *EYES)
            truth = truth.join(seen, on=["camera", "frame", "transit"], how="left")
        return VideoSource(clips, truth, made_up.every, made_up.segment)
    assert isinstance(scenario.probes, Video), "a score log is not replayed"
    video = scenario.probes
    recordings = {camera.name: camera.file for camera in video.cameras}
    apart = {camera.name: camera.seconds_apart for camera in video.cameras}
    return VideoSource(recordings, run.read(TRUTH), video.every, video.segment, apart)


def _survey_photographs(
    scenario: Scenario, probes: Stills, table: pl.DataFrame, run: RunDirectory, executor: Executor | None
) -> list[str]:
    assert scenario.subjects is not None
    subjects = pick(table, scenario.groups, scenario.subjects.limit)
    pictured = find(probes.images, subjects["subject"].to_list())
    with_probe = {probe.subject for probe in pictured}
    with_reference = _with_reference(scenario, table, subjects)
    strangers(probes.images, table["subject"].to_list())
    bare = [name for name in subjects["subject"] if name not in with_probe | with_reference]
    if bare:
        raise InputError(
            f"{scenario.subjects.table}: {_people(bare)} neither a reference nor a probe photograph: {named(bare)}; "
            "add their photographs or drop their rows"
        )
    if not pictured:
        raise InputError(f"{probes.images}: no photograph matches; correct the pattern in `probes: images`")
    probeless = [name for name in subjects["subject"] if name not in with_probe]
    found = survey_stills(pictured, executor)
    run.write(SUBJECTS, subjects)
    run.write(TRANSITS, found.transits)
    run.write(PHOTOGRAPHS, found.photographs)
    notices = _without_reference(subjects, with_reference)
    if probeless:
        notices.append(f"{_people(probeless)} no probe photograph: {named(probeless)}")
    return [*notices, *found.notices]


def _survey_made_up(
    scenario: Scenario, made_up: Synthetic, run: RunDirectory, executor: Executor, progress: Progress
) -> tuple[list[str], list[Path]]:
    made = produce(made_up, scenario.seed, run.path / MADE_UP, executor, progress)
    groups = [column for group in scenario.groups for column in (group, f"{group}:provenance")]
    declared = made.subjects.with_columns(
        column
        for group in scenario.groups
        for column in (pl.col(group).cast(pl.String), pl.lit("declared").alias(f"{group}:provenance"))
    )
    run.write(SUBJECTS, conform(SUBJECTS, declared.select("subject", *groups)))
    run.write(TRANSITS, made.transits)
    run.write(FACES, made.faces)
    run.write(TRUTH, made.boxes().select(list(TRUTH.columns)))
    run.note(synthetic=True, contrasts=[asdict(pair) for pair in pairs(made_up)])
    return list(made.notices), list(files(made_up, scenario.seed, run.path / MADE_UP).values())


def _survey_video(scenario: Scenario, video: Video, table: pl.DataFrame | None, run: RunDirectory) -> list[str]:
    notices: list[str] = []
    transits = [pl.DataFrame(schema=TRANSITS.columns)]
    boxes = [pl.DataFrame(schema=TRUTH.columns)]
    heads, annotated = [pl.DataFrame(schema=HEADS.columns)], list[pl.DataFrame]()
    recorded: dict[str, tuple[int, int]] = {}
    for camera in video.cameras:
        clip = footage(camera.file, camera.seconds_apart)
        notices += clip.notices
        if clip.backwards and isinstance(scenario.search, Watchlist):
            raise InputError(
                f"camera {camera.name!r}: the clock of {camera.file} runs backwards or stands still, so its hours "
                "cannot be counted; give a recording whose time stamps rise"
            )
        if isinstance(camera.truth, TruthFile):
            truth = read_truth(camera, camera.truth, clip, video.transit_gap_s)
            if table is not None:
                unknown = truth.transits.join(table, on="subject", how="anti")["subject"].unique().sort()
                if len(unknown):
                    raise InputError(
                        f"{camera.truth.file}: {len(unknown)} of its subjects have no row in the subjects table: "
                        f"{named(unknown)}; add their rows"
                    )
            notices += truth.notices
            transits.append(truth.transits)
            boxes.append(truth.boxes)
            heads.append(truth.heads)
            if truth.annotated is not None:
                annotated.append(truth.annotated)
                recorded[camera.name] = (clip.width, clip.height)
    passing = pl.concat(transits)
    if table is None:
        subjects = passing.select("subject").unique()
    else:
        assert scenario.subjects is not None
        subjects = pick(table, scenario.groups, scenario.subjects.limit)
        if len(subjects) < len(table):
            # `limit` thins the gallery; whoever walks through the picture is there all the same.
            others = table.join(passing, on="subject", how="semi").join(subjects, on="subject", how="anti")
            subjects = pl.concat([subjects, others])
        if scenario.references is not None:
            notices += _without_reference(subjects, _with_reference(scenario, table, subjects))
    run.write(SUBJECTS, conform(SUBJECTS, subjects))
    run.write(TRANSITS, passing)
    run.write(TRUTH, pl.concat(boxes))
    if annotated:
        run.note(recorded=recorded)
        run.write(HEADS, pl.concat(heads))
        run.write(ANNOTATED, pl.concat(annotated))
    return notices


def _with_reference(scenario: Scenario, table: pl.DataFrame, subjects: pl.DataFrame) -> set[str]:
    """The subjects that have a reference photograph."""
    assert scenario.references is not None
    pattern = scenario.references.images
    strangers(pattern, table["subject"].to_list())
    pictured = {photograph.subject for photograph in find(pattern, subjects["subject"].to_list())}
    if not pictured:
        raise InputError(f"{pattern}: no photograph matches; correct the pattern in `references: images`")
    return pictured


def _without_reference(subjects: pl.DataFrame, pictured: set[str]) -> list[str]:
    missing = [name for name in subjects["subject"] if name not in pictured]
    return [f"{_people(missing)} no reference photograph: {named(missing)}"] if missing else []


def _people(names: Sequence[str]) -> str:
    return "1 person has" if len(names) == 1 else f"{len(names)} people have"


def _files(clip: Path, truth: NobodyEnrolled | TruthFile | None) -> list[Path]:
    return [clip, truth.file] if isinstance(truth, TruthFile) else [clip]

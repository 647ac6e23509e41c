"""Where pictures come from: sets are recognised by names alone, and the table of them holds together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.errors import InputError
from testbed.evidence import provenance
from testbed.evidence.provenance import (
    Recognised,
    declared,
    known_set,
    known_sets,
    names_in,
    provenance_of_folder,
    provenance_of_scenario,
    recognise,
)
from testbed.scenario.loading import reload


def made(root: Path, *names: str) -> Path:
    """A folder of empty files: no picture is opened."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def seen(folder: Path) -> list[tuple[str, str]]:
    return [(each.known.id, each.sure) for each in recognise(names_in(folder))]


def test_the_london_set_is_recognised_as_consented(data: Path) -> None:
    (found,) = recognise(names_in(data / "london_set"))
    assert (found.known.id, found.sure) == ("london-set", "name and structure")
    assert (found.known.consent, found.known.status, found.known.flag) == ("yes", "available", None)


def test_a_folder_named_and_made_like_the_london_set_is_recognised(tmp_path: Path) -> None:
    names = [f"{view}/{who:03}_0{n}.{kind}" for view, n in (("neutral", 3), ("smiling", 8))
             for who in range(1, 5) for kind in ("jpg", "tem")]  # fmt: skip
    assert seen(made(tmp_path / "London Set", *names)) == [("london-set", "name and structure")]
    assert seen(made(tmp_path / "photographs", *names)) == [("london-set", "perhaps")]


@pytest.mark.parametrize(("folder", "names", "known"), [
    ("MS-Celeb-1M", [f"m.0{i}_d4/{i}-FaceId-0.jpg" for i in range(4)], "ms-celeb-1m"),
    ("brainwash", ["brainwash_10_27_2014_images/00000000_640x480.png", "brainwash_train.idl"], "brainwash"),
    ("DukeMTMC-reID", [f"bounding_box_train/000{i}_c2_f0046182.jpg" for i in range(4)], "dukemtmc"),
    ("vggface2_train", [f"n00000{i}/0001_01.jpg" for i in range(4)], "vggface2"),
])  # fmt: skip
def test_a_folder_named_and_structured_like_a_withdrawn_set_is_withdrawn(
    tmp_path: Path, folder: str, names: list[str], known: str
) -> None:
    (found,) = recognise(names_in(made(tmp_path / folder, *names)))
    assert (found.known.id, found.sure) == (known, "name and structure")
    assert found.known.flag == "withdrawn"
    assert "Withdrawn" in found.known.said()
    (again,) = recognise(names_in(made(tmp_path / "pictures", *names)))
    within = "name and structure" if known == "brainwash" else "perhaps"  # a folder in it bears the name, too
    assert (again.known.id, again.sure) == (known, within)


def test_files_named_like_those_of_a_set_are_only_perhaps_of_it_and_only_those_that_are_there_are_shown(
    tmp_path: Path,
) -> None:
    own = made(tmp_path / "own", *(f"Anna_Smith/Anna_Smith_000{i}.jpg" for i in range(1, 4)))
    (found,) = recognise(names_in(own))
    assert (found.known.id, found.sure) == ("lfw", "perhaps")
    assert found.seen == ("Anna_Smith/Anna_Smith_0001.jpg",)
    (row,) = provenance_of_folder(own)
    assert row["words"].startswith("If they are that set: Those pictured were not asked")
    assert "Anna" not in str(row)
    named = made(tmp_path / "lfw", *(f"Anna_Smith/Anna_Smith_000{i}.jpg" for i in range(1, 4)))
    assert provenance_of_folder(named)[0]["words"].startswith("Those pictured were not asked")


def test_a_name_alone_is_said_to_be_no_more_than_that(tmp_path: Path) -> None:
    assert seen(made(tmp_path / "LFW", "a.jpg")) == [("lfw", "name alone")]
    assert seen(made(tmp_path / "data" / "lfw-funneled" / "images", "a.jpg")) == [("lfw", "name alone")]


def test_a_manifest_names_its_set(tmp_path: Path) -> None:
    folder = made(tmp_path / "faces", "a.jpg")
    (folder / "manifest.yaml").write_text("name: VGG-Face2, a part\nsource: a friend\nlicence: none\n")
    (found,) = recognise(names_in(folder))
    assert (found.known.id, found.sure) == ("vggface2", "manifest")


@pytest.mark.parametrize("manifest", [
    "a: &a [x, x]\nb: &b [*a, *a]\nname: *b\nsource: LFW\n",  # grows without bound when written out
    "name: " + "[" * 30_000,
    "name: [LFW]\nsource: {of: LFW}\n",
    "\x00",
])  # fmt: skip
def test_a_manifest_that_is_none_is_left_alone(tmp_path: Path, manifest: str) -> None:
    (made(tmp_path / "faces", "a.jpg") / "manifest.yaml").write_text(manifest)
    assert seen(tmp_path / "faces") == []


@pytest.mark.parametrize(("folder", "names"), [
    ("brainwashed", ["a.jpg", "b.jpg", "c.jpg"]),  # a name inside another word
    ("polymorph", ["1.jpg", "2.jpg", "3.jpg"]),
    ("celebrities", [f"00000{i}.jpg" for i in range(9)]),  # six digits are anybody's
    ("people", ["n000001/0001_01.jpg", "a.jpg", "b.jpg", "c.jpg"]),  # one of four
    ("people", ["n000001/0001_01.jpg", "n000002/0001_01.jpg"]),  # two are too few to say
    ("people", ["Ada_Example/Bob_Example_0001.jpg"] * 3),
    ("people", ["n00001/0001_01.jpg", "n00001/0002_01.jpg", "n00001/0003_01.jpg"]),  # a digit short
    ("empty", []),
])  # fmt: skip
def test_near_misses_are_not_recognised(tmp_path: Path, folder: str, names: list[str]) -> None:
    (tmp_path / folder).mkdir()
    assert seen(made(tmp_path / folder, *names)) == []


def test_no_link_is_followed_out_of_the_folder_and_names_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "brainwash", "brainwash_train.idl")
    folder = made(tmp_path / "mine", *(f"{i}.jpg" for i in range(9)))
    (folder / "elsewhere").symlink_to(tmp_path / "brainwash")
    assert seen(folder) == []
    assert names_in(folder).whole
    monkeypatch.setattr(provenance, "MOST_NAMES", 5)
    cut = names_in(folder)
    assert (len(cut.paths), cut.whole) == (5, False)


def test_recordings_are_recognised_by_their_folders_and_their_truth() -> None:
    truth = {"file": "/data/cafe/brainwash_test.idl", "format": "idl"}
    folder = {"name": "cafe", "file": "/data/cafe/brainwash_10_27_2014_images", "seconds_apart": 100.0, "truth": truth}
    asked = {"source": "s.yaml", "title": "t", "systems": [{"pipeline": "dlib"}]}
    clip = {"name": "hall", "file": "/data/cafe/hall.mp4"}
    for cameras, known in (([folder, clip], ["brainwash"]), ([clip], [None])):
        loaded = reload({**asked, "probes": {"kind": "video", "cameras": cameras}})
        assert [row["set"] for row in provenance_of_scenario(loaded.scenario)] == known


def test_every_row_of_the_table_is_sourced_and_its_examples_look_as_it_says() -> None:
    table = known_sets()
    assert len(table) >= 25
    assert len({known.id for known in table}) == len(table)
    names = [name.lower().replace(" ", "") for known in table for name in known.names]
    assert len(set(names)) == len(names)
    for known in table:
        assert known.sources, known.id
        assert all(re.match(r"https?://[^ ]+$", source) for source in known.sources), known.id
        assert (known.status in ("withdrawn", "retracted")) == bool(known.why), known.id
        assert re.fullmatch(r"(\d{4}(-\d\d(-\d\d)?)?)?", known.withdrawn), known.id
        assert not known.withdrawn or int(known.withdrawn[:4]) >= known.year, known.id
        for look in known.looks:
            assert bool(look.pictures) != bool(look.holds), known.id
            assert re.search(look.pictures or look.holds, look.like), (known.id, look.like)


def test_an_example_of_one_set_does_not_look_like_another() -> None:
    alone = [(known.id, look) for known in known_sets() for look in known.looks if look.alone]
    for known in known_sets():
        for look in known.looks:
            others = {name for name, other in alone
                      if re.search(other.pictures or other.holds, look.like)} - {known.id}  # fmt: skip
            assert not others, (known.id, look.like, others)


def test_an_unknown_id_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean `vggface2`"):
        known_set("vggface-2")


def ids(found: list[Recognised]) -> set[str]:
    return {each.known.id for each in found}


@pytest.mark.parametrize(("said", "known"), [
    ("VGG Face", {"vggface"}),
    ("VGG Face 2 and VGGFace2", {"vggface2"}),
    ("VGG-Face, then VGG_Face2", {"vggface", "vggface2"}),
    ("MS1MV3 (a cleaned MS-Celeb-1M)", {"ms-celeb-1m"}),
    ("tuned on lfw, which is no abbreviation here; we morph faces", set()),
    ("LFW; MORPH", {"lfw", "morph"}),
    ("WIDER faces", set()),
    ("none", set()),
])  # fmt: skip
def test_training_data_are_looked_up_word_by_word(said: str, known: set[str]) -> None:
    assert ids(declared(said)) == known


def test_what_the_shipped_systems_declare_is_flagged(data: Path) -> None:
    from pipelines import dlib_models, yunet_openvino

    assert ids(declared(dlib_models.TRAINING_DATA)) == {"vggface", "facescrub"}
    models = data / "models"
    network = models / "openvino/face-reidentification-retail-0095/FP16/face-reidentification-retail-0095"
    files = [models / "face_detection_yunet_2026may.onnx", network.with_suffix(".xml"), network.with_suffix(".bin")]
    info = yunet_openvino.YunetOpenvino(*map(model_of, files)).info
    (found,) = declared(info.training_data)
    assert (found.known.id, found.known.flag) == ("wider-face", "no consent")


def model_of(path: Path) -> object:
    from pipelines.model_file import ModelFile, digest

    return ModelFile(path=path, sha256=digest(path))

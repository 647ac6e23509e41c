"""`testbed member` on photographs that are and are not in a folder: what is said, what is refused, what is left."""

from __future__ import annotations

import json
import shutil

import numpy as np
import polars as pl
import pytest
import yaml
from PIL import Image

from kernels.scores import scores_of
from testbed.cli.stages import new_run, run_stages
from testbed.evidence.membership import PRIORS, membership, tallied_at
from testbed.evidence.scored import cells_of
from testbed.matching.units import captures_of, references_of, transits_as_probes
from testbed.scenario.loading import load

CELL = "yunet-openvino--clean"
MANIFEST = "name: A set\nsource: example.org\nlicence: CC BY 4.0\n"


def run_of(path, scenario, stages):
    """A run of a scenario, so far."""
    path.mkdir()
    file = path / "scenario.yaml"
    file.write_text(yaml.safe_dump(scenario))
    loaded = load(file)
    run = new_run(path / "run", loaded)
    run_stages(run, loaded, stages, 2, only_missing=False)
    return run, loaded


@pytest.fixture
def faces(data):
    return data / "london_set"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("member")


@pytest.fixture
def calibration(kept, london):
    """A finished run of 24 people on photographs as they are; made once."""
    if not (kept / "cal").exists():
        run_of(kept / "cal", london | {"conditions": ["clean"]}, ("replay", "match", "evaluate"))
    return kept / "cal" / "run"


@pytest.fixture
def folder(tmp_path, faces):
    """A collection of six people who are not in the calibration."""
    made = tmp_path / "set"
    (made / "more").mkdir(parents=True)
    (made / "manifest.yaml").write_text(MANIFEST)
    for path in sorted((faces / "neutral").glob("*_03.jpg"))[60:66]:
        shutil.copy(path, made / "more")
    (made / "list.txt").write_text("no picture")
    Image.new("RGB", (80, 80), (90, 90, 90)).save(made / "grey.png")
    (made / "torn.jpg").write_bytes(b"\xff\xd8\xff torn")
    return made


def content(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def refused(result, *words):
    assert result.returncode == 2, (result.returncode, result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    sentences = [line for line in result.stderr.strip().splitlines() if line.startswith("testbed: ")]
    assert len(sentences) == 1
    for word in words:
        assert word in sentences[0], f"{word!r} not in: {sentences[0]}"


def test_somebody_who_is_there_and_somebody_who_is_not(testbed, calibration, folder, faces, tmp_path):
    inside = sorted((folder / "more").glob("*.jpg"))[2].name[:3]
    outside = sorted((faces / "neutral").glob("*_03.jpg"))[70].name[:3]
    before = content(tmp_path), content(calibration)
    told = {}
    for person in (inside, outside):
        result = testbed("member", faces / "smiling" / f"{person}_08.jpg", "--in", folder, "--calibration", calibration,
                         "--json", "-w", 1)  # fmt: skip
        assert result.returncode == 0, result.stderr
        told[person] = json.loads(result.stdout)
    assert (content(tmp_path), content(calibration)) == before, "something was written"
    there, absent = told[inside], told[outside]
    assert there["collection"] | {"left_out": None} == {
        "name": "A set", "source": "example.org", "licence": "CC BY 4.0", "pictures": 8, "people_stated": False,
        "unreadable": 1, "without_face": 1, "without_template": 0, "left_out": None, "recognised": [],
    }  # fmt: skip
    assert there["collection"]["left_out"] == {"links": 0, "other files": 1, "too large": 0}
    assert (there["faces"], there["people"], there["file"]) == (6, 6, None)
    assert there["score"] > absent["score"]  # a similarity
    (mine,), (theirs,) = ([r for r in each["figures"] if r["group"] == "all"] for each in (there, absent))
    assert mine["likelihood_ratio"]["log10"] > theirs["likelihood_ratio"]["log10"]
    assert mine["false_hits"]["value"] <= theirs["false_hits"]["value"]
    assert mine["false_hits"]["how"] == "measured"
    assert {r["group"] for r in there["figures"]} >= {"all", "male", "female"}
    assert not there["calibration"]["has_photograph"]


def test_the_letter_names_no_file_unless_asked_and_never_says_yes(testbed, calibration, folder, faces, tmp_path):
    inside = sorted((folder / "more").glob("*.jpg"))[0].name[:3]
    asked = ("member", faces / "smiling" / f"{inside}_08.jpg", "--in", folder, "--calibration", calibration, "-w", 1)
    result = testbed(*asked, "--group", "female")
    assert result.returncode == 0, result.stderr
    said = " ".join(result.stdout.split())
    for words in ("It is not a yes, and not a no", "People labelled female: likelihood ratio", "Everybody: of 1,000",
                  "photographs as they are", "no proof of absence", "1 show no face", "1 cannot be read"):  # fmt: skip
        assert words in said
    for hidden in (inside, str(tmp_path), str(calibration), "_03", "_08"):
        assert hidden not in said
    assert f"{inside}_03" not in result.stderr
    known = folder.rename(tmp_path / "VGGFace2")  # whatever its manifest says
    named = testbed(*(known if each == folder else each for each in asked), "--show-files")
    assert "By its name alone this folder would be VGGFace2. Those pictured were not asked" in " ".join(
        named.stdout.split()
    )
    assert f"The best face is in: more/{inside}_03.jpg" in named.stdout


def test_wrong_photographs_and_wrong_calibrations_are_one_sentence(typed, calibration, folder, faces, tmp_path):
    photograph = faces / "smiling" / "001_08.jpg"
    whole = ("--in", folder, "--calibration", calibration)
    refused(typed("member", photograph, "--in", folder), "--calibration RUN: not named; without a calibration")
    refused(typed("member", photograph, "--calibration", calibration), "--in FOLDER: not named")
    refused(typed("member", tmp_path / "none.jpg", *whole), "none.jpg: there is no such file")
    refused(typed("member", photograph, "--in", tmp_path / "nowhere", *whole[2:]), "nowhere: there is no such folder")
    refused(typed("member", photograph, "--in", folder, "--calibration", tmp_path), "no run here")
    refused(typed("member", photograph, *whole, "--cell", "dlib--clean"), "--cell dlib--clean", CELL)
    refused(typed("member", photograph, *whole, "--made-up"), "is of photographs, not of made-up people")
    (folder / "manifest.yaml").rename(tmp_path / "manifest.yaml")
    refused(typed("member", photograph, *whole), "has no manifest.yaml; write one", "`licence: …`")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"synthetic": True}, ["is of made-up people, which says nothing of real ones", "--made-up"]),
        ({"stages": {"replay": "done", "match": "done", "evaluate": "stale"}}, ["stale", "--resume"]),
        ({"stages": {"replay": "running"}}, ["is not finished", "replay"]),
        ({"models": {"a.onnx": "0" * 64}}, ["no calibration of yunet-openvino as it is here", "models", "a.onnx"]),
        ({"answers": "searches"}, ["hands out no templates"]),
    ],
    ids=["made up", "stale", "unfinished", "another model", "searcher"],
)
def test_a_run_that_calibrates_nothing_is_refused(typed, calibration, folder, faces, tmp_path, change, words):
    run = shutil.copytree(calibration, tmp_path / "copy")
    manifest = json.loads((run / "run.json").read_text())
    system = manifest["systems"]["yunet-openvino"]
    for key, value in change.items():
        (system if key in ("models", "answers") else manifest)[key] = value
    (run / "run.json").write_text(json.dumps(manifest))
    refused(typed("member", faces / "smiling" / "001_08.jpg", "--in", folder, "--calibration", run, "-w", 1), *words)


def test_no_face_two_faces_and_a_wrong_group_are_told_before_the_collection_is_read(
    typed, calibration, folder, faces, tmp_path
):
    whole = ("--in", folder, "--calibration", calibration, "-w", 1)
    refused(typed("member", folder / "grey.png", *whole), "grey.png: no face found; give one that shows the face well")
    one, other = (Image.open(faces / "smiling" / f"{p}_08.jpg").resize((400, 400)) for p in ("001", "002"))
    both = Image.new("RGB", (800, 400))
    both.paste(one, (0, 0))
    both.paste(other, (400, 0))
    both.save(tmp_path / "two.png")
    refused(typed("member", tmp_path / "two.png", *whole), "two.png: 2 faces found where one was expected; cut it")
    refused(typed("member", folder / "torn.jpg", *whole), "torn.jpg")
    refused(typed("member", faces / "smiling" / "001_08.jpg", *whole, "--group", "femal"), "did you mean `female`?")
    for path in (folder / "more").glob("*.jpg"):
        path.unlink()
    refused(typed("member", faces / "smiling" / "001_08.jpg", *whole), "finds no face that it can compare in any of")


def test_false_hits_as_stated_are_those_counted_over_all_people(data, london, tmp_path):
    """Each half of the 102 people is asked about in the terms of the other: no calibration knows whom it judges."""
    table = pl.read_csv(data / "london_set" / "subjects.csv", infer_schema=False)
    half = []
    for side in (0, 1):
        run, loaded = run_of(tmp_path / str(side), _only(london, table[side::2], data, tmp_path), ("replay", "match"))
        (scored,) = cells_of(run)
        captures, templates = captures_of(run, CELL, 256)
        probes = transits_as_probes(captures, templates, scored.people)
        references = references_of(run, "yunet-openvino", scored.people)
        scores = np.concatenate([each for _, each in scores_of(probes, references, "cosine")])
        half.append((run, loaded.cells[0], scored, scores, probes.subjects[:, None] == references.subjects))
    assert sum(len(scores) for _, _, _, scores, _ in half) > 95

    def asked(side, score, faces):
        run, cell, scored, _, _ = half[side]
        at = tallied_at(run, cell, scored, float(score))
        return membership(at.population(at.people.everyone()), float(score), faces, faces)

    shares = (0.1, 0.25, 0.5, 0.75)
    stated, counted = np.zeros((2, 2, len(shares)))
    for side in (0, 1):
        _, _, _, scores, own = half[1 - side]
        best = np.where(own, -np.inf, scores).max(axis=1)  # without their own photograph
        faces = scores.shape[1] - 1
        for i, share in enumerate(shares):
            score = np.quantile(best, 1 - share)
            hits = asked(side, score, faces).hits
            stated[side, i], counted[side, i] = hits.value, (best >= score).mean()
            assert hits.low <= counted[side, i] <= hits.high, (side, share, hits)
        # The ratio never falls as scores grow: the median of posteriors is that of the median score.
        even = PRIORS.index(0.5)
        there, absent = (
            asked(side, np.median(each), faces).posterior[even][1] for each in (scores.max(axis=1), best)
        )  # fmt: skip
        assert absent < 0.5 < there
    # Over everybody, within two standard errors of a share counted on 102 people.
    assert np.abs(stated.mean(axis=0) - counted.mean(axis=0)).max() < 2 * np.sqrt(0.25 / 102), (stated, counted)


def _only(scenario, table, data, folder):
    """The scenario on clean photographs of these people alone; those of nobody in the table would be refused."""
    made = folder / f"of {table['face_id'][0]}"
    for kind, name in (("neutral", "03"), ("smiling", "08")):
        (made / kind).mkdir(parents=True)
        for person in table["face_id"]:
            source = data / "london_set" / kind / f"{person}_{name}.jpg"
            if source.is_file():
                shutil.copy(source, made / kind)
    table.write_csv(made / "people.csv")
    labels = scenario["subjects"]["provenance"]
    return scenario | {
        "conditions": ["clean"],
        "subjects": {"table": str(made / "people.csv"), "id": "face_id", "provenance": labels},
        "references": {"images": str(made / "neutral/{subject}_03.jpg")},
        "probes": {"kind": "stills", "images": str(made / "smiling/{subject}_08.jpg")},
    }  # fmt: skip

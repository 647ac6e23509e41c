"""Wrong input, started as a user would: one clear sentence, exit code 2, no traceback, nothing lost."""

import copy
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def people(tmp_path):
    """Four people with a reference and a probe photograph each (grey pictures: no face is needed to be wrong)."""
    rows = ["subject,group", "p1,a", "p2,a", "p3,b", "p4,b"]
    (tmp_path / "people.csv").write_text("\n".join(rows) + "\n")
    for subject in ("p1", "p2", "p3", "p4"):
        for kind in ("ref", "probe"):
            Image.new("RGB", (160, 160), (120, 120, 120)).save(tmp_path / f"{subject}_{kind}.png")
    return tmp_path


@pytest.fixture
def stills():
    return {
        "title": "wrong",
        "groups": ["group"],
        "subjects": {"table": "people.csv"},
        "references": {"images": "{subject}_ref.png"},
        "probes": {"kind": "stills", "images": "{subject}_probe.png"},
        "conditions": ["clean"],
        "systems": [{"pipeline": "dlib"}],
    }


def video(file, **camera):
    return {
        "title": "wrong",
        "probes": {"kind": "video", "cameras": [{"name": "gate", "file": file, **camera}]},
        "conditions": ["clean"],
        "systems": [{"pipeline": "dlib"}],
    }


def clip(path, frames=30):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for shade in range(frames):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), shade * 5, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def refused(result, *words):
    assert result.returncode == 2, (result.returncode, result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    sentence = result.stderr.strip().splitlines()[-1]
    for word in words:
        assert word in result.stderr, f"{word!r} not in: {result.stderr}"
    assert len(sentence) < 600


def set_in(scenario, path, value):
    changed = copy.deepcopy(scenario)
    *parents, last = path.split(".")
    node = changed
    for key in parents:
        node = node[key]
    node[last] = value
    return changed


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("person,group\np1,a\n", ["people.csv", "subject", "person"]),
        ("subject,grp\np1,a\n", ["people.csv", "group", "grp"]),
        ("subject,group\np1,a\np1,b\n", ["people.csv", "p1", "2", "3"]),
        ("subject,group\np1,all\n", ["people.csv", "all"]),
        ("subject,group\np1,a\np2,a\np3,b\n", ["p4"]),
        ("subject,group\np1,a\np2,a\np3,b\np4,b\np5,b\n", ["p5"]),
        ("subject,group\n../p1,a\n", ["people.csv", "../p1"]),
        ("", ["people.csv", "empty"]),
    ],
    ids=["id renamed", "group renamed", "duplicate", "called all", "no row", "no photograph", "traversal", "empty"],
)
def test_a_wrong_subjects_table(testbed, people, stills, write, table, words):
    (people / "people.csv").write_text(table)
    refused(testbed("run", write(stills), "--out", "out", "-w", 1), *words)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("sistems", [], ["sistems", "systems"]),
        ("conditions", [{"inter_eye_px": 20, "bitrate_kbp": 3}], ["bitrate_kbp", "bitrate_kbps", "scenario.yaml:"]),
        ("systems", [{"pipeline": "dlip"}], ["dlip", "dlib"]),
        ("systems", [{"pipeline": "dlib", "options": {"detektor": "hog"}}], ["detektor", "detector"]),
        ("subjects.table", "gone.csv", ["gone.csv"]),
        ("operating_points", [5.0], ["5", "outside", "1.5"]),
        ("operating_points", ["fmr=2"], ["fmr=2"]),
    ],
)
def test_a_wrong_scenario(testbed, people, stills, write, path, value, words):
    refused(testbed("run", write(set_in(stills, path, value)), "--out", "out", "-w", 1), *words)


def test_several_mistakes_are_told_at_once(testbed, people, stills, write):
    wrong = set_in(set_in(stills, "seeed", 1), "conditions", [{"inter_eye_px": "small"}])
    refused(testbed("run", write(wrong), "--out", "out"), "seeed", "inter_eye_px")


def test_a_yaml_bomb_is_not_unfolded(testbed, tmp_path):
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (tmp_path / "bomb.yaml").write_text(bomb)
    refused(testbed("run", "bomb.yaml", "--out", "out", timeout=60), "bomb.yaml:1", "anchor")


def test_a_model_that_is_absent_or_another(testbed, people, stills, write, edge_system):
    absent, other = copy.deepcopy(edge_system), copy.deepcopy(edge_system)
    absent["options"]["detector"]["path"] = "absent.onnx"
    refused(testbed("run", write(set_in(stills, "systems", [absent])), "--out", "out", "-w", 1), "absent.onnx")
    other["options"]["detector"]["sha256"] = "0" * 64
    refused(testbed("run", write(set_in(stills, "systems", [other])), "--out", "o", "-w", 1), "SHA-256", "0" * 64)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0 not a photograph"], ids=["zero bytes", "broken"])
def test_an_unreadable_photograph_is_counted_and_named(testbed, write, london, tmp_path, content):
    """The rest of the run goes on: one bad file among hundreds is no reason to lose the others."""
    faces = Path(london["subjects"]["table"]).parent
    small = {**london, "conditions": ["clean"]}
    probes = tmp_path / "probes"
    probes.mkdir()
    for photograph in (faces / "smiling").iterdir():
        (probes / photograph.name).symlink_to(photograph)
    bad = min(probes.iterdir())  # the first person of the first group is always among those taken
    small["probes"] = {"kind": "stills", "images": "probes/{subject}_08.jpg"}
    bad.unlink()
    bad.write_bytes(content)
    result = testbed("run", write(small), "--out", "out", "-w", 2)
    assert result.returncode == 0, result.stderr
    assert bad.stem in result.stdout


def test_a_photograph_too_large_to_open_is_refused_unopened(testbed, people, stills, write):
    # A PNG whose header claims 50,000 × 50,000 pixels.
    import struct
    import zlib

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    huge = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    for subject in ("p1", "p2", "p3", "p4"):
        (people / f"{subject}_probe.png").write_bytes(huge)
    refused(testbed("run", write(stills), "--out", "out", "-w", 1), "p1_probe.png", "20,000 pixels")


def test_photographs_without_a_face_enrol_nobody(testbed, people, stills, write):
    refused(testbed("run", write(stills), "--out", "out", "-w", 1), "none of the 4 reference photographs", "no face")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"this is a letter, not a film\n" * 50, ["gate.mp4"]), (b"", ["gate.mp4"])],
    ids=["text", "zero bytes"],
)
def test_a_clip_that_is_none(testbed, tmp_path, write, content, words):
    (tmp_path / "gate.mp4").write_bytes(content)
    refused(testbed("run", write(video("gate.mp4")), "--out", "out", "-w", 1), *words)


def test_a_clip_cut_off_before_its_index(testbed, tmp_path, write):
    clip(tmp_path / "whole.mp4")
    whole = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "gate.mp4").write_bytes(whole[: len(whole) // 2])
    refused(testbed("run", write(video("gate.mp4")), "--out", "out", "-w", 1), "gate.mp4")


def test_path_traversal_in_a_truth_file(testbed, tmp_path, write):
    clip(tmp_path / "gate.mp4")
    (tmp_path / "truth.csv").write_text("camera,frame,subject,x,y,w,h\ngate,0,../../etc,1,1,9,9\n")
    scenario = video("gate.mp4", truth={"file": "truth.csv", "format": "csv"})
    refused(testbed("run", write(scenario), "--out", "out", "-w", 1), "truth.csv", "../../etc")


def test_an_output_folder_that_cannot_be_used(testbed, people, stills, write):
    scenario = write(stills)
    (people / "full").mkdir()
    (people / "full" / "letter.txt").write_text("keep me")
    refused(testbed("run", scenario, "--out", "full"), "full", "not empty")
    assert (people / "full" / "letter.txt").read_text() == "keep me"
    refused(testbed("run", scenario, "--out", "people.csv"), "people.csv", "is a file")
    refused(testbed("run", scenario, "--out", "/proc/testbed"), "/proc/testbed")


def test_resuming_what_is_no_run_or_another_run(testbed, people, stills, write):
    refused(testbed("run", "--resume", "nowhere"), "nowhere", "no run here")
    testbed("run", write(stills), "--out", "out", "-w", 1)  # ends with exit 2 (no faces), but has begun
    other = write(set_in(stills, "title", "another"), "other.yaml")
    refused(testbed("run", other, "--resume", "out"), "another scenario")
    refused(testbed("evaluate", "out"), "match", "--resume")


def test_an_input_that_changed_under_a_run(testbed, people, stills, write):
    testbed("run", write(stills), "--out", "out", "-w", 1)
    (people / "people.csv").write_text("subject,group\np1,a\np2,a\np3,b\np4,a\n")
    refused(testbed("replay", "out", "-w", 1), "people.csv", "has changed")

"""What the harness costs: `testbed replay` over the bare loop that decodes and calls the same library.

Both are started as programs, one after the other, on the same clip and frames, with one worker; the ratio of
each round is printed, and the median. Needs ../shared/data. Run with `make bench`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CLIP = ROOT.parent / "shared" / "data" / "video" / "video_01.mp4"
ROUNDS = 3

BARE = """
import sys, warnings
warnings.simplefilter("ignore")
import av, face_recognition
faces = 0
with av.open(sys.argv[1]) as container:
    for frame in container.decode(video=0):
        image = frame.to_ndarray(format="rgb24")
        places = face_recognition.face_locations(image)
        faces += len(face_recognition.face_encodings(image, places))
print(faces)
"""


def timed(command: list[str]) -> float:
    """Wall seconds of a program, from its start to its end."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Print seconds and ratio of every round."""
    if not CLIP.exists():
        sys.exit("needs ../shared/data/video/video_01.mp4 beside this checkout")
    testbed = [sys.executable, "-m", "testbed.cli"]
    with tempfile.TemporaryDirectory() as folder:
        scenario, run = Path(folder) / "overhead.yaml", Path(folder) / "run"
        camera = {"name": "clip", "file": str(CLIP)}
        scenario.write_text(yaml.safe_dump({
            "title": "overhead", "probes": {"kind": "video", "cameras": [camera]},
            "conditions": ["clean"], "systems": [{"pipeline": "face_recognition"}],
        }))  # fmt: skip
        subprocess.run([*testbed, "run", str(scenario), "--out", str(run), "-w", "1"], check=True, capture_output=True)
        ratios = []
        for number in range(ROUNDS):
            harness = timed([*testbed, "replay", str(run), "-w", "1"])
            bare = timed([sys.executable, "-c", BARE, str(CLIP)])
            ratios.append(harness / bare)
            print(f"round {number + 1}: testbed replay {harness:.1f} s, bare loop {bare:.1f} s, ratio {ratios[-1]:.3f}")
    print(f"harness overhead: median ratio {statistics.median(ratios):.3f} (1 is no overhead)")


if __name__ == "__main__":
    main()

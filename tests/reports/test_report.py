"""The whole report, as a reader opens it."""

from __future__ import annotations

import csv
import html
import json
import re
from html.parser import HTMLParser

import pytest
import vl_convert

from pipelines.errors import InputError
from reports import meaning
from reports.stage import report
from testbed.runs.directory import RunDirectory
from testbed.scenario.loading import Loaded


class Page(HTMLParser):
    """Tags with their attributes, and the text that is read (neither style nor script)."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._silent = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text.append(data)


def specs(page: str) -> dict[str, dict[str, object]]:
    found = re.search(r'id="specs">(.*?)</script>', page, re.DOTALL)
    assert found
    parsed: dict[str, dict[str, object]] = json.loads(found[1])
    return parsed


def section_of(page: str, name: str) -> str:
    (found,) = re.findall(rf'<section id="{name}">.*?</section>', page, re.DOTALL)
    return str(found)


def table(run: RunDirectory, name: str) -> list[dict[str, str]]:
    with (run.path / f"report/{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("which", ["page", "video_page"])
def test_the_report_makes_no_external_request(which: str, request: pytest.FixtureRequest) -> None:
    source = request.getfixturevalue(which)
    page = Page(source)
    for tag, attributes in page.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base"), f"<{tag}> could fetch something"
        assert "src" not in attributes
        assert not re.match(r"\w+:|//", attributes.get("href") or "")
    style = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    assert style
    assert not re.search(r"url\(|@import", style[1])
    policies = [
        a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies, "the browser itself is told to fetch nothing"
    assert policies[0] is not None
    assert policies[0].startswith("default-src 'none'")
    assert "unsafe-eval" not in policies[0]


def test_every_chart_has_its_place_and_carries_its_own_data(page: str) -> None:
    drawn = specs(page)
    places = [a["id"] for tag, a in Page(page).tags if a.get("class") == "plot"]
    assert places == list(drawn)
    assert len(places) >= 8
    for spec in drawn.values():
        assert '"url"' not in json.dumps(spec)
        named = set(re.findall(r'"name": "(d\d+)"', json.dumps({k: v for k, v in spec.items() if k != "datasets"})))
        assert named == set(spec["datasets"])  # type: ignore[call-overload]


def test_every_chart_is_one_that_vega_lite_understands(page: str, video_page: str) -> None:
    for source in (page, video_page):
        for spec in specs(source).values():
            assert vl_convert.vegalite_to_vega(spec)["marks"]


def test_vega_is_in_the_page_once(page: str) -> None:
    assert page.count("window.vegaEmbed") == 1
    assert len(page) < 3_000_000


def test_a_hostile_group_label_is_escaped(page: str, hostile: str) -> None:
    assert "<script>alert" not in page
    assert html.escape(hostile) in page


def test_a_hostile_group_label_is_no_formula_in_a_csv(stills: RunDirectory, hostile: str) -> None:
    groups = {row["group"] for row in table(stills, "groups")}
    assert f"'{hostile}" in groups
    assert hostile not in groups


@pytest.mark.parametrize("which", ["stills", "video"])
def test_no_table_without_rows_lies_in_the_folder_or_is_listed(which: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(which)
    folder = run.path / "report"
    names = {path.stem for path in folder.glob("*.csv")}
    assert all(table(run, name) for name in names)
    assert set(re.findall(r'<dt><a href="(\w+)\.csv">', (folder / "index.html").read_text())) == names


def test_a_table_that_is_empty_now_goes_with_the_report_before(made_up: tuple[RunDirectory, Loaded]) -> None:
    run, _ = made_up
    run.write_bytes("report/corrections.csv", b"old\n1\n")
    run.write_bytes("report/mine.csv", b"notes\n")
    report(*made_up)
    assert not (run.path / "report/corrections.csv").exists()
    assert (run.path / "report/mine.csv").exists()


@pytest.mark.parametrize("which", ["stills", "video"])
def test_the_csv_has_a_row_for_every_figure_and_every_differential(which: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(which)
    evidence = json.loads((run.path / "evidence.json").read_text())
    figures = table(run, "figures")
    assert len(figures) == len(evidence["figures"])
    there = (run.path / "report/differentials.csv").exists()
    assert (len(table(run, "differentials")) if there else 0) == len(evidence["differentials"])
    for row, known in zip(figures, evidence["figures"], strict=True):
        assert (row["metric"], row["system"], int(row["comparisons"])) == (
            known["metric"],
            known["system"],
            known["comparisons"],
        )
        assert (row["value"] == "") == (known["value"] is None)


@pytest.mark.parametrize("which", ["stills", "video"])
def test_no_id_of_a_person_and_no_folder_leaves_the_run(
    which: str, ids: list[str], request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(which)
    for path in sorted((run.path / "report").iterdir()):
        content = path.read_text(encoding="utf-8")
        assert "secret" not in content, f"{path.name} tells a folder"
        assert not [name for name in ids if name in content], f"{path.name} tells an id"


def test_every_csv_is_linked_and_every_link_leads_somewhere(stills: RunDirectory, page: str) -> None:
    parsed = Page(page)
    links = {a["href"] for tag, a in parsed.tags if tag == "a" and a.get("href")}
    ids = {f"#{a['id']}" for _, a in parsed.tags if "id" in a}
    files = {path.name for path in (stills.path / "report").iterdir()} - {"index.html"}
    assert {link for link in links if link and not link.startswith("#")} == files
    assert {link for link in links if link and link.startswith("#")} <= ids


def test_no_sentence_or_table_claims_equality(page: str, video_page: str) -> None:
    for source in (page, video_page):
        read = " ".join(" ".join(Page(source.split('id="terms"')[0]).text).lower().split())
        assert "no difference" not in read.replace("does not show that there is no difference", "")
        assert "not different" not in read


def test_groups_too_small_are_named_with_their_numbers_on_the_first_screen(page: str, hostile: str) -> None:
    first = section_of(page, "found").split("At a glance")[0]
    assert f"{html.escape(hostile)} (3)" in first
    assert "Too few people" in first


def test_every_coloured_cell_stands_in_a_table_with_its_interval(page: str) -> None:
    tables = re.findall(r"every cell with its interval and counts</summary>(.*?)</details>", page, re.DOTALL)
    assert len(tables) == 4, "false matches across groups and faces never found, for two systems"
    for table_ in tables:
        cells = re.findall(r"<td.*?</td>", table_, re.DOTALL)
        assert cells
        assert all("[" in cell and " of " in cell for cell in cells if "nothing to count" not in cell)


def test_the_attribution_stands_on_the_page(page: str) -> None:
    assert page.count("Made-up faces, CC BY 4.0") >= 2


def test_a_clip_with_nobody_enrolled_says_what_it_cannot_show(video_page: str) -> None:
    read = " ".join(" ".join(Page(video_page).text).split())
    assert "On street nobody enrolled appears" in read
    assert "they cannot show misses" in read
    assert "Nothing is known about who appears on yard" in read
    assert "cannot be measured on this run" in read


def test_every_clip_is_counted_with_its_undecodable_frames(video: RunDirectory) -> None:
    found = table(video, "what_was_found")
    assert [(row["system"], row["camera"]) for row in found] == [
        (s, c) for s in ("one", "two") for c in ("street", "yard")
    ]
    assert {(row["frames"], row["undecodable"], row["faces"], row["unassigned"]) for row in found} == {
        ("2", "1", "2", "")
    }


def test_unassigned_faces_of_photographs_are_counted(stills: RunDirectory) -> None:
    assert {row["unassigned"] for row in table(stills, "what_was_found")} == {"2"}


def test_failures_are_told_with_their_reasons_and_without_whose_they_are(stills: RunDirectory) -> None:
    told = {(row["what"], row["state"], row["reason"], row["number"]) for row in table(stills, "failures")}
    assert told == {
        ("enrolment", "failed", "…: no face found", "1"),
        ("pass before a camera", "failed", "no face found", "2"),
    }


def test_the_same_run_gives_the_same_tables(stills: RunDirectory, made_up: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = made_up
    report(run, loaded)
    assert run.done("report")
    for path in (stills.path / "report").glob("*.csv"):
        assert (run.path / "report" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_run_that_is_not_evaluated_is_refused(made_up: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = made_up
    run.note(stages={"evaluate": "running"})
    with pytest.raises(InputError, match="needs the evaluate stage"):
        report(run, loaded)


def test_evidence_that_cannot_be_read_is_named(made_up: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = made_up
    run.write_bytes("evidence.json", b"{}")
    with pytest.raises(InputError, match=r"evidence\.json: cannot be read as evidence"):
        report(run, loaded)


def test_people_without_groups_are_reported_on_as_everybody(without_groups: tuple[RunDirectory, Loaded]) -> None:
    read = " ".join(Page(report(*without_groups).read_text(encoding="utf-8")).text)
    assert "A stranger was taken for the person" in read
    assert "of the same group" not in read[: read.index("At a glance")]


def test_clips_without_people_or_truth_are_counted_and_nothing_else_is_said(
    without_people: tuple[RunDirectory, Loaded],
) -> None:
    page = Page(report(*without_people).read_text(encoding="utf-8"))
    read = " ".join(" ".join(page.text).split())
    assert "Nothing is known about who appears on street and yard" in read
    assert "no figure on matches can be given" in read
    assert not re.search(r"\d\u202f%", read[: read.index("Definitions")])


def test_a_run_without_the_own_threshold_speaks_of_the_point_it_has(without_own: tuple[RunDirectory, Loaded]) -> None:
    read = " ".join(" ".join(Page(report(*without_own).read_text(encoding="utf-8")).text).split())
    given = isinstance(without_own[1].scenario.operating_points[0], float)
    said = "a threshold of 0.5" if given else "the threshold for a false match rate of 1 %"
    assert f"A stranger of the same group was taken for the person in about 1 in 20 comparisons at {said}, on" in read
    assert "People labelled black are falsely matched at least 5.3 times as often as those labelled white" in read
    assert f"False matches by group, at {said}" in read
    assert "Nothing was compared" not in read
    assert "at its own threshold" not in read
    assert "at each system's own threshold" not in read


def test_every_operating_point_has_its_rates_by_group(stills: RunDirectory, page: str, hostile: str) -> None:
    known = {(row["metric"], row["group"], row["system"]) for row in table(stills, "operating_points")}
    assert ("FNMR", "black", "two") in known
    assert ("FMR", "same group", "one") in known
    section = section_of(page, "points")
    (row,) = re.findall(
        rf"<tr><th>{re.escape(html.escape(hostile))}</th>.*?</tr>", section.split("<details>")[0], re.DOTALL
    )[:1]
    assert row.count("too few people to say (3)") == 2
    assert len(re.findall("<h3>one, ", section)) == 1
    assert section.count("<details>") == 4


def test_claims_are_told_with_verdict_limits_and_people(stills: RunDirectory, page: str, hostile: str) -> None:
    section = section_of(page, "claims")
    assert f"Safe {html.escape(hostile)}" in section
    for verdict in ("refuted", "supported", "not settled", "untestable"):
        assert section.count(f">{verdict}</span>") == 1
    assert "the assumption-free limits do not reach this verdict" in section
    assert "would be settled by 223 more people if the rate is half of what is claimed" in section
    assert "too few people: 3" in section
    assert "Of 4 statements: 1 refuted, 1 supported, 1 not settled and 1 untestable." in section
    assert section.count("[0.40–95.0") == 4
    assert len(table(stills, "claims")) == 4


def test_likelihood_ratios_and_their_cost_are_told(stills: RunDirectory, page: str) -> None:
    section = section_of(page, "score-meaning")
    assert "0.31<small>[0.21–0.54]</small>" in section
    assert "1/25 to 100" in section
    assert "no mated comparisons" in section
    row = next(row for row in table(stills, "score_meaning") if row["group"] == "black")
    assert (row["cllr_low"], row["expected_calibration_error_high"]) == ("0.21", "0.54")


def test_a_shown_percent_is_told_with_strangers_ratio_and_chances(stills: RunDirectory, page: str) -> None:
    section = section_of(page, "score-meaning")
    told = re.findall(r"<tr><th>black<.*?</tr>", section, re.DOTALL)[0]
    # Beyond what so few people can show: an estimate with its interval, never a bound.
    assert "<b>&lt; 1/25</b><small>[0–2.0]</small>" in told
    assert "strangers ≥ 2.0\u202f%</small><small>[1.0–4.0\u202f%]</small><small>2 of 80</small>" in told
    assert "1 in 2 → &lt; 3.8\u202f%</small><small>[0–66.7\u202f%]" in told
    assert "1 in 1,000 → &lt; 0.0001\u202f%" in told
    assert "nobody came near it" in told
    first, refused = [row for row in table(stills, "percents") if row["group"] == "black"][:2]
    assert (first["at_limit"], float(first["posterior_at_0.001"])) == ("under", 4e-7)
    assert (first["log10_low"], float(first["log10_high"]), float(first["posterior_at_0.5_high"])) == ("", 0.301, 0.667)
    assert (first["strangers_counted"], first["strangers_compared"], first["counted_at"]) == ("2", "80", "0.596")
    assert (refused["strangers_shown"], refused["why"]) == ("", "nobody here came near")


def test_calibration_and_strangers_are_told_in_words(page: str) -> None:
    section = section_of(page, "score-meaning")
    assert "At even odds beforehand, the chances that these likelihood ratios state are off by 31.0\u202f%" in section
    assert (
        "With 7 people, fewer than half of all strangers are shown a match more often than not (95 % limit: it takes "
        "at least 4). By the model, half of all searches by strangers show one from about 12 people on; it may take "
        "more."
    ) in section


def test_a_found_threshold_has_its_interval_or_says_which_end_is_not_known(page: str) -> None:
    section = section_of(page, "scores")
    assert section.count("[0.33–0.47]") == 2
    assert section.count("up to 0.47") == 2


def test_the_two_halves_of_a_threshold_are_told_apart(page: str) -> None:
    assert "first half: 9 people" in page
    assert "second half: 9 people" in page


def test_nothing_is_called_shaded_where_groups_are_of_one_size() -> None:
    one, other = {"group": "black", "people": 8}, {"group": "white", "people": 7}
    assert "shaded" in meaning.line_across([one, other])
    assert "shaded" not in meaning.line_across([one, {**other, "people": 8}])
    assert "shaded" not in meaning.line_across([one])


def test_a_run_says_how_many_people_it_would_have_taken(page: str) -> None:
    section = section_of(page, "planning")
    assert "60,000 people in each group to be sure, or 10,000 if people are as alike as measured here." in section
    assert "Largest group here: black, 8 people." in section


def test_what_was_not_asked_has_no_section(video: RunDirectory, video_page: str) -> None:
    assert 'id="claims"' not in video_page
    assert 'id="score-meaning"' not in video_page
    assert 'id="planning"' not in video_page
    assert not (video.path / "report/claims.csv").exists()


def test_a_frame_without_a_face_does_not_make_a_stage_look_fast(stills: RunDirectory) -> None:
    frames = {row["stage"]: (row["frames"], row["p50"]) for row in table(stills, "timings")}
    assert frames["template"] == ("1", "0.25")
    assert frames["detect"][0] == "2"


def test_the_page_says_what_the_conditions_share_and_with_how_many_workers(page: str) -> None:
    read = " ".join(" ".join(Page(page).text).split())
    assert "Every condition but clean pictures has: a picture of 640×360 px, 5 frames" in read
    assert "12 px" not in read[read.index("Every condition") : read.index("systems ×")]
    assert "workers 7" in read
    assert "“Same group” means: with the same label in “eth” and “sex”." in read

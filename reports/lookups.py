"""A look-up service in words: what it shows, and whether more cameras would have helped."""

from __future__ import annotations

from reports.reading import Figure
from reports.wording import THIN, at_point, bounds, count, listed, percent, score

STRANGER, RIGHT, WRONG = "returned", "right", "wrong"


def shown(row: Figure) -> str:
    """What is shown at least, as a row's heading: anybody at all; at its own threshold; at least 67 %."""
    if row["shown"] == "anybody":
        return "anybody at all"
    return f"at least {row['percent']}{THIN}%" if row["percent"] is not None else at_point(row["shown"])


def who(candidate: Figure) -> str:
    """Who a candidate on the example list truly is: always somebody else."""
    name = candidate["who"]
    return f"somebody else: {f'person {name}' if isinstance(name, int) else name}"


def certain(candidate: Figure) -> str:
    """How alike the service calls a candidate: its percent, else its score."""
    return f"{candidate['score']:.3f}" if candidate["percent"] is None else f"{candidate['percent']:.0f}{THIN}%"


def at_level(look: Figure, name: str, group: str = "all") -> Figure | None:
    """The row of top_hits of a group at a level, None where there is none."""
    return next((row for row in look["top_hits"] if (row["group"], row["shown"]) == (group, name)), None)


def point_of(look: Figure, main: str) -> str:
    """The operating point that is spoken of: the main one, or the first that has a threshold."""
    there = [row["shown"] for row in look["top_hits"] if row["threshold"] is not None and row["percent"] is None]
    return main if main in there else next(iter(there), main)


def called(look: Figure, point: str) -> tuple[str, str]:
    """At which operating point the example list is marked, the system's own if there is one; and a sentence on it."""
    row = at_level(look, "own") or at_level(look, point)
    if row is None:
        return point, ""
    where = at_point(row["shown"], score(row["threshold"]))
    whom = "whom the service itself calls" if row["shown"] == "own" else "who would be called"
    marked = any(row["shown"] in each["reached"] for each in look["example"]["rows"])
    return row["shown"], f"Marked is {whom} a match, {where}{'' if marked else ': here nobody'}."


def levels(look: Figure, point: str) -> list[str]:
    """What a group's rates are given for: the main operating point, and 67 % where such a percent is shown."""
    return [name for name in (point, "67 %") if at_level(look, name)]


def typical(look: Figure) -> str:
    """The median top score of a stranger, in a sentence."""
    middle = next((row for row in look["top_scores"]["deciles"] if row["share"] == 0.5), None)
    if middle is None or middle["score"] is None:
        return "In half of these searches nobody is shown."

    def said(end: str) -> str | None:
        if middle[f"score{end}"] is None:
            return None
        value = middle[f"percent{end}"]
        return f"{middle[f'score{end}']:.3f}" if value is None else f"{value:.0f}{THIN}%"

    ends = [f"{word} {limit}" for word, limit in (("at least", said("_low")), ("at most", said("_high"))) if limit]
    limits = f" (95{THIN}% limits: {listed(ends)})" if ends else " (no limits: too few people)"
    made = f"{count(look['top_scores']['searches'], 'searches')}, {count(look['top_scores']['people'], 'people')}"
    return f"The middle one of these best hits is shown as {said('')}{limits}; {made}."


def crowd(look: Figure, name: str) -> str:
    """Among how many people half of those who were not there more likely than not bring up a stranger so alike."""
    row = next((row for row in look["median_people"] if row["shown"] == name), None)
    if row is None:
        return ""
    what = f"{'shown as' if row['percent'] is not None else 'called a match'} {shown(row)}"
    likely = f"of the photographs would more likely than not bring up a stranger {what}"
    none, many = "none of them the right one", f"{count(row['subjects'], 'people')} photographed"
    if row["value"] is not None:
        most = "there is no upper limit" if row["high"] is None else f"as many as {count(row['high'])}"
        return (
            f"Searched among {count(row['value'], 'people')} who passed, {none}, half {likely} "
            f"(95{THIN}% limits: it may take as few as {count(row['low'])}, and {most}; {many})."
        )
    model = "" if row["modelled"] is None else (
        f" By a model, half of all such searches do from about {count(row['modelled'], 'people')} on: an extrapolation."
    )  # fmt: skip
    return (
        f"Searched among {count(row['measured_up_to'], 'people')} who passed, {none}, fewer than half {likely} "
        f"(95{THIN}% limit: it may take as few as {count(row['low'])}; {many}).{model}"
    )


def grown(look: Figure, name: str, measure: str, cameras: int | None = None) -> list[Figure]:
    """Rows of the growth at a level, by people who passed; cameras: with so many, else with all."""
    most = max((row["cameras"] for row in look["growth"]), default=0) if cameras is None else cameras
    wanted = (name, measure, most)
    return [row for row in look["growth"] if (row["shown"], row["measure"], row["cameras"]) == wanted]


def more_people(look: Figure, name: str) -> str:
    """How a stranger's appearance grows with people, in a sentence."""
    rows = grown(look, name, STRANGER)
    if not rows:
        return "Too few people passed to say how this grows."
    first, last = rows[0], rows[-1]
    return (
        f"Where {count(first['size'], 'people')} had passed, a photograph of somebody who was not there brought up a "
        f"stranger in {_share(first)} of searches; where {count(last['size'], 'people')} had, in {_share(last)} "
        f"({count(last['people'], 'people')} photographed)."
    )


def model(look: Figure, name: str) -> str:
    """Where the model leaves the measurement, in a sentence."""
    told = next((row for row in look["model"] if row["shown"] == name), None)
    if told is None:
        return ""
    if told["breaks_at"] is None:
        most = told["measured_up_to"]
        return (
            "The model stays within the intervals of what was measured: "
            f"at {count(most, 'people')}, the most measured, {_against(look, told, most)}."
        )
    broken = told["breaks_at"]
    return f"The model breaks at {count(broken, 'people')}: {_against(look, told, broken)}."


def _against(look: Figure, told: Figure, size: int) -> str:
    """What the model says of groups of `size`, beside what was measured."""
    said, seen = (
        next(row for row in rows if row["size"] == size)
        for rows in (told["rows"], grown(look, told["shown"], STRANGER))
    )
    return f"it says {percent(said['value'])} where {_share(seen)} was measured"


def excuse(look: Figure, name: str) -> list[str]:
    """“With more cameras it would have worked”, answered from what was measured, in sentences."""
    logic = (
        "Somebody who was not there is in no picture of any camera. However many cameras there are, they can add only "
        "strangers."
    )
    return [logic, *_cameras(look, name), *_city(look, name)]


def _cameras(look: Figure, name: str) -> list[str]:
    numbers = sorted({row["cameras"] for row in look["growth"]})
    if look["stills"]:
        return ["Here are photographs, one camera's worth: cameras cannot be added to this test. People can."]
    if len(numbers) < 2:
        return ["Here is one camera alone: what a second one changes was not measured."]
    few, many = numbers[0], numbers[-1]
    size = min(grown(look, name, STRANGER, n)[-1]["size"] for n in numbers)
    pairs = {
        measure: [next(row for row in grown(look, name, measure, n) if row["size"] == size) for n in (few, many)]
        for measure in (STRANGER, RIGHT, WRONG)
    }

    def change(measure: str) -> str:
        one, other = pairs[measure]
        return f"{_share(one)} with {count(few, 'cameras')}, {_share(other)} with {count(many, 'cameras')}"

    (before, after), searched = pairs[RIGHT], pairs[RIGHT][1]["people"]
    helped = (
        "More cameras did bring the right person up more often." if after["low"] > before["high"]
        else "More cameras brought the right person up less often." if after["high"] < before["low"]
        else "That more cameras bring the right person up more often is not shown here."
    )  # fmt: skip
    return [
        f"Measured, where {count(size, 'people')} had passed. Nobody was there to be found, and a stranger was "
        f"shown: {change(STRANGER)} ({count(pairs[STRANGER][1]['people'], 'people')} photographed).",
        f"The person was there, and was on top: {change(RIGHT)}. The person was there, and a stranger was on top: "
        f"{change(WRONG)} ({count(searched, 'people')} photographed). {helped}",
    ]


def _city(look: Figure, name: str) -> list[str]:
    told = next((row for row in look["model"] if row["shown"] == name), None)
    beyond = [row for row in told["rows"] if row["how"] == "extrapolated"] if told else []
    if told is None or not beyond:
        return []
    last, broken = beyond[-1], told["breaks_at"]
    where = f"{count(last['size'], 'people')} who passed"
    if not look["stills"]:
        where = (
            f"{count(last['cameras'], 'cameras')} and {count(last['size'], 'people')}, as many for each camera as here "
            f"({look['people_per_camera']:.3g})"
        )
    wrong = "" if broken is None else (
        f", and already wrong at {count(broken, 'people')} ({_against(look, told, broken)})"
    )  # fmt: skip
    return [
        f"Extrapolated, not measured: for {where}, 1 − (1 − FMR)^N puts a stranger's face on the screen in "
        f"{percent(last['value'])} of searches for somebody who was not there: a model, untested beyond "
        f"{count(told['measured_up_to'], 'people')}{wrong}. No interval is given, since none would hold the model's "
        "own error: it says too much where people differ in how often they are mistaken."
    ]


def _share(row: Figure) -> str:
    return f"{percent(row['value'])} {bounds(row['low'], row['high'])}"

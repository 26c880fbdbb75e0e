"""What was measured, in words and tables: one section for each thing that can be measured alone, its targets first."""

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple, TypeVar

from benchmarks.clicks import PageClick
from benchmarks.imports import ImportTimes
from benchmarks.measure import Answer, Ratio, percentile
from benchmarks.models import ModelTimes, Step
from benchmarks.people import Crowd

Name = TypeVar("Name")
_LARGE = 50_000_000  # lines, from which a filter change may take ten times as long


class Target(NamedTuple):
    """One line of the list of targets, as words; is_met: whether what was found is as wanted."""

    what: str
    wanted: str
    found: str
    is_met: bool


class Section(NamedTuple):
    """One part of a report: its title, the targets that it is about, and its tables in Markdown."""

    title: str
    targets: Sequence[Target]
    tables: str

    @property
    def text(self) -> str:
        """The section as Markdown."""
        lines = [f"| {each.what} | {each.wanted} | {_marked(each)} |" for each in self.targets]
        return "\n\n".join([f"### {self.title}", *([_table(TARGETS_HEAD, lines)] if lines else []), self.tables])


TARGETS_HEAD = "| target | wanted | found |\n|---|---|---:|"
"""Head of the table by which a report's targets are found again."""


def _marked(target: Target) -> str:
    return target.found if target.is_met else f"**{target.found}**"


# ── rooms and questions ─────────────────────────────────────────────────────────────────────────────────────────────────


def rooms(answers: Sequence[Answer], lines: int, peak: int) -> Section:
    """Return the section about the rooms' tables of a shop of so many lines; peak: most bytes that the process held."""
    asked = [answer for answer in answers if answer.kind == "table"]
    found = [answer for answer in answers if answer.kind in ("first", "again")]
    refused = [answer for answer in answers if answer.kind == "refused"]
    parts = [_rooms_table(asked), _models_table(found), _refusals(refused), f"Peak memory: {peak / 2**30:.1f} GB."]
    return Section("Rooms", _room_targets(asked, lines) if asked else [], "\n\n".join(part for part in parts if part))


def _room_targets(asked: Sequence[Answer], lines: int) -> list[Target]:
    seconds = [answer.seconds for answer in asked]
    high, worst = percentile(seconds, 0.95), max(seconds)
    most_high, most = (1.5, 7.0) if lines >= _LARGE else (0.15, 0.7)
    return [
        Target("filter change, server side, p95", "under 150 ms; 100 million lines: 1.5 s", _time(high), high < most_high),
        Target("filter change, server side, worst", "under 700 ms; 100 million lines: 7 s", _time(worst), worst < most),
    ]


def _rooms_table(answers: Sequence[Answer]) -> str:
    if not answers:
        return ""
    rows = [(room, [answer for answer in answers if answer.room == room]) for room in _in_order(answer.room for answer in answers)]
    lines = [_room(name, own) for name, own in [*rows, ("**all rooms**", answers)]]
    return _table("| room | answers | p50 | p95 | worst | which is |\n|---|---:|---:|---:|---:|---|", lines)


def _room(name: str, answers: Sequence[Answer]) -> str:
    worst = max(answers, key=lambda answer: answer.seconds)
    return f"| {name} | {len(answers)} | {_spread(answer.seconds for answer in answers)} | {worst.table}, {worst.filter_set} |"


def _models_table(answers: Sequence[Answer]) -> str:
    lines = []
    for room, table in _in_order((answer.room, answer.table) for answer in answers):
        own = [answer for answer in answers if (answer.room, answer.table) == (room, table)]
        again = [answer.seconds for answer in own if answer.kind == "again"]
        first = sum(answer.seconds for answer in own if answer.kind == "first")
        lines.append(f"| {room} | {table} | {first:.2f} | {_ms(percentile(again, 0.5))} | {_ms(percentile(again, 1))} |")
    return _table("| table of a model | | first, s | again, p50 | again, worst |\n|---|---|---:|---:|---:|", lines) if answers else ""


def _refusals(answers: Sequence[Answer]) -> str:
    named = ", ".join(f"{answer.room} {answer.table} ({answer.filter_set})" for answer in answers)
    return f"No answer, as the room says that it cannot give one: {named}." if answers else ""


def questions(ratios: Sequence[Ratio], database: str, peak: int) -> Section:
    """Return the section about the bare questions on facts, on raw lines and in pandas."""
    lines = [_question(name, [ratio for ratio in ratios if ratio.question == name]) for name in _in_order(r.question for r in ratios)]
    head = (
        "| question | facts, median | worst | lines, median | worst | pandas, median | worst |"
        " times faster than lines, median (worst) | than pandas, median (worst) |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    than_lines, than_pandas = ([getattr(ratio, name) for ratio in ratios] for name in ("times_lines", "times_pandas"))
    is_wanted = database.startswith("PostgreSQL")
    targets = [Target("times faster than raw lines, median (worst)", "PostgreSQL: 10", *_faster(than_lines, 10 if is_wanted else 0))]
    if not any(map(math.isnan, than_pandas)):
        targets.append(Target("times faster than pandas, median (worst)", "10", *_faster(than_pandas, 10)))
    table = _table(head, [*lines, _question("**all questions**", ratios)])
    return Section("Questions", targets, f"{table}\n\nPeak memory: {peak / 2**30:.1f} GB.")


def _question(name: str, ratios: Sequence[Ratio]) -> str:
    times = [[getattr(ratio, way) for ratio in ratios] for way in ("on_facts", "on_lines", "in_pandas")]
    cells = [_ms(value) for own in times for value in (median(own), max(own))]
    faster = [_faster([getattr(ratio, way) for ratio in ratios], 0)[0] for way in ("times_lines", "times_pandas")]
    return f"| {name} | {' | '.join([*cells, *faster])} |"


def _faster(times: Sequence[float], wanted: float) -> tuple[str, bool]:
    if any(map(math.isnan, times)):
        return "–", True
    return f"{median(times):.1f} ({min(times):.1f})", median(times) >= wanted


# ── models and imports ──────────────────────────────────────────────────────────────────────────────────────────────────


def models(times: ModelTimes) -> Section:
    """Return the section about the purchase models."""
    fitted, refits = times.fitted, times.refitted
    targets = [
        Target(f"BG/NBD of {_count(fitted.customers)} customers, from summary to parameters", "under 4 s", *_under(fitted.seconds, 4)),
        Target(
            f"times faster than lifetimes ungrouped, {_count(times.compared.customers)} customers",
            "10",
            f"{times.times_faster:.0f}",
            times.times_faster >= 10,
        ),
        Target(f"200 bootstrap refits of {_count(refits.customers)} customers", "under 15 s", *_under(refits.seconds, 15)),
    ]
    rows = {
        "purchase histories of the shop, in SQL, to the summary": times.histories,
        "that and the four models of the shop": times.first,
        "scoring the shop's customers: P(alive) and value by three models": times.scored,
        "BG/NBD, simulated customers": times.fitted,
        "BG/NBD, simulated customers ": times.compared,
        "the same in lifetimes, ungrouped": times.in_lifetimes,
        "200 refits of BG/NBD and Gamma-Gamma": times.refitted,
    }
    return Section("Models", targets, _table("| what | customers | s |\n|---|---:|---:|", [_step(*row) for row in rows.items()]))


def _step(what: str, step: Step) -> str:
    return f"| {what.strip()} | {step.customers:,} | {step.seconds:.2f} |"


def imports(times: ImportTimes) -> Section:
    """Return the section about imports."""
    targets = [Target("one day imported into the shop and published", "under 3 s", *_under(times.day.seconds, 3))]
    rows = {"one day into the shop": times.day, "the undo of a day": times.undone, "as many late lines, over a year": times.late}
    if times.table:
        rate = times.table.lines_per_second
        targets.insert(0, Target("import of a CSV with all checks", "over 100,000 lines a second", f"{rate:,.0f}", rate > 100_000))
        rows = {"CSV into an empty data set": times.table, **rows}
    lines = [f"| {what} | {each.lines:,} | {each.seconds:.2f} | {each.lines_per_second:,.0f} |" for what, each in rows.items()]
    return Section("Imports", targets, _table("| what | lines | s | lines a second |\n|---|---:|---:|---:|", lines))


# ── browser and people ──────────────────────────────────────────────────────────────────────────────────────────────────


def clicks(found: Sequence[PageClick]) -> Section:
    """Return the section about clicks in a browser."""
    rows = [(page, [click for click in found if click.page == page]) for page in _in_order(click.page for click in found)]
    lines = [_clicks(name, own) for name, own in [*rows, ("**all pages**", found)]]
    high = percentile([click.seconds for click in found], 0.95)
    targets = [Target("click to redrawn in a browser, p95", "under 500 ms", *_under(high, 0.5))]
    head = "| page | clicks | p50 | p95 | worst | which is | p50 of each |\n|---|---:|---:|---:|---:|---|---|"
    return Section("Browser", targets, _table(head, lines))


def _clicks(name: str, found: Sequence[PageClick]) -> str:
    worst = max(found, key=lambda click: click.seconds)
    kinds = [(kind, [click.seconds for click in found if click.kind == kind]) for kind in _in_order(click.kind for click in found)]
    each = ", ".join(f"{kind} {_ms(median(seconds))}" for kind, seconds in kinds)
    return f"| {name} | {len(found)} | {_spread(click.seconds for click in found)} | {worst.kind} | {each} |"


def people(crowds: Sequence[Crowd]) -> Section:
    """Return the section about many people at once."""
    lines, targets = [], []
    for crowd in crowds:
        seconds = [click.seconds for click in crowd.clicks]
        pages = [
            (page, [click.seconds for click in crowd.clicks if click.page == page]) for page in _in_order(c.page for c in crowd.clicks)
        ]
        each = ", ".join(f"{page} {_ms(percentile(own, 0.95))}" for page, own in pages)
        asked = "before" if crowd.is_again else "first time"
        counts = f"{crowd.people} | {crowd.processes} | {crowd.pause:g} | {asked} | {len(seconds)} | {crowd.per_second:.1f}"
        lines.append(f"| {counts} | {_spread(seconds)} | {crowd.errors} | {each} |")
        if (crowd.processes, crowd.pause) == (1, 0):
            high = percentile(seconds, 0.95)
            what = f"{crowd.people} people clicking without pause, one process, p95, {'asked before' if crowd.is_again else 'first asked'}"
            targets.append(Target(what, "under 0.8 s, no errors", f"{_time(high)}, {crowd.errors} errors", high < 0.8 and not crowd.errors))
    head = (
        "| people | processes | pause, s | asked | clicks | a second | p50 | p95 | worst | errors | p95 by page |\n"
        "|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---|"
    )
    return Section("People", targets, _table(head, lines))


# ── cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _table(head: str, lines: Iterable[str]) -> str:
    return "\n".join([head, *lines])


def _spread(seconds: Iterable[float]) -> str:
    ordered = sorted(seconds)
    return " | ".join(_ms(percentile(ordered, share)) for share in (0.5, 0.95, 1))


def _under(seconds: float, limit: float) -> tuple[str, bool]:
    return _time(seconds), seconds < limit


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f}" if not math.isnan(seconds) else "–"


def _count(number: int) -> str:
    """Return a number of customers in words.

    >>> _count(3_000_000), _count(100_000), _count(500)
    ('3 million', '100 thousand', '500')
    """
    if number % 1_000_000 == 0:
        return f"{number // 1_000_000} million"
    return f"{number // 1_000} thousand" if number % 1_000 == 0 else f"{number}"


def _in_order(names: Iterable[Name]) -> list[Name]:
    return list(dict.fromkeys(names))

"""The benchmark in words and tables: Markdown, one part for each size and database."""

import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TypeVar

from benchmarks.measure import Answer, Ratio, percentile
from benchmarks.shop import Size

Name = TypeVar("Name")
_PACKAGES = ("duckdb", "SQLAlchemy", "pandas", "numpy", "pyarrow")
_HEAD = """# Benchmark

Written by `make bench LINES=…`, one part for each size and database. All times are in milliseconds unless a column says otherwise.

* **Rooms**: every table of every room that asks the database, as `show` prints it, from a source that remembers nothing, under seven
  filter sets: all dates; 365 days; 90 days; 365 days and 2 regions; and 2 channels; and 3 categories; all but one channel and one category.
* **Models**: tables that mostly fit models or resample. First: with the models that it needs, each fitted and timed once. Again: from a
  source that remembers them by version, scope and as-of date; the worst is a choice of customers that is seen for the first time.
* **Questions**: one SQL statement on the raw orders and lines, and the same in pandas on a frame of lines that is already in memory; the
  median of three, by turns.
* **Memory**: the most that the process held up to then; a PostgreSQL server's own is not in it.
"""


@dataclass(frozen=True)
class Run:
    """What one run found. database: name and version. memory: after what, and the most bytes held by then."""

    size: Size
    database: str
    threads: int
    answers: Sequence[Answer]
    ratios: Sequence[Ratio]
    memory: tuple[tuple[str, int], ...]


def report(run: Run) -> str:
    """Return the part of the results that is about this run."""
    parts = [
        f"## {run.size.lines:,} order lines on {run.database}",
        f"{run.size.orders:,} orders, {run.size.customers:,} customers. {machine(run)}",
        _rooms([answer for answer in run.answers if answer.kind == "table"]),
        _models([answer for answer in run.answers if answer.kind in ("first", "again")]),
        _refusals([answer for answer in run.answers if answer.kind == "refused"]),
        _questions(run.ratios),
        "Peak memory: " + ", ".join(f"{held / 2**30:.1f} GB {after}" for after, held in run.memory) + ".",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def machine(run: Run) -> str:
    """Return what the figures depend on: processors, memory, versions."""
    threads = f"{run.threads} threads; " if run.database.startswith("DuckDB") else ""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{threads}{cores} cores ({platform.machine()}), {memory:.0f} GB of memory, {platform.system()}; "
        f"Python {platform.python_version()}, {packages}."
    )


def _rooms(answers: Sequence[Answer]) -> str:
    if not answers:
        return ""
    rows = [(room, [answer for answer in answers if answer.room == room]) for room in _in_order(answer.room for answer in answers)]
    lines = [_room(name, own) for name, own in [*rows, ("**all rooms**", answers)]]
    head = "| room | answers | p50 | p95 | worst | which is |\n|---|---:|---:|---:|---:|---|"
    return "### Rooms\n\n" + "\n".join([head, *lines])


def _room(name: str, answers: Sequence[Answer]) -> str:
    seconds = [answer.seconds for answer in answers]
    worst = max(answers, key=lambda answer: answer.seconds)
    times = " | ".join(_ms(value) for value in (percentile(seconds, 0.5), percentile(seconds, 0.95), worst.seconds))
    return f"| {name} | {len(answers)} | {times} | {worst.table}, {worst.filter_set} |"


def _models(answers: Sequence[Answer]) -> str:
    lines = []
    for room, table in _in_order((answer.room, answer.table) for answer in answers):
        own = [answer for answer in answers if (answer.room, answer.table) == (room, table)]
        again = [answer.seconds for answer in own if answer.kind == "again"]
        first = sum(answer.seconds for answer in own if answer.kind == "first")
        lines.append(f"| {room} | {table} | {first:.2f} | {_ms(percentile(again, 0.5))} | {_ms(percentile(again, 1))} |")
    head = "| room | table | first, s | again, p50 | again, worst |\n|---|---|---:|---:|---:|"
    return "### Models\n\n" + "\n".join([head, *lines]) if answers else ""


def _refusals(answers: Sequence[Answer]) -> str:
    named = ", ".join(f"{answer.room} {answer.table} ({answer.filter_set})" for answer in answers)
    return f"No answer, as the room says that it cannot give one: {named}." if answers else ""


def _questions(ratios: Sequence[Ratio]) -> str:
    if not ratios:
        return ""
    rows = [(name, [ratio for ratio in ratios if ratio.question == name]) for name in _in_order(ratio.question for ratio in ratios)]
    lines = [_question(name, own) for name, own in [*rows, ("**all questions**", ratios)]]
    head = (
        "| question | SQL, median | SQL, worst | pandas, median | pandas, worst | times faster, median | at worst |\n"
        "|---|---:|---:|---:|---:|---:|---:|"
    )
    return "### Questions\n\n" + "\n".join([head, *lines])


def _question(name: str, ratios: Sequence[Ratio]) -> str:
    sql, in_pandas = [ratio.sql for ratio in ratios], [ratio.in_pandas for ratio in ratios]
    faster = [ratio.times_faster for ratio in ratios]
    times = " | ".join(_ms(value) for value in (median(sql), max(sql), median(in_pandas), max(in_pandas)))
    return f"| {name} | {times} | {median(faster):.2f} | {min(faster):.2f} |"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f}"


def _in_order(names: Iterable[Name]) -> list[Name]:
    return list(dict.fromkeys(names))


# ── the file ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write(path: Path, part: str) -> None:
    """Put one part into the file of results, in the place of the one with the same heading; parts are sorted by length and name."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    held = {found.partition("\n")[0]: found for found in re.split(r"^(?=## )", old, flags=re.MULTILINE)[1:]}
    held[part.partition("\n")[0]] = part
    ordered = [held[title].strip() for title in sorted(held, key=lambda title: (len(title.partition(" order")[0]), title))]
    path.write_text("\n\n".join([_HEAD.strip(), *ordered]) + "\n", encoding="utf-8")

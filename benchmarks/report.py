"""The files that hold what was found: results.md, one part for each size and database, and the table of targets in README.md."""

import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.sections import TARGETS_HEAD, Section
from benchmarks.shop import Size

_PACKAGES = ("duckdb", "pandas", "numpy", "streamlit")
_HEAD = """# Benchmark

Written by `make bench LINES=…`, one part for each size and database; a target that was missed is in bold. All times are in milliseconds
unless a column says otherwise.

* **Rooms**: every table of every room that asks the database, as `show` prints it, from a source that remembers nothing, under seven
  filter sets: all dates; 365 days; 90 days; 365 days and 2 regions; and 2 channels; and 3 categories; all but one channel and one category.
  Tables of a model are timed apart. First: with the models that it needs, each fitted and timed once. Again: from a source that
  remembers them by version, scope and as-of date; the worst is a choice of customers that is seen for the first time.
* **Questions**: one SQL statement on the facts, the same on the raw orders and lines, and in pandas on a frame of lines that is already
  in memory, by turns; the median of three where a turn is short.
* **Models**: the shop's own, and BG/NBD with known parameters on simulated customers; lifetimes as it comes, one row a customer.
* **Imports**: from the bytes of a file in memory to the published version, into a copy of the shop; an empty data set takes a CSV in
  the shape of Online Retail. One day: the median of three files.
* **Browser**: a headless Chromium on one process; from the click to the frame in which the page changed last. By turns another period,
  one more region, channel or category, another tab; a row where the page has a table of orders instead.
* **People**: sessions that speak Streamlit's protocol and draw nothing; from the click to the end of the script's run. Each waits, then
  changes the period, region or channel, turns to another tab or page, and waits again. Several processes: people are spread over them.
* **Peak memory**: the most that the process held up to then; a PostgreSQL server's own is not in it.
"""
_README = re.compile(r"(?<=<!-- benchmarks -->\n).*?(?=<!-- /benchmarks -->)", flags=re.DOTALL)


class Run(NamedTuple):
    """What one run found. database: name and version. on: the day."""

    size: Size
    database: str
    threads: int
    on: date
    sections: Sequence[Section]

    @property
    def title(self) -> str:
        """By what the part of the results is known that is about the same."""
        return f"## {self.size.lines:,} order lines on {self.database.partition(' ')[0]}"

    @property
    def head(self) -> str:
        """Title, size, and what the figures depend on."""
        return f"{self.title}\n\n{self.size.orders:,} orders, {self.size.customers:,} customers.\n\n{_MEASURED}{machine(self)}"


_MEASURED = "Measured on "


def report(run: Run) -> str:
    """Return the part of the results that is about this run."""
    return "\n\n".join([run.head, *[section.text for section in run.sections]]) + "\n"


def machine(run: Run) -> str:
    """Return what the figures depend on: day, processor, cores, memory, versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    threads = f" ({run.threads} threads)" if run.database.startswith("DuckDB") else ""
    return (
        f"{run.on.isoformat()}: {_processor()}, {cores} cores, {memory:.0f} GB of memory, {platform.system()}; {run.database}{threads}, "
        f"Python {platform.python_version()}, {packages}."
    )


def _processor() -> str:
    """Return the processor's name."""
    known = Path("/proc/cpuinfo")
    named = re.search(r"^model name\s*:\s*(.+)$", known.read_text(encoding="utf-8"), flags=re.MULTILINE) if known.exists() else None
    return named[1].strip() if named else platform.processor() or platform.machine()


# ── the files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def write(path: Path, part: str) -> None:
    """Put one part into the file of results: each of its sections takes the place of the one with its title, all others stay.

    Parts are sorted by length and name.
    """
    parts = _parts(path.read_text(encoding="utf-8")) if path.exists() else {}
    for title, sections in _parts(part).items():
        parts[title] = {**parts.get(title, {}), **sections}
    texts = ["\n\n".join(parts[title].values()) for title in _sorted(parts)]
    path.write_text("\n\n".join([_HEAD.strip(), *texts]) + "\n", encoding="utf-8")


def write_readme(path: Path, results: str) -> None:
    """Put the table of targets between the markers of a README."""
    path.write_text(_README.sub(lambda _: readme_table(results), path.read_text(encoding="utf-8")), encoding="utf-8")


def readme_table(results: str) -> str:
    """Return the targets and what was found on each size and database, from the text of results.md; "" where nothing was."""
    parts = _parts(results)
    if not parts:
        return ""
    titles = _sorted(parts)
    found = {title: dict(_targets("\n\n".join(parts[title].values()))) for title in titles}
    wanted = dict.fromkeys(row for title in titles for row in found[title])
    lines = [f"| {' | '.join([*row, *[found[title].get(row, '') for title in titles]])} |" for row in wanted]
    head = f"| target | wanted | {' | '.join(_short(title) for title in titles)} |\n|---|---|{'---:|' * len(titles)}"
    machines = [f"{_short(title)}: {_machine_of(parts[title][''])}" for title in titles]
    return "\n".join([head, *lines]) + "\n\n" + "\n".join(f"* {each}" for each in machines) + "\n"


def _parts(text: str) -> dict[str, dict[str, str]]:
    """Return the sections of each part by the titles of both; what stands before the first section has the title ""."""
    parts = {}
    for part in re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]:
        head, *sections = re.split(r"^(?=### )", part, flags=re.MULTILINE)
        parts[head.partition("\n")[0]] = {"": head.strip(), **{each.partition("\n")[0]: each.strip() for each in sections}}
    return parts


def _sorted(parts: Mapping[str, object]) -> list[str]:
    return sorted(parts, key=lambda title: (len(title.partition(" order")[0]), title))


def _targets(part: str) -> list[tuple[tuple[str, str], str]]:
    """Return target and wanted, and what was found, of every table of targets."""
    tables = re.findall(rf"^{re.escape(TARGETS_HEAD)}\n((?:\|.*\n?)*)", part, flags=re.MULTILINE)
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for table in tables for line in table.strip().splitlines()]
    return [((what, wanted), found) for what, wanted, found in cells]


def _short(title: str) -> str:
    """Return the title of a part as the head of a column.

    >>> _short("## 9,999,990 order lines on DuckDB")
    '10 million lines, DuckDB'
    """
    lines, _, database = title.removeprefix("## ").partition(" order lines on ")
    return f"{int(lines.replace(',', '')) / 1e6:.3g} million lines, {database}"


def _machine_of(head: str) -> str:
    return head.partition(_MEASURED)[2].strip()

"""The one command: `python -m benchmarks.run --lines 1`, which `make bench LINES=1` calls."""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from browser import find_chromium
from sqlalchemy import func, select

from benchmarks import clicks, imports, in_pandas, measure, models, people, report, sections, shop
from benchmarks.filter_sets import FILTER_SETS
from benchmarks.questions import QUESTIONS
from benchmarks.sections import Section
from crm_metrics.database import THREADS_SETTING, DataSet, open_source
from crm_metrics.rooms import ROOM_NAMES, Table, tables

ROOT = Path(__file__).parent.parent
RESULTS, README = ROOT / "benchmarks" / "results.md", ROOT / "README.md"


class Shop(NamedTuple):
    """What is measured. threads: of DuckDB. with_fits: the rooms' models too; with_pandas: the bare questions in pandas too."""

    data_set: DataSet
    size: shop.Size
    threads: int
    with_fits: bool
    with_pandas: bool


def bench(  # noqa: PLR0913  # typer makes options of them
    *,
    lines: Annotated[float, typer.Option(help="Size of the shop, in million order lines: 1, 10 or 100.", min=0.001)] = 1,
    database: Annotated[str, typer.Option(help="SQLAlchemy address of the shop; empty: a DuckDB file in data/bench.")] = "",
    threads: Annotated[int, typer.Option(help="Threads of DuckDB.", min=1)] = 2,
    only: Annotated[str, typer.Option(help="What to measure, by commas: rooms,questions,models,imports,browser,people; empty: all.")] = "",
    fits: Annotated[bool, typer.Option(help="Time the rooms' tables that fit models, too.")] = True,
    pandas: Annotated[bool, typer.Option(help="Ask the bare questions in pandas, too, with every line in memory.")] = True,
    results: Annotated[Path, typer.Option(help="File that the figures are written to.")] = RESULTS,
) -> None:
    """Build the shop unless it is there, measure, print the figures and write them down; README.md shows those of the usual file."""
    chosen = [name.strip() for name in only.split(",") if name.strip()] or list(_PARTS)
    if unknown := [name for name in chosen if name not in _PARTS]:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(_PARTS)}.")
    os.environ[THREADS_SETTING] = str(threads)
    _say(f"The shop of {lines:g} million lines …")
    measured = Shop(_in_a_process_of_its_own(database, lines), shop.size_of(lines), threads, fits, pandas)
    name = _database(measured.data_set)
    if "browser" in chosen and not find_chromium():
        _say("No Chromium found: the browser is left out. Name one: CHROMIUM=/path/to/chromium.")
        chosen.remove("browser")
    for part in chosen:
        _say(f"{part} …")
        run = report.Run(measured.size, name, threads, datetime.now(UTC).date(), [_PARTS[part](measured)])
        typer.echo(run.sections[0].text + "\n")
        report.write(results, report.report(run))
    if results == RESULTS:
        report.write_readme(README, results.read_text(encoding="utf-8"))


def _in_a_process_of_its_own(address: str, million_lines: float) -> DataSet:
    """Return the shop; the memory that building took is then none of this process's."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(shop.ready, address, million_lines).result()


def _database(data_set: DataSet) -> str:
    if data_set.is_duckdb:
        return f"DuckDB {version('duckdb')}"
    asked = select(func.current_setting("server_version").label("server_version"))
    return f"PostgreSQL {str(open_source(data_set)(asked).iloc[0]['server_version']).partition(' ')[0]}"


# ── what can be measured alone ──────────────────────────────────────────────────────────────────────────────────────────


def _rooms(measured: Shop) -> Section:
    every: Mapping[str, Mapping[str, Table]] = {room: tables(room) for room in ROOM_NAMES}
    answers = list(_told(measure.measured_tables(measured.data_set, every, FILTER_SETS, with_models=measured.with_fits)))
    return sections.rooms(answers, measured.size.lines, measure.peak_memory())


def _questions(measured: Shop) -> Section:
    source = open_source(measured.data_set)
    loaded = in_pandas.load(source) if measured.with_pandas else None
    ratios = list(measure.measured_questions(source, loaded, QUESTIONS, FILTER_SETS))
    return sections.questions(ratios, _database(measured.data_set), measure.peak_memory())


def _models(measured: Shop) -> Section:
    return sections.models(models.measured_models(measured.data_set))


def _imports(measured: Shop) -> Section:
    return sections.imports(imports.measured_imports(measured.data_set, measured.size))


def _browser(measured: Shop) -> Section:
    return sections.clicks(list(clicks.measured_clicks(measured.data_set, threads=measured.threads)))


def _people(measured: Shop) -> Section:
    return sections.people(list(people.measured_people(measured.data_set, measured.size.customers, threads=measured.threads)))


_PARTS: dict[str, Callable[[Shop], Section]] = {
    "rooms": _rooms,
    "questions": _questions,
    "models": _models,
    "imports": _imports,
    "browser": _browser,
    "people": _people,
}


def _told(answers: Iterable[measure.Answer]) -> Iterable[measure.Answer]:
    """Give the answers and say which room they are of."""
    told = ""
    for answer in answers:
        if answer.room != told:
            told = answer.room
            _say(f"{told} …")
        yield answer


def _say(words: str) -> None:
    typer.echo(words, err=True)


if __name__ == "__main__":
    typer.run(bench)

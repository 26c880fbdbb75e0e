"""The one command: `python -m benchmarks.run --lines 1`, which `make bench LINES=1` calls."""

import multiprocessing
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import func, select

from benchmarks import in_pandas, measure, report, shop
from benchmarks.filter_sets import FILTER_SETS
from benchmarks.questions import QUESTIONS
from crm_metrics.database import THREADS_SETTING, DataSet, open_source
from crm_metrics.rooms import ROOM_NAMES, Table, tables

RESULTS = Path(__file__).parent / "results.md"


def bench(
    *,
    lines: Annotated[float, typer.Option(help="Size of the shop, in million order lines: 1, 10 or 100.", min=0.001)] = 1,
    database: Annotated[str, typer.Option(help="SQLAlchemy address of the shop; empty: a DuckDB file in data/bench.")] = "",
    threads: Annotated[int, typer.Option(help="Threads of DuckDB.", min=1)] = 2,
    models: Annotated[bool, typer.Option(help="Time the tables that fit models, too.")] = True,
    pandas: Annotated[bool, typer.Option(help="Ask the bare questions in SQL and in pandas, with every line in memory.")] = True,
    results: Annotated[Path, typer.Option(help="File that the figures are written to.")] = RESULTS,
) -> None:
    """Build the shop unless it is there, ask every room everything, print the figures and write them down."""
    os.environ[THREADS_SETTING] = str(threads)
    _say(f"The shop of {lines:g} million lines …")
    data_set = _in_a_process_of_its_own(database, lines)
    answers = _asked_rooms(data_set, with_models=models)
    memory = [("after the rooms", measure.peak_memory())]
    ratios: list[measure.Ratio] = []
    if pandas:
        _say("The same questions in SQL and in pandas …")
        source = open_source(data_set)
        ratios = list(measure.measured_questions(source, in_pandas.load(source), QUESTIONS, FILTER_SETS))
        memory.append(("after pandas", measure.peak_memory()))
    run = report.Run(shop.size_of(lines), _database(data_set), threads, answers, ratios, tuple(memory))
    part = report.report(run)
    typer.echo(part)
    report.write(results, part)


def _in_a_process_of_its_own(address: str, million_lines: float) -> DataSet:
    """Return the shop; the memory that building took is then none of this process's."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(shop.ready, address, million_lines).result()


def _asked_rooms(data_set: DataSet, *, with_models: bool) -> list[measure.Answer]:
    every: Mapping[str, Mapping[str, Table]] = {room: tables(room) for room in ROOM_NAMES}
    return list(_told(measure.measured_tables(data_set, every, FILTER_SETS, with_models=with_models)))


def _told(answers: Iterable[measure.Answer]) -> Iterable[measure.Answer]:
    """Give the answers and say which room they are of."""
    told = ""
    for answer in answers:
        if answer.room != told:
            told = answer.room
            _say(f"{told} …")
        yield answer


def _database(data_set: DataSet) -> str:
    if data_set.is_duckdb:
        return f"DuckDB {version('duckdb')}"
    asked = select(func.current_setting("server_version").label("server_version"))
    return f"PostgreSQL {str(open_source(data_set)(asked).iloc[0]['server_version']).partition(' ')[0]}"


def _say(words: str) -> None:
    typer.echo(words, err=True)


if __name__ == "__main__":
    typer.run(bench)

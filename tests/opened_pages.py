"""Pages as a reader opens them, without a browser."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
from browser import ROOT
from streamlit.testing.v1 import AppTest

from crm_metrics import database, facts, language, schema
from crm_metrics.language import t
from crm_metrics.ui.start import PAGES

APP = str(ROOT / "app.py")


def opened(page: str, **parameters: str) -> AppTest:
    """A page opened by its address."""
    app = _to_page(_app(parameters), page, parameters)
    assert app.title[0].value == t(PAGES[page][1])
    return app


def gone_to(page: str, **parameters: str) -> AppTest:
    """A page that the reader came to from the first one."""
    return _to_page(_app(parameters).run(), page, parameters)


def _app(parameters: dict[str, str]) -> AppTest:
    language.use("zh" if parameters.get("lang") == "zh" else "en")  # AppTest formats the options of widgets outside the page
    app = AppTest.from_file(APP, default_timeout=60)
    for key, value in parameters.items():
        app.query_params[key] = value
    return app


def _to_page(app: AppTest, page: str, parameters: dict[str, str]) -> AppTest:
    app.switch_page(f"pages/{page}.py")
    for key, value in parameters.items():  # the page's own ones: going to a page leaves those of the page before
        app.query_params[key] = value
    return app.run()


def texts(app: AppTest) -> str:
    """What is written on a page, but for its tables and pictures."""
    kinds = (app.title, app.markdown, app.caption, app.info, app.warning, app.error, app.subheader)
    return "\n".join(element.value for elements in kinds for element in elements)


def five_customers(folder: Path) -> database.DataSet:
    """Five customers, one order each on five days, 10.00 each, nothing else known."""
    data_set = database.find_data_set(f"duckdb:///{folder}/mine.duckdb")
    days = [dt.date(2024, 1, day) for day in range(1, 6)]
    ids = [f"o{day.day}" for day in days]
    tens = pa.array([Decimal("10.0000")] * 5, pa.decimal128(18, 4))
    orders = {
        "order_id": ids,
        "customer_id": [f"c{day.day}" for day in days],
        "ordered_at": pa.array([dt.datetime.combine(day, dt.time()) for day in days], pa.timestamp("us")),
        "ordered_on": days,
        "is_purchase": [True] * 5,
        "is_cancelled": [False] * 5,
        "batch_id": [1] * 5,
    }
    lines = {
        "batch_id": [1] * 5,
        "row_number": list(range(2, 7)),
        "order_id": ids,
        "line_kind": ["sale"] * 5,
        "quantity": tens,
        "net_amount": tens,
        "row_hash": ids,
    }
    customers = {"customer_id": orders["customer_id"], "batch_id": [1] * 5}
    with database.change(data_set) as writer:
        for table, columns in ((schema.orders, orders), (schema.order_lines, lines), (schema.customers, customers)):
            writer.append(table, pa.table(columns))
        facts.rebuild(writer.connection)
    return data_set

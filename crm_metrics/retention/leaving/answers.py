"""Which tables, queries and figure answer which question of the page."""

from collections.abc import Callable
from typing import Any, get_args

import plotly.graph_objects as go
from sqlalchemy import Select

from crm_metrics.customer_forecast.forecast import NO_DATA
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.retention.leaving import figure, query
from crm_metrics.retention.leaving.asked import choice, contracts_day, today_of, year_before
from crm_metrics.retention.leaving.contract_tables import contract_churn, contract_curve, contract_fit, contract_projection
from crm_metrics.retention.leaving.query import Split
from crm_metrics.rooms import Table

CONTRACTS: dict[str, tuple[Table, Table]] = {  # by question: one row per kind, and the curve
    "contracts": (contract_churn, contract_curve),
    "lasting": (contract_fit, contract_projection),
}
DRAWN: dict[str, Callable[..., go.Figure]] = {"contracts": figure.contract_curves, "lasting": figure.projection_lines}


def queries(source: Source, filters: Filters) -> dict[str, tuple[Select[Any], ...]]:
    """Return the queries to be shown, by question and by what the second order is split."""
    known = today_of(source, filters) or NO_DATA
    return {
        "late": (query.rhythms(filters, known, year_before(known)), query.chosen_customers(filters, known)),
        **{by: (query.second_orders(filters, known, by),) for by in get_args(Split)},
        "contracts": (query.contract_counts(choice(filters), contracts_day(source, filters)),),
    }

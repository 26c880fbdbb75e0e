"""The tables of this part, and the queries behind them."""

from crm_metrics.rooms import Table

TABLES: dict[str, Table] = {}

"""The tables of this part."""

from crm_metrics.rooms import Table

TABLES: dict[str, Table] = {}

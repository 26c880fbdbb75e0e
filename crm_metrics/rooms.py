"""The rooms, and the tables each of them can print: what a page shows is what `python -m crm_metrics show` prints."""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType

import pandas as pd

from crm_metrics.database import Source
from crm_metrics.filters import Filters

Table = Callable[[Source, Filters], pd.DataFrame]
_MODULES = {
    "executive_kpis": "crm_metrics.executive_kpis",
    "segmentation": "crm_metrics.segmentation",
    "audience": "crm_metrics.audience",
    "profitability": "crm_metrics.profitability",
    "lifetime_value": "crm_metrics.lifetime_value",
    "retention": "crm_metrics.retention",
    "campaign_roi": "crm_metrics.campaign_roi",
    "pipeline": "crm_metrics.pipeline",
    "customer_360": "crm_metrics.customer_360",
    "data_import": "crm_metrics.data_import.room",
    "definitions": "crm_metrics.definitions",
    "demo": "crm_metrics.demo.room",
}
ROOM_NAMES = tuple(_MODULES)


def room(name: str) -> ModuleType:
    """Return the module of a room; it is imported when it is asked for, so that models load only where they are used."""
    return import_module(_MODULES[name])


def tables(name: str) -> dict[str, Table]:
    """Return the tables of a room by name, its tiles first: each takes a source and filters and gives a frame."""
    found: dict[str, Table] = room(name).TABLES
    return found

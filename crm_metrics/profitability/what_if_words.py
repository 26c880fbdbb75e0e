"""The sliders of the what-if, and what they would change in words."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from crm_metrics.language import t
from crm_metrics.metric import value_text
from crm_metrics.profitability.what_if import WhatIf

FIRST_SAVING, HIGHEST_SAVING = (
    10,
    50,
)  # percent off cost to serve: what the page opens with, so that there is something to see, and the most


class Slider(NamedTuple):
    """One slider: its label, what it shows at its right end and in the beginning, and its step."""

    label: str
    highest: int
    start: int
    step: int


def sliders(customers: pd.DataFrame, discounts: pd.DataFrame, *, currency: str) -> dict[str, Slider]:
    """Return the sliders that would move something; where they end is from the data: the steepest discount, a usual order.

    customers: the table of this name. discounts: the table steepest_discount.
    """
    found = {}
    if customers["cost_to_serve"].sum() > 0:
        found["cheaper"] = Slider(t("Serve cheaper by, %"), HIGHEST_SAVING, FIRST_SAVING, 5)
    steepest = math.ceil(round(100 * discounts["discount_share"].fillna(0.0).iloc[0]) / 5) * 5
    if steepest > 0:
        found["cap"] = Slider(t("Discounts at most, % ({top}: as today)", top=steepest), steepest, steepest, 1)
    orders = (customers["net_revenue"] / customers["orders"].where(customers["orders"] > 0)).dropna()
    if len(orders) and (usual := round_above(float(orders.median()))):
        label = t("Smallest order accepted ({currency})", currency=currency) if currency else t("Smallest order accepted")
        found["minimum"] = Slider(label, usual, 0 if found else usual // 5, max(usual // 50, 1))
    return found


def round_above(value: float) -> int:
    """Return the next round number, 1, 2 or 5 with zeros, not below `value`; 0 for nothing.

    >>> round_above(312.4)
    500
    """
    if not value > 0:
        return 0
    scale = 10 ** math.floor(math.log10(value))
    return max(1, math.ceil(next(step * scale for step in (1, 2, 5, 10) if step * scale >= value)))


def what_if_finding(scenarios: pd.DataFrame, change: WhatIf, *, currency: str) -> str:
    """Return what the change would bring. scenarios: the table what_if."""
    today, then = _scenarios(scenarios)
    if change == WhatIf():
        return t("Move a slider to see what it would change.")
    gained = then["profit"] - today["profit"]
    return t(
        "Profit would be {then} in place of {today} ({change}); {losing} customers would lose money in place of {before}.",
        then=value_text(then["profit"], "money", currency),
        today=value_text(today["profit"], "money", currency),
        change=("+" if gained > 0 else "") + value_text(gained, "money", currency),
        losing=f"{int(then['losing']):,}",
        before=f"{int(today['losing']):,}",
    )


def change_of(chosen: Mapping[str, int], offered: Mapping[str, Slider]) -> WhatIf:
    """Return the change that the sliders stand for. chosen: where they stand, by name."""
    cap = chosen.get("cap")
    return WhatIf(
        serve_cheaper=chosen.get("cheaper", 0) / 100,
        discount_cap=None if cap is None or cap == offered["cap"].highest else cap / 100,
        minimum_order=float(chosen.get("minimum", 0)),
    )


def _scenarios(scenarios: pd.DataFrame) -> tuple[dict[str, float], dict[str, float]]:
    """Return what today and then come to, by column."""
    rows = scenarios.set_index("scenario")[["profit", "losing"]].astype(float)
    return dict(rows.loc["today"]), dict(rows.loc["then"])

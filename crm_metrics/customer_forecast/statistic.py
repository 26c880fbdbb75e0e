"""From purchase histories to what the models are given, and from their answers to findings: what a purchase is worth, who is alive."""

import math
from typing import Literal, NamedTuple

import pandas as pd

from crm_metrics.purchase_model.model import Model
from crm_metrics.purchase_model.score import alive_by_construction

# With costs on 95% of the money, whatever the margin of the rest is moves the value by less than one part in twenty.
COSTS_NEEDED = 0.95
# Under a chance of 1% to leave, at each purchase or in a year, everyone is alive: the fit is at its edge and says nothing of leaving.
SMALLEST_LEAVING = 0.01
WEEKS_PER_YEAR = 52.18


class Basis(NamedTuple):
    """What value is counted in. cost_coverage: share of repeat net revenue whose cost is known; margin_share: of that part, NaN without."""

    kind: Literal["margin", "revenue"]
    cost_coverage: float
    margin_share: float


def value_basis(histories: pd.DataFrame) -> Basis:
    """Return margin where the costs of COSTS_NEEDED of the repeat revenue are known, else revenue.

    histories: repeat_net_revenue, repeat_costed_revenue, repeat_cost.

    >>> value_basis(pd.DataFrame({"repeat_net_revenue": [100.0], "repeat_costed_revenue": [100.0], "repeat_cost": [60.0]})).kind
    'margin'
    """
    net, costed, cost = (float(histories[name].sum()) for name in ("repeat_net_revenue", "repeat_costed_revenue", "repeat_cost"))
    coverage = costed / net if net > 0 else math.nan
    margin_share = (costed - cost) / costed if costed > 0 else math.nan
    return Basis("margin" if abs(1 - coverage) <= 1 - COSTS_NEEDED and costed > 0 else "revenue", coverage, margin_share)


def purchase_summary(histories: pd.DataFrame) -> pd.DataFrame:
    """Return `histories` with repeat_value_mean, the mean value of a repeat purchase day; NaN for one-time buyers.

    Value: net revenue, or margin, of all lines after the first purchase day up to the as-of date, returns and credit notes netted,
    divided by the repeat purchase days. The few lines without a cost, where margin is counted, earn the margin share of the others.
    It can be 0 or negative for one who returned everything: Gamma-Gamma leaves these out and counts them.
    """
    basis = value_basis(histories)
    net = histories["repeat_net_revenue"].astype(float)
    if basis.kind == "margin":
        costed = histories["repeat_costed_revenue"].astype(float)
        net = costed - histories["repeat_cost"].astype(float) + (net - costed) * basis.margin_share
    frequency = histories["frequency"].astype(float)
    return histories.assign(repeat_value_mean=net / frequency.where(frequency > 0))


def finds_leaving(model: Model) -> bool:
    """Return whether `model` has found that customers leave; if not, that all are alive is its assumption."""
    if model.name == "pareto_nbd":
        return model.params["s"] / model.params["beta"] * WEEKS_PER_YEAR >= SMALLEST_LEAVING
    return model.params["a"] / (model.params["a"] + model.params["b"]) >= SMALLEST_LEAVING


def found_alive(model: Model, customers: pd.DataFrame, alive: pd.Series) -> pd.Series:
    """Return `alive`, P(alive) per row of `customers` (frequency), with NaN where it is the model's assumption and no finding.

    So for one-time buyers under the BG/NBD, which lets nobody leave before a repeat purchase, and under any model that finds no leaving.
    """
    assumed = alive_by_construction(model, customers) | ((customers["frequency"] == 0) & (not finds_leaving(model)))
    return alive.where(model.converged & ~assumed)

"""Are those who earn us the money satisfied, and do they stay? Satisfaction x loyalty x profit, customer by customer.

Satisfaction is the mean of a customer's answers, up to the as-of date, to surveys of satisfaction, or of recommendation where nobody
answered one of those; who never answered is a level of its own. Loyalty is one plain rule on orders and days since the last one. Profit
is that of Profitability over the whole history; where costs are unknown gross margin or net revenue takes its place, and is named.
"""

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Select, and_, func, or_, select

from crm_metrics.customer_profit import customer_profits
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.intervals import wilson
from crm_metrics.language import noop
from crm_metrics.metric import BadInput
from crm_metrics.purchase_model.groups import Floats, Integers
from crm_metrics.schema import customer_facts, surveys
from crm_metrics.segmentation.clustering import habits, named, tile_frame
from crm_metrics.segmentation.group_metrics import AXES_METRICS, SATISFIED_SHARE
from crm_metrics.segmentation.statistic import share
from crm_metrics.segmentation.tables import as_of_day, choice

SATISFACTION = {
    "satisfied": noop("satisfied"),
    "middling": noop("middling"),
    "dissatisfied": noop("dissatisfied"),
    "unknown": noop("never answered"),
}
LOYALTY = {"one_time": noop("bought once"), "occasional": noop("occasional or lapsed"), "loyal": noop("loyal")}
PROFIT = {"loses": noop("loses money"), "little": noop("earns little"), "most": noop("earns most")}
AXES = {"satisfaction": tuple(SATISFACTION), "loyalty": tuple(LOYALTY), "profit_level": tuple(PROFIT)}
_SATISFIED, _DISSATISFIED, _LOYAL, _MOST = 0, 2, 2, 2  # places in them
KINDS = ("satisfaction", "recommendation")  # of surveys; the first that anybody answered
ProfitBasis = Literal["profit", "gross_margin", "net_revenue"]


@dataclass(frozen=True)
class AxesTerms:
    """The cut points, which the reader may choose.

    satisfaction (1 to 5), recommendation (0 to 10; Reichheld 2003: detractors under 7, promoters from 9): a mean answer from the first
    on is middling, from the second on satisfied. loyal_orders, loyal_days: loyal customers have bought at least so often, the last time
    at most so many days ago. best_share: of customers by profit, who earn most.
    """

    satisfaction: tuple[float, float] = (3.0, 4.0)
    recommendation: tuple[float, float] = (7.0, 9.0)
    loyal_orders: int = 4
    loyal_days: int = 365
    best_share: float = 0.2

    @classmethod
    def of_inputs(cls, answers: tuple[float, float], orders: int, days: int, best_percent: float) -> "AxesTerms":
        """Return the terms as a reader types them. answers: middling and satisfied from, of whichever survey was answered."""
        return cls(answers, answers, orders, days, best_percent / 100)

    def __post_init__(self) -> None:
        """Refuse cut points that leave a level to nobody."""
        for low, high in (self.satisfaction, self.recommendation):
            if not low < high:
                raise BadInput("Middling from {low}, satisfied from {high}: the second must be the larger. Raise it.", low=low, high=high)
        if self.loyal_orders < 2 or not 0 < self.best_share < 1:
            raise BadInput(
                "{orders} orders and {share} of the customers can't be cut points. Choose 2 orders or more, and a share from 1% to 99%.",
                orders=self.loyal_orders,
                share=f"{self.best_share:.0%}",
            )


USUAL = AxesTerms()

# ── query ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def survey_scores(as_of: date) -> Select[Any]:
    """One row per kind of survey and customer invited up to `as_of`: survey_kind, customer_number, answers, score_sum (of the answers).

    An invitation or answer without a day counts.
    """
    asked = surveys.c
    is_answer = and_(asked.score.is_not(None), or_(asked.answered_on <= as_of, asked.answered_on.is_(None)))
    return (
        select(
            asked.survey_kind,
            customer_facts.c.customer_number,
            func.count().filter(is_answer).label("answers"),
            func.coalesce(func.sum(asked.score).filter(is_answer), 0).label("score_sum"),
        )
        .join_from(surveys, customer_facts, customer_facts.c.customer_id == asked.customer_id)
        .where(asked.survey_kind.in_(KINDS), or_(asked.invited_on <= as_of, asked.invited_on.is_(None)))
        .group_by(asked.survey_kind, customer_facts.c.customer_number)
        .order_by(asked.survey_kind, customer_facts.c.customer_number)
    )


# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Placed(NamedTuple):
    """Every customer on three axes.

    customers: customer_number, orders, days_since_last_order, net_revenue, satisfaction_score (mean answer; NaN: none), profit, and
    satisfaction, loyalty, profit_level (places in AXES). survey_kind: empty without an answer; invited: customers among them.
    """

    customers: pd.DataFrame
    survey_kind: str
    invited: int
    profit_basis: ProfitBasis


def placed(habits: pd.DataFrame, scores: pd.DataFrame, profits: pd.DataFrame, terms: AxesTerms) -> Placed:
    """Return customers on the axes. habits: see clustering.with_habits; scores: see survey_scores; profits: customer_profits."""
    numbers = habits["customer_number"]
    asked = scores[scores["customer_number"].isin(numbers)]
    kind = next((kind for kind in KINDS if asked.loc[asked["survey_kind"] == kind, "answers"].sum() > 0), "")
    answered = asked[asked["survey_kind"] == kind].set_index("customer_number")
    score = (answered["score_sum"] / answered["answers"].where(answered["answers"] > 0)).reindex(numbers).to_numpy(dtype=float)
    basis = _basis(profits)
    known = profits.dropna(subset="customer_number").set_index("customer_number")[basis]
    profit = known.reindex(numbers).to_numpy(dtype=float) if basis != "net_revenue" else habits["net_revenue"].to_numpy(dtype=float)
    customers = habits[["customer_number", "orders", "days_since_last_order", "net_revenue"]].assign(
        satisfaction_score=score,
        profit=profit,
        satisfaction=satisfaction_levels(score, terms.recommendation if kind == "recommendation" else terms.satisfaction),
        loyalty=loyalty_levels(habits["orders"].to_numpy(), habits["days_since_last_order"].to_numpy(), terms),
        profit_level=profit_levels(profit, terms.best_share),
    )
    return Placed(customers, kind, len(answered), basis)


def _basis(profits: pd.DataFrame) -> ProfitBasis:
    if not profits["profit"].notna().any():
        return "net_revenue"
    return "profit" if profits[["cost_to_serve", "marketing"]].notna().to_numpy().any() else "gross_margin"


def satisfaction_levels(scores: Floats, cuts: tuple[float, float]) -> Integers:
    """Return places in SATISFACTION.

    >>> satisfaction_levels(np.array([5.0, 4.0, 3.5, 2.9, np.nan]), (3.0, 4.0)).tolist()
    [0, 0, 1, 2, 3]
    """
    return np.where(np.isnan(scores), 3, 2 - np.searchsorted(cuts, scores, side="right"))


def loyalty_levels(orders: Integers, days_since_last_order: Integers, terms: AxesTerms) -> Integers:
    """Return places in LOYALTY.

    >>> loyalty_levels(np.array([1, 3, 4, 4]), np.array([9, 9, 365, 366]), USUAL).tolist()
    [0, 1, 2, 1]
    """
    is_loyal = (orders >= terms.loyal_orders) & (days_since_last_order <= terms.loyal_days)
    return np.where(is_loyal, 2, np.where(orders > 1, 1, 0))


def profit_levels(profit: Floats, best_share: float) -> Integers:
    """Return places in PROFIT: equal profits have equal places, so ties may make those who earn most a little more than their share.

    >>> profit_levels(np.array([-1.0, 0.0, 2.0, 3.0, 3.0]), 0.2).tolist()
    [0, 1, 1, 2, 2]
    """
    if not len(profit):
        return np.zeros(0, dtype=np.int64)
    least = np.quantile(-profit, best_share, method="inverted_cdf")
    return np.where(profit < 0, 0, np.where((-profit <= least) & (profit > 0), 2, 1))


def cell_rows(customers: pd.DataFrame) -> pd.DataFrame:
    """Return one row per cell of the three axes: see the table `axes`. customers: see Placed."""
    sizes = [len(levels) for levels in AXES.values()]
    cell = np.ravel_multi_index([customers[axis].to_numpy() for axis in AXES], sizes)
    count = int(np.prod(sizes))
    sums = {
        "customers": np.bincount(cell, minlength=count),
        **{name: np.bincount(cell, weights=customers[name].astype(float), minlength=count) for name in ("net_revenue", "profit")},
    }
    levels = pd.MultiIndex.from_product(list(AXES.values()), names=list(AXES)).to_frame(index=False)
    shares = {f"{name}_share": [share(float(part), float(values.sum())) for part in values] for name, values in sums.items()}
    columns = [column for name in sums for column in (name, f"{name}_share")]
    return levels.assign(**sums, **shares)[[*AXES, *columns]]


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def on_axes(source: Source, chosen: Filters, as_of: date, terms: AxesTerms) -> Placed:
    """Return every customer on the three axes; ask by source.remember."""
    profits = source.remember(customer_profits, replace(chosen, end=as_of))
    return placed(source.remember(habits, chosen, as_of), source(survey_scores(as_of)), profits, terms)


def _placed(source: Source, filters: Filters, terms: AxesTerms) -> Placed:
    as_of = as_of_day(source, filters)
    return source.remember(on_axes, choice(filters, as_of), as_of, terms)


def axes_queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    """Return the query of satisfaction, to be shown; orders and profit are those of Clusters and of Profitability."""
    return (survey_scores(as_of_day(source, filters)),)


def axes(source: Source, filters: Filters, terms: AxesTerms = USUAL) -> pd.DataFrame:
    """Return one row per cell, 36, empty ones too, so that the parts add up to all customers with a purchase up to the as-of date.

    satisfaction ('satisfied', 'middling', 'dissatisfied', 'unknown'), loyalty ('one_time', 'occasional', 'loyal'), profit_level
    ('loses', 'little', 'most'), customers, customers_share, net_revenue, net_revenue_share, profit, profit_share (NaN without a
    positive whole). Profit is what axes_basis says.
    """
    return cell_rows(_placed(source, filters, terms).customers)


def axes_tiles(source: Source, filters: Filters, terms: AxesTerms = USUAL) -> pd.DataFrame:
    """Return the tiles of the axes: metric, value, low, high (95%, of the satisfied; the others are no samples), unit, n (customers)."""
    found = _placed(source, filters, terms)
    customers = found.customers
    answered, satisfied = int(customers["satisfaction_score"].notna().sum()), int((customers["satisfaction"] == _SATISFIED).sum())
    to_call = customers[(customers["satisfaction"] == _DISSATISFIED) & (customers["profit_level"] == _MOST)]
    values = (
        share(answered, found.invited),
        share(satisfied, answered),
        share(int((customers["loyalty"] == _LOYAL).sum()), len(customers)),
        float(to_call["profit"].sum()) if answered else math.nan,
    )
    tiles = tile_frame(AXES_METRICS, values, len(customers))
    tiles.loc[tiles["metric"] == SATISFIED_SHARE.name, ["low", "high", "n"]] = (*wilson(satisfied, answered), answered)
    return tiles


def axes_basis(source: Source, filters: Filters, terms: AxesTerms = USUAL) -> pd.DataFrame:
    """Return one row: as_of, customers, survey_kind ('satisfaction', 'recommendation', '': nobody answered), invited, answered
    (customers), middling_from, satisfied_from, loyal_orders, loyal_days, best_share, profit_basis ('profit', 'gross_margin',
    'net_revenue').
    """
    found = _placed(source, filters, terms)
    low, high = terms.recommendation if found.survey_kind == "recommendation" else terms.satisfaction
    row = {
        "as_of": pd.Timestamp(as_of_day(source, filters)),
        "customers": len(found.customers),
        "survey_kind": found.survey_kind,
        "invited": found.invited,
        "answered": int(found.customers["satisfaction_score"].notna().sum()),
        "middling_from": low,
        "satisfied_from": high,
        "loyal_orders": terms.loyal_orders,
        "loyal_days": terms.loyal_days,
        "best_share": terms.best_share,
        "profit_basis": found.profit_basis,
    }
    return pd.DataFrame([row])


def axes_customers(source: Source, filters: Filters, terms: AxesTerms = USUAL) -> pd.DataFrame:
    """Return one row per customer, the highest net revenue first: customer_id, customer_name, the levels of AXES, satisfaction_score,
    orders, days_since_last_order, net_revenue, profit.
    """
    found = _placed(source, filters, terms).customers
    levels = {axis: np.array(names)[found[axis].to_numpy()] for axis, names in AXES.items()}
    columns = ["customer_id", "customer_name", *AXES, "satisfaction_score", "orders", "days_since_last_order", "net_revenue", "profit"]
    return named(source, filters, found.assign(**levels))[columns]

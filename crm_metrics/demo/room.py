"""Which numbers made these data, and would the dashboard find them?

Everything here is about the whole data set: what is true of a demo does not change with a period.
"""

import json
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from sqlalchemy import Select, and_, case, func, select

from crm_metrics import figures
from crm_metrics.database import Source
from crm_metrics.demo import truth
from crm_metrics.export import safe_label
from crm_metrics.filters import Filters
from crm_metrics.language import noop, t
from crm_metrics.metric import Metric, ratio, tile
from crm_metrics.purchase_model.gate import data_gate
from crm_metrics.purchase_model.model import PARAMETERS, Model, unfitted
from crm_metrics.sales import extent
from crm_metrics.schema import customer_records, customers, demo_customers, demo_truth
from crm_metrics.scope import Scope, visible_orders

# ── query ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def held() -> Select[Any]:
    """One row: records, true_customers (test accounts left out), true_records, left (true customers gone for good), tests, stated."""
    known = demo_customers.c
    is_customer = known.is_test.is_not(True)
    stated = select(func.count()).select_from(demo_truth).scalar_subquery()
    return select(
        func.count().label("records"),
        func.count(known.true_customer_id.distinct()).label("true_records"),
        func.count(case((is_customer, known.true_customer_id)).distinct()).label("true_customers"),
        func.count(case((and_(is_customer, known.left_on.is_not(None)), known.true_customer_id)).distinct()).label("left"),
        func.count(case((known.is_test, known.true_customer_id)).distinct()).label("tests"),
        stated.label("stated"),
    ).select_from(demo_customers)


def channel_histories(scope: Scope) -> Select[Any]:
    """One row per customer with a purchase, test accounts left out: customer_id, channel (how the customer was won), first_on, last_on.

    frequency: purchase days after the first. repeat_revenue: amount of the lines sold on these days, returns not taken off, because
    the stated values of orders are before returns.
    """
    orders = visible_orders(scope)
    rows = orders.c
    is_repeat, begins_day = rows.ordered_on > rows.first_purchase_on, func.coalesce(rows.previous_purchase_on < rows.ordered_on, True)
    who, channel, first_on = rows.customer_id, customers.c.acquisition_channel.label("channel"), rows.first_purchase_on.label("first_on")
    return (
        select(
            who,
            channel,
            first_on,
            func.max(rows.ordered_on).label("last_on"),
            (func.sum(case((begins_day, 1), else_=0)) - 1).label("frequency"),
            func.sum(case((is_repeat, rows.gross_revenue), else_=0)).label("repeat_revenue"),
        )
        .join_from(orders, customers, customers.c.customer_id == who)
        .join(demo_customers, demo_customers.c.customer_id == who)
        .where(rows.purchase_number.is_not(None), demo_customers.c.is_test.is_not(True), channel.is_not(None))
        .group_by(who, channel, first_on)
        .order_by(who)
    )


def records_of_one() -> Select[Any]:
    """One row per record of a customer with several: true_customer_id, customer_id, customer_name, source_system."""
    known = demo_customers.c
    several = (
        select(known.true_customer_id)
        .group_by(known.true_customer_id)
        .having(func.count() > 1)
        .order_by(known.true_customer_id)
        .cte("several")
    )
    systems = (
        select(customer_records.c.customer_id, func.max(customer_records.c.source_system).label("source_system"))
        .group_by(customer_records.c.customer_id)
        .cte("systems")
    )
    return (
        select(known.true_customer_id, known.customer_id, customers.c.customer_name, systems.c.source_system)
        .join_from(demo_customers, several, several.c.true_customer_id == known.true_customer_id)
        .outerjoin(customers, customers.c.customer_id == known.customer_id)
        .outerjoin(systems, systems.c.customer_id == known.customer_id)
        .order_by(known.true_customer_id, known.customer_id)
    )


# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────

TRUE_CUSTOMERS = Metric(
    "true_customers",
    noop("True customers"),
    "count",
    "neither",
    noop("Different customers that were simulated, the test account left out."),
)
RECORDS = Metric("records", noop("Customer records"), "count", "neither", noop("Customers as the data name them, in both source systems."))
DOUBLES = Metric(
    "doubles",
    noop("Second records"),
    "count",
    "lower",
    noop("Customer records less the different customers behind them: those that a perfect matching would join."),
)
LEFT_SHARE = Metric(
    "left_share",
    noop("Left for good"),
    "share",
    "lower",
    noop("True customers who will never order again / all true customers: what the models of P(alive) try to find out."),
)
TEST_ACCOUNTS = Metric(
    "test_accounts", noop("Test accounts"), "count", "neither", noop("Accounts of the shop's own staff, with many orders of 1 CNY each.")
)
STATED = Metric(
    "stated_parameters",
    noop("Stated numbers"),
    "count",
    "neither",
    noop("Parameters that made the data, each counted once per channel, campaign or stage it is stated for."),
)
METRICS = (TRUE_CUSTOMERS, RECORDS, DOUBLES, LEFT_SHARE, TEST_ACCOUNTS, STATED)

FOUND_PARAMETERS = (*PARAMETERS["bg_nbd"], *PARAMETERS["gamma_gamma"])
_NORMAL_95 = 1.959964
_FOUND = ("channel", "parameter", "estimate", "standard_error", "low", "high", "customers", "repeaters")


def counted(totals: pd.DataFrame) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high, unit, n, from the one row of `held`."""
    row = totals.iloc[0]
    values = {
        TRUE_CUSTOMERS: (row.true_customers, row.records),
        RECORDS: (row.records, row.records),
        DOUBLES: (row.records - row.true_records, row.records),
        LEFT_SHARE: (ratio(row.left, row.true_customers), row.true_customers),
        TEST_ACCOUNTS: (row.tests, row.records),
        STATED: (row.stated, row.stated),
    }
    return pd.DataFrame([tile(metric, value, int(n)) for metric, (value, n) in values.items()])


def summaries(histories: pd.DataFrame, last_on: pd.Timestamp) -> pd.DataFrame:
    """Return `histories` as the purchase models take them: frequency, recency_days, age_days and repeat_value_mean, on `last_on`."""
    frequency = histories["frequency"].astype(float)
    return histories.assign(
        recency_days=(histories["last_on"] - histories["first_on"]).dt.days,
        age_days=(last_on - histories["first_on"]).dt.days,
        repeat_value_mean=histories["repeat_revenue"].astype(float) / frequency.where(frequency > 0),
    )


def estimates(channel: str, summary: pd.DataFrame) -> pd.DataFrame:
    """Return what the purchase models find for one channel: channel, parameter, estimate, standard_error, low, high, customers, repeaters.

    low, high: 95% interval, normal for the logarithm of the parameter. NaN where the customers are too few for a model.
    """
    models = fitted(summary)
    rows = [(channel, name, model.params[name], model.standard_errors[name]) for model in models for name in PARAMETERS[model.name]]
    frame = pd.DataFrame(rows, columns=["channel", "parameter", "estimate", "standard_error"])
    reach = np.exp(_NORMAL_95 * frame["standard_error"] / frame["estimate"])
    return frame.assign(
        low=frame["estimate"] / reach,
        high=frame["estimate"] * reach,
        customers=len(summary),
        repeaters=int((summary["frequency"] > 0).sum()),
    )


def fitted(summary: pd.DataFrame) -> tuple[Model, Model]:
    """Return BG/NBD and Gamma-Gamma of `summary`; unknown ones where the data do not carry a model."""
    from crm_metrics.purchase_model.fit import fit_bg_nbd, fit_gamma_gamma

    if data_gate(summary).verdict == "none":
        return unfitted("bg_nbd", customers=len(summary)), unfitted("gamma_gamma", customers=len(summary))
    bg_nbd, gamma_gamma = fit_bg_nbd(summary), fit_gamma_gamma(summary)
    return (bg_nbd if bg_nbd.converged else unfitted("bg_nbd", customers=len(summary))), gamma_gamma


def beside_truth(stated: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return one row per channel and parameter of the purchase models, the channel with most customers first.

    channel, parameter, true_value, estimate, standard_error, low, high, is_inside (the truth lies in the interval; empty where there is
    no estimate), customers, repeaters.
    """
    rows = stated[stated["parameter"].isin(FOUND_PARAMETERS)].rename(columns={"subject": "channel"})
    merged = rows[["channel", "parameter", "true_value"]].merge(found, on=["channel", "parameter"], how="left")
    order = merged["parameter"].map({name: place for place, name in enumerate(FOUND_PARAMETERS)})
    merged = merged.assign(order=order, fewest=-merged["customers"].fillna(0).astype(int))
    merged = merged.sort_values(["fewest", "channel", "order"], kind="stable", ignore_index=True).drop(columns=["order", "fewest"])
    is_inside = merged["true_value"].between(merged["low"], merged["high"]).astype("boolean")
    merged.insert(7, "is_inside", is_inside.mask(merged["low"].isna()))
    return merged.assign(**{name: merged[name].fillna(0).astype(int) for name in ("customers", "repeaters")})


def pairs(records: pd.DataFrame) -> pd.DataFrame:
    """Return one row per second record, beside the customer's first one.

    true_customer_id, customer_id, customer_name, source_system, second_customer_id, second_customer_name, second_source_system.
    """
    is_second = records["true_customer_id"].duplicated()
    second = records[is_second].rename(columns={name: f"second_{name}" for name in ("customer_id", "customer_name", "source_system")})
    return records[~is_second].merge(second, on="true_customer_id")


# ── figure ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

_TICKS, _FINE_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10), (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2)
_WIDE = 4.0  # from here on the coarse ticks: highest bound as a multiple of the lowest
_WHISKER = {"color": figures.GREY, "thickness": 1.5, "width": 0}
_ROW_HEIGHT, _SPREAD = 52, 0.5  # pixels for a channel; how much of it the parameters of one channel take up


def estimate_dots(found: pd.DataFrame, parameters: tuple[str, ...]) -> go.Figure:
    """Return the estimates of some parameters as multiples of the truth, with 95% intervals, a row for each channel.

    A filled dot: the truth lies in the interval; a hollow one: it lies outside.
    """
    channels = list(found["channel"].unique())[::-1]
    figure = figures.base(x_title=t("Estimate as a multiple of the truth"), y_title="", height=90 + _ROW_HEIGHT * len(channels))
    for place, parameter in enumerate(parameters):
        shown = found[(found["parameter"] == parameter) & found["estimate"].notna()]
        offset = _SPREAD * (0.5 - (place + 0.5) / len(parameters))
        ratio, low, high = (shown[name] / shown["true_value"] for name in ("estimate", "low", "high"))
        color = figures.SERIES[place]
        symbols = np.where(shown["is_inside"].fillna(value=False), "circle", "circle-open")
        figure.add_scatter(
            x=ratio,
            y=shown["channel"].map(channels.index) + offset,
            mode="markers",
            name=parameter,
            marker={"size": 10, "color": color, "symbol": symbols, "line": {"width": 2}},
            error_x={"type": "data", "array": high - ratio, "arrayminus": ratio - low, **_WHISKER},
            customdata=shown[["true_value", "estimate", "low", "high"]],
            hovertemplate=_hover(),
        )
    figure.add_vline(x=1, line={"color": figures.GREY, "width": 1.5, "dash": "dot"})
    figures.add_label(figure, 0, len(channels) - 0.45, t("truth"))
    figure.update_layout(showlegend=True)
    ticks = _ticks(found[found["parameter"].isin(parameters)])
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    labels = [safe_label(name) for name in channels]
    figure.update_yaxes(
        tickvals=list(range(len(channels))), ticktext=labels, range=[-0.6, len(channels) - 0.3], showgrid=False, zeroline=False
    )
    return figure


def _ticks(shown: pd.DataFrame) -> tuple[float, ...]:
    lowest, highest = (shown["low"] / shown["true_value"]).min(), (shown["high"] / shown["true_value"]).max()
    return _TICKS if not highest < lowest * _WIDE else _FINE_TICKS


def _hover() -> str:
    numbers = t("truth {true}, estimate {estimate} ({low} to {high})", true="%{customdata[0]:.3~g}", **_estimates_in_hover())
    return numbers + "<extra>%{fullData.name}</extra>"


def _estimates_in_hover() -> dict[str, str]:
    return {name: f"%{{customdata[{place}]:.3~g}}" for place, name in enumerate(("estimate", "low", "high"), 1)}


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def tiles(source: Source, _filters: Filters) -> pd.DataFrame:
    """Return what was simulated: metric, value, low, high, unit, n."""
    return counted(source(held()))


def stated_truth(source: Source, _filters: Filters) -> pd.DataFrame:
    """Return one row per stated parameter and subject: topic, parameter, label, subject, value, text, unit."""
    frame = source(truth.truth())
    names = list(zip(frame["topic"], frame["parameter"], strict=True))
    return pd.DataFrame(
        {
            "topic": frame["topic"],
            "parameter": frame["parameter"],
            "label": [truth.label_of(*name) for name in names],
            "subject": frame["subject"],
            "value": frame["true_value"].astype(float),
            "text": frame["true_text"],
            "unit": [truth.unit_of(*name) for name in names],
        }
    )


def found(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the stated parameters of the purchase models beside what a fit of the data finds: see beside_truth."""
    stated = source(truth.truth())
    stated = stated[stated["topic"] == truth.PURCHASES]
    histories = source(channel_histories(filters.scope)).sort_values("customer_id", ignore_index=True)
    last_on = source(extent(filters.scope))["last_on"].iloc[0]
    parts = [estimates(str(channel), rows) for channel, rows in summaries(histories, last_on).groupby("channel")] if len(histories) else []
    return beside_truth(stated, pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(_FOUND)))


def doubles(source: Source, _filters: Filters) -> pd.DataFrame:
    """Return one row per second record of a customer, beside the first one: see pairs."""
    return pairs(source(records_of_one()))


def as_json_text(source: Source, _filters: Filters) -> str:
    """Return the truth as `python -m crm_metrics demo --truth` prints it."""
    return json.dumps(truth.as_json(source(truth.truth())), ensure_ascii=False, indent=2)


TABLES = {"tiles": tiles, "truth": stated_truth, "found": found, "doubles": doubles}

"""From the source to the tables of the customer's page; the models are shared with other rooms, fitted once for all."""

import math
from datetime import date

import pandas as pd

from crm_metrics.customer_360 import query, statistic
from crm_metrics.customer_360.habits import habits as found_habits
from crm_metrics.customer_forecast import forecast
from crm_metrics.customer_forecast.statistic import finds_leaving
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.purchase_model.score import probability_alive_path
from crm_metrics.rooms import Table
from crm_metrics.sales import extent
from crm_metrics.scope import Scope

_TERMS = forecast.Terms()


def whole_history(filters: Filters, last_on: date | None) -> Filters:
    """Return the filters this room asks with: one customer, every day up to the as-of date, at most the last of the data."""
    end = min(filters.today or last_on, last_on) if last_on else filters.today
    return Filters(end=end, customer=filters.customer.strip(), scope=filters.scope)


def asked(source: Source, filters: Filters) -> Filters:
    """Return the filters this room asks with: one customer, every day up to the as-of date, within the scope.

    Raises BadInput if no customer is named.
    """
    if not filters.customer.strip():
        raise BadInput("No customer is chosen. Search by number or name on the page, or add --customer NUMBER to the command.")
    return _up_to_today(source, filters)


def _up_to_today(source: Source, filters: Filters) -> Filters:
    last_on = source(extent(filters.scope)).iloc[0]["last_on"]
    return whole_history(filters, None if pd.isna(last_on) else last_on.date())


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def profile(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row: who the customer is (see query.customer_profile), and days_since_last_order.

    Raises BadInput if there is no such customer, or none that this reader may see.
    """
    one = asked(source, filters)
    found = source(query.customer_profile(one))
    if found.empty:
        raise BadInput("There is no customer {customer!r} in these data up to this day. Search by number or name.", customer=one.customer)
    today = pd.to_datetime(pd.Series([one.end] * len(found), index=found.index))
    return found.assign(days_since_last_order=(today - pd.to_datetime(found["last_on"])).dt.days.astype(float))


def orders(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per order of the customer, the latest first: see query.customer_orders."""
    profile(source, filters)
    return source(query.customer_orders(asked(source, filters)))


def order_lines(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per order line of the customer, the latest order first: see query.customer_order_lines."""
    profile(source, filters)
    return source(query.customer_order_lines(asked(source, filters)))


def habits(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per habit of the customer that there is enough to tell: see habits.habits."""
    return found_habits(orders(source, filters), order_lines(source, filters))


def tiles(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high, unit, n (orders, costed lines or intervals it is counted over)."""
    return statistic.customer_tiles(orders(source, filters), today=asked(source, filters).end)


def next_order(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row: when the next order is due: see statistic.NextOrder."""
    one = asked(source, filters)
    days = statistic.purchase_days(orders(source, filters))
    base = source.remember(base_usual_days, one.scope, one.end)
    due = statistic.next_order(days, base_usual_days=base, today=one.end or date.min)
    frame = pd.DataFrame([due])
    return frame.assign(last_on=pd.to_datetime(frame["last_on"]), due_on=pd.to_datetime(frame["due_on"]))


def alive(source: Source, filters: Filters) -> pd.DataFrame:
    """Return P(alive) of the customer over time, by the MBG/NBD: see statistic.alive_over_time.

    Empty without a purchase, without a model, and where the model finds no leaving: that all are alive is then its assumption.
    """
    one = asked(source, filters)
    days = statistic.purchase_days(orders(source, filters))
    model = source.remember(forecast.fitted, one.scope, one.end).models["mbg_nbd"] if one.end and days else None
    if model is None or one.end is None or not model.converged or not finds_leaving(model):
        return pd.DataFrame({"day": pd.to_datetime([]), "probability_alive": pd.Series(dtype=float), "is_purchase": pd.Series(dtype=bool)})
    path = probability_alive_path(model, [day.toordinal() for day in days], until_day=one.end.toordinal())
    return statistic.alive_over_time(path, bought_on=days)


def value(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row: what is expected of the customer in 12 months, by the models of `customer_forecast`.

    as_of, horizon_months, discount_rate_per_year, frequency (repeat purchase days), alive_bg_nbd (unknown for a one-time buyer),
    alive_mbg_nbd, alive_pareto_nbd, expected_purchases, expected_value (BG/NBD), expected_value_lowest and _highest (of the three
    models), basis ('margin', 'revenue'), customers, repeaters, history_days and verdict of the data, finds_leaving (whether the MBG/NBD
    finds that customers leave). Unknown without a model.
    """
    profile(source, filters)
    one = asked(source, filters)
    if one.end is None:
        return pd.DataFrame(columns=[*_GIVEN, *_FORECAST, *_DATA])
    made = source.remember(forecast.fitted, one.scope, one.end)
    every = source.remember(forecast.valued, one.scope, one.end, _TERMS)
    own = every[every["customer_id"] == one.customer]
    expected = own.iloc[0][list(_FORECAST)].to_dict() if len(own) else dict.fromkeys(_FORECAST, math.nan)
    given = (pd.Timestamp(one.end), _TERMS.horizon_months, _TERMS.discount_rate_per_year)
    leaving = made.models["mbg_nbd"].converged and finds_leaving(made.models["mbg_nbd"])
    data = (made.basis.kind, made.gate.customers, made.gate.repeaters, made.gate.history_days, made.gate.verdict, leaving)
    return pd.DataFrame([dict(zip(_GIVEN, given, strict=True)) | expected | dict(zip(_DATA, data, strict=True))])


_GIVEN = ("as_of", "horizon_months", "discount_rate_per_year")
_FORECAST = (
    *("frequency", "alive_bg_nbd", "alive_mbg_nbd", "alive_pareto_nbd"),
    *("expected_purchases", "expected_value", "expected_value_lowest", "expected_value_highest"),
)
_DATA = ("basis", "customers", "repeaters", "history_days", "verdict", "finds_leaving")


def base_usual_days(source: Source, scope: Scope, today: date | None) -> float:
    """Return the median days between two purchase days over all intervals of all customers up to `today`; NaN without any."""
    return float(source(query.base_intervals(Filters(end=today, scope=scope))).iloc[0]["usual_days"])


# ── search ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def matches(source: Source, filters: Filters, words: str = "") -> pd.DataFrame:
    """Return the customers whose number or name contains `words`: see query.customer_matches; without words the latest buyers."""
    return source(query.customer_matches(_up_to_today(source, filters), words.strip()))


def only_match(found: pd.DataFrame, words: str) -> str:
    """Return the number of the customer that was meant without doubt: the only match, or the one whose number it is; else ""."""
    if not words.strip() or found.empty:
        return ""
    first = str(found.iloc[0]["customer_id"])
    return first if len(found) == 1 or first == words.strip() else ""


TABLES: dict[str, Table] = {
    "tiles": tiles,
    "profile": profile,
    "orders": orders,
    "order_lines": order_lines,
    "habits": habits,
    "next_order": next_order,
    "alive": alive,
    "value": value,
}

"""The finding in words, made from the numbers."""

from typing import Any

import numpy as np
import pandas as pd
from babel.numbers import format_currency

from crm_metrics.executive_kpis.metrics import GROSS_REVENUE_IDENTIFIED, METRICS, NET_REVENUE, NET_REVENUE_IDENTIFIED, ORDERS_PER_CUSTOMER
from crm_metrics.executive_kpis.statistic import NO_COMPARISON, costed_share
from crm_metrics.executive_kpis.why import FACTORS, PART_LABELS
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.language import date_text, locale, noop, t
from crm_metrics.metric import Unit, change_text, value_text
from crm_metrics.periods import Period, compared_period, whole_months

NO_MOVE = 0.005  # below half a percent a change is printed as "about the same": the tile would show 0.x %
HUNDRED, MILLION = 100, 1e6
MOST = 0.5  # a part that is more than half of the change is "most of it"
CAUSES: dict[tuple[str, bool], str] = {  # (part, it raised revenue)
    ("customers", True): noop("more customers ordered ({change})"),
    ("customers", False): noop("fewer customers ordered ({change})"),
    ("orders_per_customer", True): noop("customers ordered more often ({change})"),
    ("orders_per_customer", False): noop("customers ordered less often ({change})"),
    ("revenue_per_order", True): noop("an order brought more ({change})"),
    ("revenue_per_order", False): noop("an order brought less ({change})"),
    ("customer_unknown", True): noop("sales without a known customer rose ({change})"),
    ("customer_unknown", False): noop("sales without a known customer fell ({change})"),
}

STEP_LABELS: dict[str, str] = {
    "gross_revenue": noop("Sold, after discounts"),
    "returns": noop("less returns and credits"),
    "net_revenue": NET_REVENUE.label,
    "revenue_customer_unknown": noop("less sales without a known customer"),
    "net_revenue_identified": NET_REVENUE_IDENTIFIED.label,
    "returns_identified": noop("their returns and credits added back"),
    "gross_revenue_identified": GROSS_REVENUE_IDENTIFIED.label,
}
_PART_UNITS: dict[str, Unit] = {
    "customers": "count",
    "orders_per_customer": ORDERS_PER_CUSTOMER.unit,
    "revenue_per_order": "money_per_order",
}


def finding(comparison: pd.DataFrame, parts: pd.DataFrame, *, filters: Filters, held: Period | None, currency: str) -> str:
    """Return the sentence at the top of the page: net revenue, its change, and the part that explains most of it.

    held: first and last day of the data; None without data. Where there is no comparison the sentence says why.
    """
    if held is None:
        return t("There are no orders yet.")
    row: Any = comparison.set_index("metric").loc["net_revenue"]
    words = {"value": whole_money(row["value"], currency), "period": period_text(filters, held)}
    if row["reason"] or np.isnan(row["change"]):
        reason = no_comparison_text(str(row["reason"]), filters, held) or t(
            "There were no sales in the period before, so there is no change in percent."
        )
        return t("{first} {second}", first=t("Net revenue was {value} {period}.", **words), second=reason)
    base = base_text(filters)
    if abs(row["change"]) < NO_MOVE:
        return t("Net revenue was {value} {period}, about the same as {base}.", **words, base=base)
    text = (
        noop("Net revenue was {value} {period}, up {change} on {base}")
        if row["change"] > 0
        else noop("Net revenue was {value} {period}, down {change} on {base}")
    )
    return t(text, **words, change=value_text(abs(row["change"]), "share"), base=base) + _cause(parts) + t(".")


def whole_money(amount: float, currency: str) -> str:
    """Return an amount as it reads in a sentence: without the small change from 100 on, shortened from a million on.

    >>> whole_money(136_254.05, "USD")
    '$136,254'
    """
    if not HUNDRED <= abs(amount) < MILLION:
        return value_text(amount, "money", currency)
    return format_currency(amount, currency or "XXX", format="¤#,##0" if currency else "#,##0", currency_digits=False, locale=locale())


def _cause(parts: pd.DataFrame) -> str:
    """Return "; most of it because …" for the part that moved revenue furthest in the direction it went; "" where there is none."""
    whole = float(parts.loc[parts["part"] == "net_revenue", "effect"].iloc[0])
    causes = parts[parts["part"].isin([*FACTORS, "customer_unknown"])].dropna(subset=["effect", "share_of_change"])
    if not whole or causes.empty:
        return ""
    main: Any = causes.sort_values("share_of_change", kind="stable").iloc[-1]
    cause = t(CAUSES[str(main["part"]), bool(main["effect"] > 0)], change=change_text(main["change"]))
    share = main["share_of_change"]
    text = noop("; most of it because {cause}") if share > MOST else noop("; the largest part of it because {cause}")
    return t(text, cause=cause)


def period_text(filters: Filters, held: Period) -> str:
    """Return the period as it stands in a sentence."""
    period = Period(filters.start or held.start, filters.end or held.end)
    months = whole_months(period)
    if filters.start and filters.end and months > 1:
        return t("in the {n} months to {end}", n=months, end=date_text(period.end))
    return t("from {start} to {end}", start=date_text(period.start), end=date_text(period.end))


def base_text(filters: Filters) -> str:
    """Return the compared period as it stands in a sentence: "the 12 months before"."""
    if filters.compare == "last_year":
        return t("the same period a year before")
    if not (filters.start and filters.end):
        return t("the period before")
    period = Period(filters.start, filters.end)
    months = whole_months(period)
    if months:
        return t("the month before") if months == 1 else t("the {n} months before", n=months)
    return t("the day before") if period.days == 1 else t("the {n} days before", n=period.days)


def no_comparison_text(reason: str, filters: Filters, held: Period) -> str:
    """Return why there is no comparison, "" where there is one. reason: a key of NO_COMPARISON or ''."""
    if not reason:
        return ""
    period = Period(filters.start or held.start, filters.end or held.end)
    wanted = compared_period(period, filters.compare)
    return t(NO_COMPARISON[reason], first_on=date_text(held.start), start=date_text(wanted.start if wanted else None))


# ── tables and tiles in words ───────────────────────────────────────────────────────────────────────────────────────────


def tile_notes(tiles: pd.DataFrame) -> dict[str, str]:
    """Return the small line under a tile, by metric: new and returning customers, and how much of revenue has a known cost."""
    value = tiles.set_index("metric")["value"]
    new, returning = (value_text(value[name], "count") for name in ("new_customers", "returning_customers"))
    costed = costed_share(tiles)
    margin = (
        t("No costs are known.")
        if np.isnan(costed)
        else t("Costs are known for {share} of net revenue.", share=value_text(costed, "share"))
    )
    return {"active_customers": t("{new} new, {returning} returning", new=new, returning=returning), "gross_margin_share": margin}


def comparison_in_words(comparison: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the comparison as texts, each value in the unit of its metric: label, value, compared_value, change, target, target_share."""
    labels = {metric.name: t(metric.label) for metric in METRICS}
    rows: list[Any] = list(comparison.itertuples())
    texts = [
        (
            labels[row.metric],
            *(value_text(value, row.unit, currency, exact=True) for value in (row.value, row.compared_value)),
            points_text(row.change) if row.change_kind == "points" else change_text(row.change),
            value_text(row.target, row.unit, currency, exact=True),
            value_text(row.target_share, "share"),
        )
        for row in rows
    ]
    return pd.DataFrame(texts, columns=["label", "value", "compared_value", "change", "target", "target_share"])


def parts_in_words(parts: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the parts of the change with label and, as texts in their own units, before, after and change; effect stays a number."""
    rows: list[Any] = list(parts.itertuples())
    units = [_PART_UNITS.get(row.part, "money") for row in rows]
    before, after = (
        [value_text(getattr(row, name), unit, currency, exact=True) for row, unit in zip(rows, units, strict=True)]
        for name in ("value_before", "value_after")
    )
    labels = [t(PART_LABELS[row.part]) for row in rows]
    return parts.assign(label=labels, before=before, after=after, change_text=[change_text(row.change) for row in rows])


def steps_in_words(reconciliation: pd.DataFrame) -> pd.DataFrame:
    """Return the reconciliation with the label of each step, totals marked with "="."""
    labels = [
        ("= " if is_total and place else "") + t(STEP_LABELS[step])
        for place, (step, is_total) in enumerate(zip(reconciliation["step"], reconciliation["is_total"], strict=True))
    ]
    return reconciliation.assign(label=labels)


def values_in_words(values: pd.DataFrame) -> pd.DataFrame:
    """Return the values of a dimension with the unknown one in the reader's language."""
    return values.assign(value=[t("unknown") if value == UNKNOWN else value for value in values["value"]])


def points_text(points: float) -> str:
    """Return a difference of shares in points.

    >>> points_text(0.034)
    '+3.4 points'
    """
    return value_text(np.nan, "share") if np.isnan(points) else t("{points} points", points=f"{points * 100:+.1f}")

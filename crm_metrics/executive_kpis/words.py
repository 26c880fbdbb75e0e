"""The finding in words, made from the numbers."""

from typing import Any

import numpy as np
import pandas as pd
from babel.numbers import format_currency, format_decimal

from crm_metrics.executive_kpis.columns import COLUMNS, REASONS
from crm_metrics.executive_kpis.metrics import (
    GROSS_REVENUE_IDENTIFIED,
    METRICS,
    NET_REVENUE,
    NET_REVENUE_IDENTIFIED,
    ORDERS_PER_CUSTOMER,
    WITH_TARGET,
)
from crm_metrics.executive_kpis.statistic import NO_COMPARISON, NO_TARGET, as_held, costed_share, drawn
from crm_metrics.executive_kpis.why import FACTORS, PART_LABELS
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.language import date_text, locale, noop, t
from crm_metrics.metric import Metric, Unit, change_text, is_unknown, value_text
from crm_metrics.periods import PRESET_LABELS, Period, Preset, compared_period, preset_period, whole_months

NO_MOVE = 0.005  # below half a percent a change is printed as "about the same": the tile would show 0.x %
HUNDRED, MILLION = 100, 1e6
ALL_COSTED = 0.0005  # nearer to all than this a share prints as 100.0%, and needs no line
SHARE_DIGITS = 10  # of a share in percent: 57.0 and not 56.99999999999999
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
OFFERED: tuple[Preset, ...] = ("last_12_months", "last_90_days", "last_30_days")


def finding(comparison: pd.DataFrame, parts: pd.DataFrame, *, filters: Filters, held: Period | None, currency: str) -> str:
    """Return the sentence at the top of the page: net revenue, its change, and the part that explains most of it.

    held: first and last day of the data; None without data. Where there is no comparison the sentence says why.
    """
    if held is None:
        return t("There are no orders yet.")
    row: Any = comparison.set_index("metric").loc["net_revenue"]
    filters = as_held(filters, held)
    words = {"value": whole_money(row["value"], currency), "period": period_text(filters, held)}
    if row["reason"] or np.isnan(row["change"]):
        reason = no_comparison_text(str(row["reason"]), filters, held) or t(
            "There were no sales in the period before, so there is no change in percent."
        )
        return t("{first} {second}", first=t("Net revenue was {value} {period}.", **words), second=reason)
    base = base_text(filters, held)
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
    if not currency:
        return format_decimal(amount, format="#,##0", locale=locale())
    return format_currency(amount, currency, format="¤#,##0", currency_digits=False, locale=locale())


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
    """Return the period as it stands in a sentence, from the day that the data begin where it begins before them."""
    known = as_held(filters, held)
    period = Period(max(known.start or held.start, held.start), known.end or held.end)
    months = whole_months(period)
    if period != held and months > 1:
        return t("in the {n} months to {end}", n=months, end=date_text(period.end))
    if period.days == 1:
        return t("on {day}", day=date_text(period.end))
    return t("from {start} to {end}", start=date_text(period.start), end=date_text(period.end))


def base_text(filters: Filters, held: Period) -> str:
    """Return the compared period as it stands in a sentence: "the 12 months before"."""
    if filters.compare == "last_year":
        return t("the same period a year before")
    known = as_held(filters, held)
    period = Period(known.start or held.start, known.end or held.end)
    months = whole_months(period)
    if months:
        return t("the month before") if months == 1 else t("the {n} months before", n=months)
    return t("the day before") if period.days == 1 else t("the {n} days before", n=period.days)


def no_comparison_text(reason: str, filters: Filters, held: Period) -> str:
    """Return why there is no comparison, "" where there is one. reason: a key of NO_COMPARISON or ''."""
    if not reason:
        return ""
    known = as_held(filters, held)
    wanted = compared_period(Period(known.start or held.start, known.end or held.end), filters.compare)
    days = {"first_on": held.start, "last_on": held.end, "start": wanted.start if wanted else None}
    return t(NO_COMPARISON[reason], **{name: date_text(day) for name, day in days.items()})


def comparable_preset(reason: str, filters: Filters, held: Period) -> Preset | None:
    """Return the longest period whose period to compare with lies in the data, to be offered where the chosen one has none."""
    if reason not in ("all_dates", "data_begin_later"):
        return None
    for preset in OFFERED:
        compared = compared_period(preset_period(preset, first_on=held.start, last_on=held.end), filters.compare)
        if compared and compared.start >= held.start:
            return preset
    return None


def offer_text(preset: Preset) -> str:
    """Return what the button says that goes to `preset`."""
    return t("Compare instead: {period}", period=t(PRESET_LABELS[preset]))


def trend_note(trend: pd.DataFrame) -> str:
    """Return that the first bucket is left out of the drawing, and why; "" where it is drawn."""
    shown = drawn(trend)
    if len(shown) == len(trend):
        return ""
    day = date_text(shown["bucket_on"].iloc[0].date())
    return t("The days before {day} are too few for a point of their own: they are in all sums and not drawn.", day=day)


def trend_alt(metric: Metric) -> str:
    """Return what the trend shows, for those who do not see it."""
    return t("{metric} over time, the unfinished end dashed, the period before in grey", metric=t(metric.label))


def split_alt(by: str) -> str:
    """Return what the figure of a split shows, for those who do not see it. by: a key of REASONS."""
    if by == "parts":
        return t("Bridge from the net revenue before to that of this period")
    return t("Change in net revenue ({dimension}), with the share before and after", dimension=t(REASONS[by]))


def target_note(comparison: pd.DataFrame) -> str:
    """Return why those metrics that may have a target have none; "" where each has one."""
    reasons = comparison.set_index("metric")["target_reason"]
    labels: dict[str, list[str]] = {}
    for metric in WITH_TARGET:
        if reason := reasons[metric.name]:
            labels.setdefault(reason, []).append(t(metric.label))
    if "not_by_choice" in labels:
        return t(NO_TARGET["not_by_choice"])
    return " ".join(t("{metrics}: {reason}", metrics=t(", ").join(names), reason=t(NO_TARGET[reason])) for reason, names in labels.items())


_WHOSE = {  # later rooms' tiles that say whom they count
    "profit_of_top_fifth": noop("of {n} customers in the period"),
    "revenue_of_top_fifth": noop("of {n} customers in the period"),
    "back_within_3_months": noop("of {n} new customers old enough"),
    "campaigns_incremental_roi": noop("campaigns measured to their end in the period: {n}"),
    "attributed_roi": noop("campaigns measured to their end in the period: {n}"),
    "win_rate_of_closed": noop("of {n} deals created in the period and closed"),
    "open_value": noop("{n} open deals of known value"),
}


def headline_groups(headlines: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the later rooms' headlines by what they are about, as headings."""
    of_deals = headlines["room"] == "pipeline"
    groups = {t("The customers behind it"): headlines[~of_deals], t("Pipeline"): headlines[of_deals]}
    return {heading: rows for heading, rows in groups.items() if len(rows)}


def headline_notes(headlines: pd.DataFrame, *, horizon_months: int, discount_rate_per_year: float) -> dict[str, str]:
    """Return the small line under each later room's tile: how far it looks, whom it is about, or why it is unknown."""
    far = t("expected in the next {n} months, discounted {rate} a year", n=horizon_months, rate=f"{discount_rate_per_year:.0%}")
    none = t("unknown: too little data for a forecast")
    values = dict(zip(headlines["metric"], headlines["value"], strict=True))
    notes = {
        "customer_base_value": none if is_unknown(values.get("customer_base_value")) else far,
        "at_risk_revenue": t("brought so far by customers who used to buy often and have gone quiet"),
    }
    for name in values.keys() & _WHOSE.keys():
        n = int(headlines.loc[headlines["metric"] == name, "n"].iloc[0])
        notes[name] = t(_WHOSE[name], n=f"{n:,}")
    return {name: note for name, note in notes.items() if name in values}


# ── tables and tiles in words ───────────────────────────────────────────────────────────────────────────────────────────


def tile_notes(tiles: pd.DataFrame) -> dict[str, str]:
    """Return the small line under a tile, by metric: new and returning customers, and how much of revenue has a known cost."""
    value = tiles.set_index("metric")["value"]
    new, returning = (value_text(value[name], "count") for name in ("new_customers", "returning_customers"))
    costed = costed_share(tiles)
    margin = t("Costs are known for {share} of net revenue.", share=value_text(costed, "share"))
    if np.isnan(costed):
        margin = t("No costs are known.")
    elif abs(costed - 1) < ALL_COSTED:
        margin = ""
    return {"active_customers": t("{new} new, {returning} returning", new=new, returning=returning), "gross_margin_share": margin}


def columns(table: str, currency: str) -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of a table as shown: money with its currency, mixed numbers with two decimals."""
    shown = {}
    for name, (label, unit) in COLUMNS[table].items():
        heading = f"{t(label)} ({currency})" if unit == "money" and currency else t(label)
        shown[name] = (heading, "money" if unit == "number" else unit)
    return shown


def comparison_in_words(comparison: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the comparison to be read and taken away: numbers, each beside the name of its unit, shares in percent.

    label, value, compared_value, target, unit_text, change (relative), change_points (shares), target_share.
    """
    labels = {metric.name: t(metric.label) for metric in METRICS}
    numbers = {name: _in_units(comparison[name], comparison["unit"]) for name in ("value", "compared_value", "target")}
    is_points = comparison["change_kind"] == "points"
    return pd.DataFrame(
        {
            "label": [labels[name] for name in comparison["metric"]],
            **numbers,
            "unit_text": [unit_text(unit, currency) for unit in comparison["unit"]],
            "change": comparison["change"].astype("float64").mask(is_points),
            "change_points": (comparison["change"].astype("float64") * HUNDRED).where(is_points).round(SHARE_DIGITS),
            "target_share": comparison["target_share"].astype("float64"),
        }
    )


def parts_in_words(parts: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Return the parts of the change with label and the name of the unit in which value_before and value_after are."""
    units = [_PART_UNITS.get(str(part), "money") for part in parts["part"]]
    return parts.assign(label=[t(PART_LABELS[part]) for part in parts["part"]], unit_text=[unit_text(unit, currency) for unit in units])


def unit_text(unit: Unit, currency: str) -> str:
    """Return the unit of a number in a table where units are mixed: the currency, "%", or nothing for plain numbers and counts."""
    if unit.startswith("money"):
        return currency or t("money")
    return "%" if unit == "share" else ""


def _in_units(values: pd.Series, units: pd.Series) -> pd.Series:
    """Return `values` as they are printed: shares in percent."""
    numbers = values.astype("float64")
    return numbers.where(units != "share", (numbers * HUNDRED).round(SHARE_DIGITS))


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

"""What the customer's page says: the finding, what is expected, the profile, the headings of its tables."""

from datetime import date
from typing import Any, Literal

import pandas as pd

from crm_metrics.captions import CUSTOMER
from crm_metrics.customer_360.statistic import INTERVALS_FOR_A_RHYTHM
from crm_metrics.export import safe_text
from crm_metrics.language import date_text, noop, t, weekday_text
from crm_metrics.metric import Unit, is_unknown, value_text
from crm_metrics.purchase_model.gate import Gate

Shown = Unit | Literal["text", "day", "number"]
_YES_NO = {True: noop("yes"), False: noop("no")}
_KINDS = {
    "person": noop("person"),
    "company": noop("company"),
    "purchase": noop("purchase"),
    "return": noop("return"),
    "cancelled": noop("cancelled"),
    "other": noop("other"),
    "sale": noop("sale"),
    "gift": noop("gift"),
}
_PROFILE: dict[str, tuple[str, Unit | None]] = {  # label, and unit where the value is a number
    "customer_id": (noop("Customer number"), None),
    "customer_name": (noop("Name"), None),
    "customer_kind": (noop("Kind"), None),
    "home_region": (noop("Home region"), None),
    "birth_year": (noop("Year of birth"), None),
    "acquisition_channel": (noop("Acquired through"), None),
    "acquisition_cost": (noop("Acquisition cost"), "money"),
    "acquired_on": (noop("Acquired on"), None),
    "owner": (noop("Owner"), None),
    "referrer_customer_id": (noop("Referred by"), None),
    "has_consent": (noop("May be contacted"), None),
    "first_on": (noop("First order"), None),
    "last_on": (noop("Last order"), None),
}

_HABITS: dict[str, tuple[str, Unit | None]] = {  # label, and unit where the habit is a number
    "weekday": (noop("Usual day"), None),
    "days_between": (noop("Days between orders"), "days"),
    "units": (noop("Units per order"), "ratio"),
    "order_value": (noop("Order value"), "money"),
    "unit_price": (noop("Price of a unit"), "money"),
    "channel": (noop("Usual channel"), None),
    "category": (noop("Usual category"), None),
}

# Headings of the tables and how their values are printed
COLUMNS: dict[str, tuple[str, Shown]] = {
    **CUSTOMER,
    "home_region": (noop("Home region"), "text"),
    "orders": (noop("Orders"), "count"),
    "first_on": (noop("First order"), "day"),
    "last_on": (noop("Last order"), "day"),
    "ordered_on": (noop("Day"), "day"),
    "order_id": (noop("Order"), "text"),
    "order_kind": (noop("Kind"), "text"),
    "line_kind": (noop("Kind"), "text"),
    "product_id": (noop("Product number"), "text"),
    "product_name": (noop("Product"), "text"),
    "category": (noop("Category"), "text"),
    "units": (noop("Units"), "number"),
    "unit_price": (noop("Unit price"), "money"),
    "net_revenue": (noop("Net revenue"), "money"),
    "gross_margin": (noop("Gross margin"), "money"),
    "cost_amount": (noop("Cost of goods"), "money"),
    "order_region": (noop("Order region"), "text"),
    "sales_channel": (noop("Sales channel"), "text"),
}


FOUND = ("customer_id", "customer_name", "home_region", "net_revenue", "orders", "first_on", "last_on")
ORDERS = ("ordered_on", "order_id", "order_kind", "net_revenue", "gross_margin", "units", "sales_channel", "order_region")
LINES = ("order_id", "product_id", "product_name", "category", "line_kind", "units", "unit_price", "net_revenue", "cost_amount")


def found_text(found: pd.DataFrame, words: str) -> str:
    """Return which customers stand in the list: all that were found, or the first of them and how many there are."""
    if found.empty:
        return t("No customer has “{words}” in number or name.", words=safe_text(words))
    shown, matches = value_text(len(found), "count"), value_text(float(found["matches"].iloc[0]), "count")
    if shown == matches:
        return t("Choose a customer.")
    if words.strip():
        return t("The first {shown} of {n} customers found: type more of the number or name.", shown=shown, n=matches)
    return t("The {shown} latest buyers of {n} customers: search for the others.", shown=shown, n=matches)


def finding(profile: pd.Series, tiles: pd.DataFrame, due: pd.Series, *, currency: str = "") -> str:
    """Return the finding: who, how often, how much, and whether the next order is due. profile, due: one row each."""
    values = tiles.set_index("metric")["value"]
    name = _name(profile)
    if not values["orders"]:
        return t("{name} has not bought anything up to this day.", name=name)
    net_revenue = safe_text(value_text(values["net_revenue"], "money", currency))
    first_on = date_text(profile["first_on"].date())
    bought = (
        t("{name} bought once, on {first_on}, and brought {net_revenue} net.", name=name, first_on=first_on, net_revenue=net_revenue)
        if values["orders"] == 1
        else t(
            "{name} has bought {orders} times since {first_on} and brought {net_revenue} net.",
            name=name,
            orders=value_text(values["orders"], "count"),
            first_on=first_on,
            net_revenue=net_revenue,
        )
    )
    return t("{first_sentence} {second_sentence}", first_sentence=bought, second_sentence=due_sentence(due))


def due_sentence(due: pd.Series) -> str:
    """Return whether the next order is due, and by whose rhythm. due: the fields of NextOrder."""
    if is_unknown(due["due_on"]):
        return t("Nobody has bought twice yet, so no one can say when the next order is due.")
    usual, due_on, when = value_text(due["usual_days"], "days"), _day_text(due["due_on"]), _when_text(due["days_late"])
    is_late = due["days_late"] > 0
    if not due["is_own_rhythm"]:
        given = {"intervals": due["intervals"], "needed": INTERVALS_FOR_A_RHYTHM}
        return t(_BASE_LATE if is_late else _BASE_DUE, usual=usual, due_on=due_on, when=when, **given)
    return t(_OWN_LATE if is_late else _OWN_DUE, usual=usual, due_on=due_on, when=when)


def _when_text(days_late: float) -> str:
    """Return when an order is due: "10 days ago", "today", "in 1 day"."""
    days = value_text(abs(days_late), "days")
    if not days_late:
        return t("today")
    return t("{days} ago", days=days) if days_late > 0 else t("in {days}", days=days)


_OWN_LATE = noop("The usual time between orders is {usual}: the next one is late, it was due on {due_on}, {when}.")
_OWN_DUE = noop("The usual time between orders is {usual}: the next one is not late, it is due on {due_on}, {when}.")
_BASE_LATE = noop(
    "There is no rhythm of its own yet ({intervals} of the {needed} intervals it takes); by the usual time of all customers, {usual}, the "
    "next order was due on {due_on}, {when}."
)
_BASE_DUE = noop(
    "There is no rhythm of its own yet ({intervals} of the {needed} intervals it takes); by the usual time of all customers, {usual}, the "
    "next order is due on {due_on}, {when}."
)


def value_sentence(value: pd.Series, *, currency: str = "") -> str:
    """Return what is expected of the customer, with care; or why nothing can be said. value: the row of the `value` table."""
    if is_unknown(value["expected_purchases"]):
        return _no_value_sentence(value)
    basis = t("of margin") if value["basis"] == "margin" else t("of net revenue (costs are not known well enough for margin)")
    money = {name: safe_text(value_text(value[name], "money", currency)) for name in _MONEY}
    return t(
        "In the {months} months after {as_of} {purchases} purchase days are expected, worth {expected_value} {basis}, discounted at "
        "{rate} a year. Three models say {expected_value_lowest} to {expected_value_highest}: a mean over customers with such a "
        "history, no promise of this one.",
        months=value["horizon_months"],
        as_of=_day_text(value["as_of"]),
        purchases=value_text(value["expected_purchases"], "ratio"),
        basis=basis,
        rate=value_text(value["discount_rate_per_year"], "share"),
        **money,
    )


def _no_value_sentence(value: pd.Series) -> str:
    if value["verdict"] == "none":
        return Gate(int(value["customers"]), int(value["repeaters"]), int(value["history_days"]), value["verdict"]).sentence()
    if is_unknown(value["frequency"]):
        return t("Without a purchase up to this day there is no forecast.")
    return t("The model found no stable fit on these data, so there is no forecast.")


_MONEY = ("expected_value", "expected_value_lowest", "expected_value_highest")


def figure_alt(alive: pd.DataFrame) -> str:
    """Return what the figure shows, for those who do not see it."""
    if len(alive):
        return t("P(alive) of this customer day by day since the first purchase, each purchase day marked")
    return t("Net revenue of this customer by day, returns below zero")


def figure_notes(alive: pd.DataFrame, value: pd.Series) -> str:
    """Return what has to be known to read the figure. value: the row of the `value` table."""
    if len(alive):
        return alive_sentence(value)
    if value["verdict"] != "none" and not value["finds_leaving"]:
        return t("P(alive) is not drawn: in these data the model finds nobody leaving, so it would call everyone alive.")
    return t("P(alive) is not drawn: there is no model for these data.")


def alive_sentence(value: pd.Series) -> str:
    """Return P(alive) by the three models; the BG/NBD says nothing of one-time buyers. value: the row of the `value` table."""
    names = {"alive_mbg_nbd": "MBG/NBD", "alive_pareto_nbd": "Pareto/NBD", "alive_bg_nbd": "BG/NBD"}
    shown = t(", ").join(f"{label} {value_text(value[name], 'share')}" for name, label in names.items())
    text = t("P(alive) on {as_of}: {shown}.", as_of=_day_text(value["as_of"]), shown=shown)
    if value["frequency"] > 0:
        return text
    assumed = t("The BG/NBD takes everyone who bought once for alive: that is its assumption, so no figure is shown.")
    return t("{first_sentence} {second_sentence}", first_sentence=text, second_sentence=assumed)


def profile_in_words(profile: pd.Series, *, currency: str = "") -> pd.DataFrame:
    """Return what is known of the profile as attribute and value in the reader's language, as Markdown. profile: its one row."""
    known = {name: label for name, (label, _) in _PROFILE.items() if not is_unknown(profile[name])}
    rows = [(t(label), safe_text(_value_in_words(name, profile[name], currency))) for name, label in known.items()]
    return pd.DataFrame(rows, columns=["attribute", "value"])


def unknown_in_words(profile: pd.Series) -> str:
    """Return one line naming what is not known of the customer; "" where all is. profile: its one row."""
    labels = [t(label) for name, (label, _) in _PROFILE.items() if is_unknown(profile[name])]
    return t("Not known: {attributes}.", attributes=t(", ").join(labels)) if labels else ""


def habits_in_words(habits: pd.DataFrame, *, currency: str = "") -> pd.DataFrame:
    """Return the habits as attribute and value in the reader's language, as Markdown. habits: the table of that name."""
    found: list[Any] = list(habits.itertuples())
    rows = [(t(_HABITS[row.habit][0]), safe_text(_habit_in_words(row, currency))) for row in found]
    return pd.DataFrame(rows, columns=["attribute", "value"])


def _habit_in_words(row: Any, currency: str) -> str:
    unit = _HABITS[row.habit][1]
    if unit is None:
        usual = weekday_text(int(row.usual)) if row.habit == "weekday" else row.usual
        return t("{value} ({share} of {n})", value=usual, share=value_text(row.share, "share"), n=row.n)
    usual, low, high = (value_text(float(value), unit, currency) for value in (row.usual, row.low, row.high))
    return usual if low == high else t("{value} (half of them {low} to {high})", value=usual, low=low, high=high)


def known_columns(frame: pd.DataFrame, *names: str) -> dict[str, tuple[str, Shown]]:
    """Return heading and unit of those columns of `names` in which anything is known; the first one always."""
    kept = [name for name in names if name == names[0] or frame[name].notna().any()]
    return {name: (t(COLUMNS[name][0]), COLUMNS[name][1]) for name in kept}


def kinds_in_words(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return `frame` with the kinds of orders or lines in `column` in the reader's language."""
    return frame.assign(**{column: [_kind_text(kind) for kind in frame[column]]})


def _kind_text(kind: object) -> str:
    """Return a kind in the reader's language; one that came with the data and is none of ours as it came."""
    return t(_KINDS[str(kind)]) if str(kind) in _KINDS else str(kind)


def _value_in_words(name: str, value: object, currency: str) -> str:
    """Return a known value as it is read. Only kinds are words of ours: a customer may be named like one of them."""
    unit = _PROFILE[name][1]
    if unit is not None:
        return value_text(float(str(value)), unit, currency, exact=True)
    if isinstance(value, pd.Timestamp):
        return date_text(value.date())
    if name == "has_consent":
        return t(_YES_NO[bool(value)])
    if name == "customer_kind":
        return _kind_text(value)
    return str(int(value)) if isinstance(value, float) else str(value)


def _name(profile: pd.Series) -> str:
    """Return the name in Markdown, or the number where there is no name."""
    number = safe_text(str(profile["customer_id"]))
    return t("Customer {number}", number=number) if is_unknown(profile["customer_name"]) else safe_text(str(profile["customer_name"]))


def _day_text(day: date | pd.Timestamp) -> str:
    return date_text(day.date() if isinstance(day, pd.Timestamp) else day)

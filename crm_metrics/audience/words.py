"""The findings of the room in words."""

from typing import Any

import pandas as pd

from crm_metrics.captions import CUSTOMER, Captions
from crm_metrics.export import safe_text
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import noop, t
from crm_metrics.metric import DASH, is_unknown, value_text
from crm_metrics.segments.attributes import ATTRIBUTES
from crm_metrics.segments.words import value_label

QUESTIONS = {
    "build": noop("Build a segment"),
    "compare": noop("Two segments side by side"),
    "test": noop("Plan a test"),
    "saved": noop("What was saved"),
}
NAMED_DIFFERENCES = 3
_LABELS = {attribute.name: attribute.label for attribute in ATTRIBUTES}
_COMPARED = {
    attribute.name: noop("median of those known")
    if attribute.kind == "number"
    else noop("share of all")
    if attribute.several
    else noop("share of those known")
    for attribute in ATTRIBUTES
}
HOW_DIFFERENT = noop(
    "The difference is Cliff's delta: take one customer of each segment at random; how much oftener does the first's have more than less? "
    "For a value that customers have or not it is the difference of the shares: of the customers of whom the attribute is known, or of all "
    "customers where one can have several values. Intervals are of 95% (DeLong 1988, Newcombe 1998); the "
    "chance of a false finding among all comparisons together is at most 5% (Holm 1979): what may be luck is hollow. Customers in both "
    "count as the first's alone. Attributes that the rules ask for are left out, because they differ by making. Of an attribute with many "
    "values the twelve most frequent are compared. It says what is different, not why."
)
ALT_TEXTS = {
    "differences": noop("Dots: what sets the first segment apart from the second, each with its interval."),
    "overlap": noop("A bar in three parts: customers of the first alone, of both, of the second alone."),
}
NOTES = {
    "differences": HOW_DIFFERENT,
    "overlap": noop("Customers who meet the rule of the first, of the second, or both, on the as-of day."),
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {
    "people": {
        **CUSTOMER,
        "home_region": (noop("Home region"), "text"),
        "customer_kind": (noop("Person or company"), "text"),
        "has_consent": (noop("May be contacted"), "flag"),
        "orders": (noop("Orders"), "count"),
        "net_revenue": (noop("Net revenue"), "money"),
        "last_on": (noop("Last purchase"), "day"),
        "days_since_last_order": (noop("Days since last order"), "count"),
    },
    "contacts": {
        **CUSTOMER,
        "email": (noop("E-mail"), "text"),
        "phone": (noop("Telephone"), "text"),
        "home_region": (noop("Home region"), "text"),
        "customer_kind": (noop("Person or company"), "text"),
        "orders": (noop("Orders"), "count"),
        "net_revenue": (noop("Net revenue"), "money"),
        "days_since_last_order": (noop("Days since last order"), "count"),
    },
    "differences": {
        "label": (noop("Attribute"), "text"),
        "compared": (noop("Compared"), "text"),
        "first": (noop("First segment"), "text"),
        "second": (noop("Second segment"), "text"),
        "difference": (noop("Difference"), "ratio"),
        "low": (noop("95% from"), "ratio"),
        "high": (noop("95% to"), "ratio"),
        "p_adjusted": (noop("p, all comparisons together"), "ratio"),
        "first_known": (noop("Customers compared, first"), "count"),
        "second_known": (noop("Customers compared, second"), "count"),
    },
    "saved": {
        "segment_name": (noop("Segment"), "text"),
        "rule": (noop("Rule"), "long text"),
        "customers": (noop("Customers"), "count"),
        "customers_when_saved": (noop("Customers when saved"), "count"),
        "as_of_on": (noop("Saved as of"), "day"),
    },
}


about = Captions(ALT_TEXTS, NOTES).about


def columns(table: str, frame: pd.DataFrame) -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of a table (a key of COLUMNS) that `frame` knows something of."""
    known = {name: spec for name, spec in COLUMNS[table].items() if name in frame and (frame[name].notna().any() or frame.empty)}
    return {name: (t(label), unit) for name, (label, unit) in known.items()}


def finding(tiles: pd.DataFrame, *, currency: str) -> str:
    """Return who is in the segment and what they bring. tiles: the table of that name."""
    values = tiles.set_index("metric")["value"]
    customers = int(values["segment_customers"])
    if not customers:
        return t("Nobody meets this rule. Take a condition away, or widen one.")
    return t(
        "Customers: {customers} ({share} of all). They have brought {revenue}, {revenue_share} of net revenue; {contactable} may be "
        "contacted.",
        customers=f"{customers:,}",
        share=value_text(values["segment_customers_share"], "share"),
        revenue=value_text(values["segment_net_revenue"], "money", currency),
        revenue_share=value_text(values["segment_net_revenue_share"], "share"),
        contactable=f"{int(values['segment_contactable']):,}",
    )


def audience_note(tiles: pd.DataFrame, attributes: pd.DataFrame) -> str:
    """Return whom the file leaves out, and why. tiles, attributes: the tables of these names."""
    if "has_consent" not in set(attributes["attribute"]):
        return t("These data don't say who agreed to be contacted, so nobody is in the audience file.")
    values = tiles.set_index("metric")["value"]
    kept_out = int(values["segment_customers"] - values["segment_contactable"])
    return t("The audience file holds only customers who agreed to be contacted; left out of it: {n}.", n=f"{kept_out:,}")


def comparison_label(row: Any, currency: str) -> str:
    """Return one comparison as a label: what, and how much of it in the first and the second. row: of difference.ranked."""
    return t(
        "{attribute}  {first} : {second}",
        attribute=_attribute(row),
        first=_shown(row.first, row, currency),
        second=_shown(row.second, row, currency),
    )


def differences_finding(differences: pd.DataFrame, first: str, second: str, *, currency: str) -> str:
    """Return what sets the first segment apart from the second most, or that nothing does. first, second: their names."""
    if differences.empty:
        return t("There is nobody to compare: one of the two has no customers of its own.")
    found = differences[differences["is_different"] & ~few_known(differences)]
    if found.empty:
        return t(
            "Nothing sets them apart for certain: whatever differs may be luck, {n} comparisons taken together.",
            n=differences["p_value"].count(),
        )
    parts = [comparison_label(row, currency) for row in found.head(NAMED_DIFFERENCES).itertuples()]
    return t(
        "What sets {first} apart from {second}: {parts}.",
        first=safe_text(first),
        second=safe_text(second),
        parts=safe_text(t("; ").join(parts)),
    )


def differences_in_words(differences: pd.DataFrame, *, currency: str) -> pd.DataFrame:
    """Return the differences as shown: label, compared (what of whom), first and second as printed, numbers rounded."""
    rows: list[Any] = list(differences.itertuples())
    printed = {
        "label": [_attribute(row) for row in rows],
        "compared": [t(_COMPARED[row.attribute]) for row in rows],
        "first": [_shown(row.first, row, currency) for row in rows],
        "second": [_shown(row.second, row, currency) for row in rows],
    }
    return differences.assign(**printed).round({"difference": 3, "low": 3, "high": 3, "p_adjusted": 4})


def overlap_sentence(overlap: pd.DataFrame, first: str, second: str) -> str:
    """Return how far the two are the same customers."""
    rows: Any = overlap.set_index("place")
    both = rows.loc["both"]
    if not both.customers:
        return t("No customer is in both.")
    return t(
        "In both: {n}, which is {share_of_first} of {first} and {share_of_second} of {second}.",
        n=f"{int(both.customers):,}",
        share_of_first=value_text(both.share_of_first, "share"),
        first=safe_text(first),
        share_of_second=value_text(both.share_of_second, "share"),
        second=safe_text(second),
    )


def saved_note(saved: pd.DataFrame) -> str:
    """Return what can be done with the saved segments. saved: the table of that name."""
    if saved.empty:
        return t("No segment is saved yet: build one, or click a cell of the map on the page Segmentation.")
    return t("Rules are asked anew each time, so their customers change with the data. Choose a row to use or delete a segment.")


def few_known(differences: pd.DataFrame) -> pd.Series:
    """Return which comparisons know too few customers of a side."""
    return differences[["first_known", "second_known"]].min(axis=1) < FEW_CUSTOMERS


def _attribute(row: Any) -> str:
    label = t(_LABELS[row.attribute])
    return t("{label}: {values}", label=label, values=value_label(row.value)) if row.value else label


def _shown(value: float, row: Any, currency: str) -> str:
    return DASH if is_unknown(value) else value_text(value, row.unit, currency)

"""The tables of the room."""

import math
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Select

from crm_metrics import workspace
from crm_metrics.audience import difference, metrics, query
from crm_metrics.audience.query import Pair
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput, Metric, ratio, tile
from crm_metrics.planned_test.query import size
from crm_metrics.planned_test.tables import chosen_rule, rule_of
from crm_metrics.scope import Scope
from crm_metrics.segments.attributes import ATTRIBUTES
from crm_metrics.segments.members import attribute_values, known_attributes, member_count
from crm_metrics.segments.rule import Opposite, Rule, Segment, conditions_of, read_rule
from crm_metrics.segments.words import rule_sentence

_RANKS = {"value_rank", "value_tier"}  # say again what net revenue says
MOST_VALUES = 12  # of one attribute are compared: the most frequent; more would be names, not kinds


def pair_of(segments: tuple[Segment, ...]) -> Pair:
    """Return the first two segments; the customers of the only one and everybody else."""
    first = rule_of(segments[:1])
    return Pair(first, rule_of(segments[1:2]) if len(segments) > 1 else Opposite(first))


# ── who is in it ────────────────────────────────────────────────────────────────────────────────────────────────────────


def tiles(source: Source, filters: Filters, rule: Rule | None = None) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high, unit, n (customers). rule: None takes the segments of the filters."""
    row: Any = source(size(chosen_rule(rule, filters), filters.today, filters.scope)).iloc[0]
    n = int(row.customers)
    values: dict[Metric, float] = {
        metrics.CUSTOMERS: n,
        metrics.CUSTOMERS_SHARE: ratio(n, row.all_customers),
        metrics.REVENUE: row.net_revenue,
        metrics.REVENUE_SHARE: ratio(row.net_revenue, row.all_net_revenue),
        metrics.CONTACTABLE: row.contactable,
        metrics.ORDERS_PER_CUSTOMER: ratio(row.orders, n),
    }
    return pd.DataFrame([tile(metric, value, n) for metric, value in values.items()])


def people(source: Source, filters: Filters, rule: Rule | None = None) -> pd.DataFrame:
    """Return one row per customer of the segment, who brings most first: the columns of query.people but email and phone."""
    return source(query.people(chosen_rule(rule, filters), filters.today, filters.scope)).drop(columns=["email", "phone"])


def contacts(source: Source, filters: Filters, rule: Rule | None = None) -> pd.DataFrame:
    """Return one row per customer of the segment who may be contacted: the columns of query.people but has_consent."""
    found = source(query.people(chosen_rule(rule, filters), filters.today, filters.scope))
    return found[found["has_consent"].astype(bool)].drop(columns="has_consent").reset_index(drop=True)


def saved(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per saved segment: segment_name, rule (in words), customers (now), customers_when_saved, as_of_on, made_in.

    A rule that can't be read has its reason in place of words, and no customers.
    """
    frame = workspace.read_segments(source.data_set)
    read = [_counted(source, filters, text) for text in frame["segment_rule"]]
    return pd.DataFrame(
        {
            "segment_name": frame["segment_name"],
            "rule": [words for words, _ in read],
            "customers": np.array([customers for _, customers in read], dtype=float),
            "customers_when_saved": frame["customer_count"].astype(float),
            "as_of_on": pd.to_datetime(frame["as_of_on"]),
            "made_in": frame["made_in"],
        }
    )


def _counted(source: Source, filters: Filters, text: str) -> tuple[str, float]:
    try:
        rule = read_rule(text)
        return rule_sentence(rule), float(source(member_count(rule, filters.today, filters.scope)).customers.iloc[0])
    except BadInput as problem:
        return str(problem), math.nan


def attributes(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per attribute that customers can be chosen by and that these data know something of: attribute, label, kind, means."""
    names = source.remember(offered, filters.scope)
    rows = [(each.name, each.label, each.kind, each.means) for each in ATTRIBUTES if each.name in names]
    return pd.DataFrame(rows, columns=["attribute", "label", "kind", "means"])


def offered(source: Source, scope: Scope) -> tuple[str, ...]:
    """Return the names of the attributes that these data know something of."""
    is_known = source(known_attributes(scope)).iloc[0]
    return tuple(each.name for each in ATTRIBUTES if each.of is None or is_known[each.name])


def values_of(source: Source, scope: Scope, name: str, day: date | None) -> pd.DataFrame:
    """Return one row per value of an attribute: value, customers; the most frequent first."""
    return source(attribute_values(name, day, scope))


# ── two segments side by side ───────────────────────────────────────────────────────────────────────────────────────────


def differences(source: Source, filters: Filters, pair: Pair | None = None) -> pd.DataFrame:
    """Return what sets two segments apart, what differs most first: see difference.ranked.

    pair: None takes the first two segments of the filters, or the only one and everybody else. Customers who are in both count as the
    first's alone, so that nobody is compared with himself. Attributes that either rule asks for are left out: they differ by making.
    Of an attribute with one value a customer the shares are of those of whom it is known, else of all customers of the side.
    """
    chosen = pair or pair_of(filters.segments)
    sides = source(query.side_sizes(chosen, filters.today, filters.scope)).set_index("side")["customers"].reindex([1, 2], fill_value=0)
    sizes = (int(sides[1]), int(sides[2]))
    found: dict[tuple[str, str, str], difference.Contrast] = {}
    asked_for = {condition.attribute for rule in chosen for condition in conditions_of(rule)}
    left_out = asked_for | _RANKS | ({"net_revenue", "gross_margin"} if asked_for & _RANKS else set())
    names = source.remember(offered, filters.scope) if min(sizes) else ()
    for attribute in ATTRIBUTES:
        if attribute.name in left_out or attribute.name not in names:
            continue
        if attribute.kind == "number":
            rows = source(query.numbers_by_side(attribute.name, chosen, filters.today, filters.scope))
            if len(rows):
                found[attribute.name, "", attribute.unit] = _number_contrast(rows)
        else:
            rows = source(query.values_by_side(attribute.name, chosen, filters.today, filters.scope))
            contrasts = dict(_value_contrasts(rows, sizes if attribute.several else None))
            if len(contrasts) == 2 and not attribute.several:  # one says what the other says
                contrasts = dict([max(contrasts.items(), key=lambda item: item[1].difference)])
            found |= {(attribute.name, value, "share"): contrast for value, contrast in contrasts.items()}
    return difference.ranked(found)


def customer_count(tiles: pd.DataFrame) -> int:
    """Return how many customers are in the segment. tiles: the table of that name."""
    return int(tiles["n"].iloc[0])


def overlap(source: Source, filters: Filters, pair: Pair | None = None) -> pd.DataFrame:
    """Return one row per way to be in two segments: place ('both', 'first', 'second', 'neither'), customers, net_revenue, share (of all
    customers), share_of_first, share_of_second.
    """
    rows = source(query.overlap(pair or pair_of(filters.segments), filters.today, filters.scope))
    found = rows.set_index(["in_first", "in_second"]).reindex([(True, True), (True, False), (False, True), (False, False)], fill_value=0)
    customers = found["customers"].to_numpy(dtype=float)
    both, first, second, _ = customers
    return pd.DataFrame(
        {
            "place": ["both", "first", "second", "neither"],
            "customers": customers.astype(int),
            "net_revenue": found["net_revenue"].to_numpy(dtype=float),
            "share": customers / customers.sum() if customers.sum() else np.nan,
            "share_of_first": [ratio(both, both + first), ratio(first, both + first), math.nan, math.nan],
            "share_of_second": [ratio(both, both + second), math.nan, ratio(second, both + second), math.nan],
        }
    )


def _number_contrast(rows: pd.DataFrame) -> difference.Contrast:
    counts = rows.pivot_table(index="value", columns="side", values="customers", fill_value=0).reindex(columns=[1, 2], fill_value=0)
    values, sides = counts.index.to_numpy(dtype=float), counts.to_numpy(dtype=float)
    return difference.of_numbers(values, sides[:, 0], sides[:, 1])


def _value_contrasts(rows: pd.DataFrame, sizes: tuple[int, int] | None) -> Iterator[tuple[str, difference.Contrast]]:
    """Yield each value and how the sides differ in it. sizes: whom the shares are of; None: who has a value, of which there is one each."""
    counts = rows.pivot_table(index="value", columns="side", values="customers", fill_value=0).reindex(columns=[1, 2], fill_value=0)
    first_known, second_known = sizes or counts.sum().tolist()
    most = counts.sum(axis=1).nlargest(MOST_VALUES).index
    for value, (first, second) in zip(most, counts.loc[most].to_numpy(dtype=int).tolist(), strict=True):
        yield str(value), difference.of_shares(first, int(first_known), second, int(second_known))


def pair_queries(filters: Filters, pair: Pair) -> tuple[Select[Any], ...]:
    """Return the query behind the sides of a comparison, to be shown."""
    return (query.overlap(pair, filters.today, filters.scope),)

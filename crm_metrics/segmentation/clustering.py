"""Which customers behave alike? Clusters found in what customers do, whatever rules say of them.

Five habits tell customers apart: how long ago they bought, how often, for how much, how much of it they sent back, and how much of it
was discounted. Net revenue is no sixth, being orders x revenue per order; the days between orders are none either, since one-time
buyers have none. Logarithms, standardised, three standard deviations from the mean at most, so that a handful makes no cluster; who is
unknown on a habit stands at the mean of all. K-means (scikit-learn) on at most 5,000 customers drawn at random; all join the nearest.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Date, Select, func, literal, select

from crm_metrics.customer_forecast.forecast import known
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.language import noop
from crm_metrics.metric import BadInput, Metric, tile
from crm_metrics.purchase_model.groups import Floats, Integers
from crm_metrics.sales import amounts_within, orders_within
from crm_metrics.segmentation.group_metrics import CLUSTER_METRICS
from crm_metrics.segmentation.statistic import share
from crm_metrics.segmentation.tables import as_of_day, choice
from crm_metrics.sql import days_between

HABITS = ("days_since_last_order", "orders", "average_order_value", "returned_share", "discount_share")
NAMES: dict[str, tuple[str, str]] = {  # of a cluster that is above the mean on a habit, and below it
    "days_since_last_order": (noop("gone quiet"), noop("bought lately")),
    "orders": (noop("buy often"), noop("buy seldom")),
    "average_order_value": (noop("large orders"), noop("small orders")),
    "returned_share": (noop("send much back"), noop("keep what they buy")),
    "discount_share": (noop("buy at a discount"), noop("pay full price")),
}
FEWEST, MOST = 2, 8  # clusters
CUSTOMERS_NEEDED = 100  # under these a cluster is a dozen people
SAMPLE, SILHOUETTE_SAMPLE = 5_000, 2_000  # customers
RESAMPLES, STARTS, SEED = 20, 10, 1
LEAST_SILHOUETTE, CLEAR_SILHOUETTE = 0.25, 0.5  # Kaufman and Rousseeuw (1990), Finding Groups in Data, table 4
LEAST_STABILITY = 0.6  # Hennig (2007): a cluster that resamples find less often than that is not to be trusted
_MOST_DEVIATIONS = 3.0
_ROUNDING = 1e-9
_NARROW = {"customer_number": "int32", "days_since_last_order": "int32", "orders": "int32", "net_revenue": "float64"}
_SECOND_HABIT_FROM = 0.5  # standard deviations
Verdict = Literal["too_few", "none", "weak", "clear"]


@dataclass(frozen=True)
class ClusterTerms:
    """What the reader chooses: how many clusters; 0: the number with the highest silhouette."""

    clusters: int = 0

    def __post_init__(self) -> None:
        """Refuse a number of clusters that nobody could name."""
        if self.clusters and not FEWEST <= self.clusters <= MOST:
            raise BadInput(
                "{clusters} clusters can't be made. Choose {fewest} to {most}.", clusters=self.clusters, fewest=FEWEST, most=MOST
            )


BY_SILHOUETTE = ClusterTerms()

# ── query ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def customer_amounts(filters: Filters, as_of: date) -> Select[Any]:
    """One row per customer with a purchase up to `as_of` in the filters, the beginning of the period aside, by customer_number.

    customer_number, days_since_last_order, orders (purchases, those worth zero too), net_revenue, gross_revenue, discount (empty where
    none is recorded).
    """
    chosen = replace(filters, start=None, end=as_of)
    bought, rows = orders_within(chosen).c, amounts_within(chosen).c
    last_on, orders = func.max(bought.ordered_on).label("last_on"), func.count().label("orders")
    is_counted = bought.is_purchase, bought.customer_number.is_not(None)
    made = select(bought.customer_number, last_on, orders).where(*is_counted).group_by(bought.customer_number).cte("made").c
    names = ("net_revenue", "gross_revenue", "discount")
    summed = select(rows.customer_number, *[func.sum(rows[name]).label(name) for name in names])
    worth = summed.where(rows.customer_number.is_not(None)).group_by(rows.customer_number).cte("worth").c
    days = days_between(made.last_on, literal(as_of, Date)).label("days_since_last_order")
    return (
        select(made.customer_number, days, made.orders, *[worth[name] for name in names])
        .join(worth.customer_number.table, worth.customer_number == made.customer_number)
        .order_by(made.customer_number)
    )


# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_habits(amounts: pd.DataFrame) -> pd.DataFrame:
    """Return customer_number, net_revenue and HABITS of each customer. amounts: see customer_amounts.

    average_order_value: gross revenue / purchases; returned_share: of gross revenue, NaN without any; discount_share: of gross revenue
    before discounts, NaN where no discount is recorded.
    """
    sold, listed = amounts["gross_revenue"], amounts["gross_revenue"] + amounts["discount"].astype(float)
    kept = amounts[["customer_number", "net_revenue", "days_since_last_order", "orders"]].astype(_NARROW)
    return kept.assign(
        average_order_value=sold / amounts["orders"],
        returned_share=(sold - amounts["net_revenue"]) / sold.where(sold > 0),
        discount_share=amounts["discount"].astype(float) / listed.where(listed > 0),
    )


class Clustering(NamedTuple):
    """Clusters, and what they rest on.

    habits: the rows of with_habits, by customer_number. cluster: of each of them, from 1, the most net revenue first; empty without
    clusters. distances: one row per cluster and habit used: cluster, habit, distance (of the cluster's mean from that of all, in
    standard deviations). criteria: one row per number of clusters: clusters, silhouette, stability, is_chosen.
    """

    habits: pd.DataFrame
    cluster: Integers
    distances: pd.DataFrame
    criteria: pd.DataFrame

    @property
    def members(self) -> pd.DataFrame:
        """The rows of `habits` that are in a cluster: all, or none without clusters."""
        return self.habits.iloc[: len(self.cluster)]

    @property
    def chosen(self) -> pd.Series:
        """The chosen row of `criteria`; NaN without clusters."""
        found = self.criteria[self.criteria["is_chosen"]]
        return found.iloc[0] if len(found) else pd.Series(math.nan, index=self.criteria.columns)

    @property
    def verdict(self) -> Verdict:
        """Whether there are clusters at all: too few customers to tell, none, weak (may be made by the method), or clear."""
        silhouette = float(self.chosen["silhouette"])
        if math.isnan(silhouette):
            return "too_few"
        return "none" if silhouette < LEAST_SILHOUETTE else "weak" if silhouette < CLEAR_SILHOUETTE else "clear"


class Candidates(NamedTuple):
    """The k-means by number of clusters, none with too few customers, and how good each is: clusters, silhouette, stability."""

    models: dict[int, Any]
    criteria: pd.DataFrame


def candidates(habits: pd.DataFrame) -> Candidates:
    """Return clusters of every number, whatever the order of the rows. habits: see with_habits."""
    from threadpoolctl import threadpool_limits

    drawn = _sample(standardised(habits.sort_values("customer_number")).to_numpy())
    distinct = len(np.unique(drawn, axis=0)) if drawn.size else 0
    most = min(MOST, distinct - 1) if len(habits) >= CUSTOMERS_NEEDED else 0
    with threadpool_limits(1):  # threads cost a thousand small fits ten times what they save, and add up in no fixed order
        models = {number: _fitted(drawn, number) for number in range(FEWEST, most + 1)}
        rows = [(number, _silhouette(drawn, model.labels_), _stability(drawn, model)) for number, model in models.items()]
    return Candidates(models, pd.DataFrame(rows, columns=["clusters", "silhouette", "stability"]))


def clustering(habits: pd.DataFrame, found: Candidates, clusters: int = 0) -> Clustering:
    """Return customers in clusters. habits: as for `candidates`; clusters: how many, 0: the number with the highest silhouette."""
    habits = habits.sort_values("customer_number", ignore_index=True)
    if not found.models:
        nobody, nothing = np.zeros(0, dtype=np.int64), pd.DataFrame(columns=["cluster", "habit", "distance"])
        return Clustering(habits, nobody, nothing, found.criteria.assign(is_chosen=False))
    best = FEWEST + int(found.criteria["silhouette"].argmax())
    number, points = clusters if clusters in found.models else best, standardised(habits)
    labels = found.models[number].predict(points.to_numpy()).astype(np.int64)
    cluster = _by_revenue(labels, habits["net_revenue"].to_numpy(), number)
    return Clustering(habits, cluster, _distances(points, cluster), found.criteria.assign(is_chosen=found.criteria["clusters"] == number))


def standardised(habits: pd.DataFrame) -> pd.DataFrame:
    """Return HABITS as points, as the module says; one that is the same for everybody, or unknown, is left out.

    >>> standardised(pd.DataFrame(dict.fromkeys(HABITS, [1.0, 1.0]) | {"orders": [1.0, 3.0]}))["orders"].round(9).tolist()
    [-1.0, 1.0]
    """
    from sklearn.preprocessing import StandardScaler

    logs = habits[list(HABITS)].astype(float).clip(lower=0).transform(np.log1p)
    spread = logs.max() - logs.min()
    told = logs[[habit for habit in HABITS if spread[habit] > _ROUNDING]]
    if told.empty:
        return told
    scaled = StandardScaler().fit_transform(told.to_numpy())
    return pd.DataFrame(np.nan_to_num(scaled).clip(-_MOST_DEVIATIONS, _MOST_DEVIATIONS), columns=told.columns, index=told.index)


def _sample(points: Floats) -> Floats:
    if len(points) <= SAMPLE:
        return points
    drawn = np.random.default_rng(SEED).choice(len(points), SAMPLE, replace=False, shuffle=False)
    return points[np.sort(drawn)]


def _fitted(points: Floats, number: int, *, seed: int = SEED) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(number, n_init=STARTS, random_state=seed).fit(points)


def _silhouette(points: Floats, labels: Integers) -> float:
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(points, labels, sample_size=min(SILHOUETTE_SAMPLE, len(points)), random_state=SEED))


def _stability(points: Floats, model: Any) -> float:
    """Return the mean adjusted Rand index between the clusters of `points` and those that resamples of them put the same points in."""
    from sklearn.metrics import adjusted_rand_score

    generator = np.random.default_rng(SEED)
    found = []
    for seed in range(RESAMPLES):
        resample = points[generator.integers(0, len(points), len(points))]
        again = _fitted(resample, model.n_clusters, seed=seed)
        found.append(adjusted_rand_score(model.labels_, again.predict(points)))
    return float(np.mean(found))


def _by_revenue(found: Integers, net_revenue: Floats, number: int) -> Integers:
    """Return clusters numbered from 1, the most net revenue first."""
    place = np.empty(number, dtype=np.int64)
    place[np.argsort(-np.bincount(found, weights=net_revenue, minlength=number), kind="stable")] = np.arange(1, number + 1)
    return place[found]


def _distances(points: pd.DataFrame, cluster: Integers) -> pd.DataFrame:
    means = points.groupby(cluster).mean() - points.mean()
    return means.rename_axis("cluster").reset_index().melt("cluster", var_name="habit", value_name="distance")


def cluster_names(distances: pd.DataFrame) -> dict[int, str]:
    """Return an English name for each cluster: the habit farthest from the mean of all, the next if it is far, too, and as many more as
    it takes to tell it from the others. distances: see Clustering.

    >>> cluster_names(pd.DataFrame({"cluster": [1, 2], "habit": "orders", "distance": [1.0, -1.0]}))
    {1: 'buy often', 2: 'buy seldom'}
    """
    said: dict[int, list[str]] = {}
    length: dict[int, int] = {}
    for number, rows in distances.groupby("cluster"):
        ranked = rows.reindex(rows["distance"].abs().sort_values(ascending=False, kind="stable").index)
        cluster = int(str(number))
        said[cluster] = [
            NAMES[habit][0 if distance > 0 else 1] for habit, distance in zip(ranked["habit"], ranked["distance"], strict=True)
        ]
        length[cluster] = 2 if ranked["distance"].abs().iloc[1:2].ge(_SECOND_HABIT_FROM).any() else 1
    while True:
        names = {cluster: ", ".join(words[: length[cluster]]) for cluster, words in said.items()}
        times = Counter(names.values())
        vague = [cluster for cluster, name in names.items() if times[name] > 1]
        longer = {cluster: length[cluster] + 1 for cluster in vague if length[cluster] < len(said[cluster])}
        if not longer:
            return names | {cluster: f"{names[cluster]}, {cluster}" for cluster in vague}
        length |= longer


def cluster_rows(found: Clustering) -> pd.DataFrame:
    """Return one row per cluster: see the table `clusters`."""
    by_cluster = found.members.groupby(found.cluster)
    names = cluster_names(found.distances)
    customers, net_revenue = by_cluster.size(), by_cluster["net_revenue"].sum()
    medians = by_cluster[list(HABITS)].median().astype(float)
    rows = pd.DataFrame(
        {
            "name": [names[int(cluster)] for cluster in customers.index],
            "customers": customers,
            "customers_share": customers / max(len(found.habits), 1),
            "net_revenue": net_revenue,
            "net_revenue_share": [share(float(part), float(net_revenue.sum())) for part in net_revenue],
            **{f"{habit}_median": medians[habit] for habit in HABITS},
        }
    )
    return rows.rename_axis("cluster").reset_index()


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def habits(source: Source, chosen: Filters, as_of: date) -> pd.DataFrame:
    """Return the habits of each customer; ask by source.remember."""
    return with_habits(source(customer_amounts(chosen, as_of)))


def compared(source: Source, chosen: Filters, as_of: date) -> Candidates:
    """Return clusters of every number; ask by source.remember."""
    return candidates(source.remember(habits, chosen, as_of))


def clustered(source: Source, chosen: Filters, as_of: date, terms: ClusterTerms) -> Clustering:
    """Return the customers in clusters; ask by source.remember."""
    return clustering(source.remember(habits, chosen, as_of), source.remember(compared, chosen, as_of), terms.clusters)


def _found(source: Source, filters: Filters, terms: ClusterTerms) -> Clustering:
    as_of = as_of_day(source, filters)
    return source.remember(clustered, choice(filters, as_of), as_of, terms)


def cluster_queries(source: Source, filters: Filters) -> tuple[Select[Any], ...]:
    """Return the query that the clusters are made from, to be shown."""
    return (customer_amounts(filters, as_of_day(source, filters)),)


def clusters(source: Source, filters: Filters, terms: ClusterTerms = BY_SILHOUETTE) -> pd.DataFrame:
    """Return one row per cluster, the most net revenue first; none with too few customers.

    cluster, name (an English text: parts with a translation of their own, joined by commas), customers, customers_share, net_revenue,
    net_revenue_share, and the medians of HABITS (<habit>_median; NaN: unknown).
    """
    return cluster_rows(_found(source, filters, terms))


def cluster_profile(source: Source, filters: Filters, terms: ClusterTerms = BY_SILHOUETTE) -> pd.DataFrame:
    """Return one row per cluster and habit used: cluster, habit, distance (see Clustering), cluster_median, median (of all customers)."""
    found = _found(source, filters, terms)
    medians = found.members.groupby(found.cluster)[list(HABITS)].median().astype(float).rename_axis("cluster").reset_index()
    long = medians.melt("cluster", var_name="habit", value_name="cluster_median")
    every = found.habits[list(HABITS)].median().rename_axis("habit").rename("median").reset_index()
    return (
        found.distances.merge(long, on=["cluster", "habit"])
        .merge(every, on="habit")
        .sort_values("cluster", kind="stable", ignore_index=True)
    )


def cluster_criteria(source: Source, filters: Filters, terms: ClusterTerms = BY_SILHOUETTE) -> pd.DataFrame:
    """Return one row per number of clusters tried: clusters, silhouette (mean of 2,000 customers), stability, is_chosen.

    stability: mean adjusted Rand index between the clusters of the sample and those found in 20 resamples of it, 1: always the same.
    """
    return _found(source, filters, terms).criteria


def cluster_basis(source: Source, filters: Filters, terms: ClusterTerms = BY_SILHOUETTE) -> pd.DataFrame:
    """Return one row: as_of, customers, sampled (fitted on), customers_needed, clusters, silhouette, stability, is_stable, verdict
    ('too_few', 'none', 'weak', 'clear').
    """
    found = _found(source, filters, terms)
    row = {
        "as_of": pd.Timestamp(as_of_day(source, filters)),
        "customers": len(found.habits),
        "sampled": min(len(found.habits), SAMPLE),
        "customers_needed": CUSTOMERS_NEEDED,
        "clusters": len(np.unique(found.cluster)),
        "silhouette": float(found.chosen["silhouette"]),
        "stability": float(found.chosen["stability"]),
        "is_stable": bool(found.chosen["stability"] >= LEAST_STABILITY),
        "verdict": found.verdict,
    }
    return pd.DataFrame([row])


def cluster_tiles(source: Source, filters: Filters, terms: ClusterTerms = BY_SILHOUETTE) -> pd.DataFrame:
    """Return the tiles of the clusters: metric, value, low, high (unknown), unit, n (customers)."""
    found = _found(source, filters, terms)
    values = (len(found.members), float(found.chosen["silhouette"]), float(found.chosen["stability"]))
    return tile_frame(CLUSTER_METRICS, values, len(found.habits))


def tile_frame(metrics: Sequence[Metric], values: Sequence[float], n: int) -> pd.DataFrame:
    """Return tiles without intervals: metric, value, low, high, unit, n."""
    return pd.DataFrame([tile(metric, value, n) for metric, value in zip(metrics, values, strict=True)])


def cluster_customers(source: Source, filters: Filters, terms: ClusterTerms = BY_SILHOUETTE) -> pd.DataFrame:
    """Return one row per customer, the highest net revenue first: customer_id, customer_name, cluster, name, HABITS, net_revenue."""
    found = _found(source, filters, terms)
    rows = found.members.assign(cluster=found.cluster, name=pd.Series(found.cluster).map(cluster_names(found.distances)))
    return named(source, filters, rows)[["customer_id", "customer_name", "cluster", "name", *HABITS, "net_revenue"]]


def named(source: Source, filters: Filters, customers: pd.DataFrame) -> pd.DataFrame:
    """Return `customers` with customer_id and customer_name, the highest net revenue first, equal ones by customer_id."""
    people = source.remember(known, filters.scope, as_of_day(source, filters)).customers[
        ["customer_number", "customer_id", "customer_name"]
    ]
    return customers.merge(people, on="customer_number", how="left").sort_values(
        ["net_revenue", "customer_id"], ascending=[False, True], ignore_index=True
    )

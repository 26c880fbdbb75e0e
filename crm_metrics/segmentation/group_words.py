"""What the clusters and the three axes say, in words."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from crm_metrics.captions import CUSTOMER, Captions
from crm_metrics.language import date_text, noop, t, translated
from crm_metrics.metric import value_text
from crm_metrics.segmentation.cluster_figure import HABIT_LABELS, cluster_name
from crm_metrics.segmentation.clustering import FEWEST, LEAST_SILHOUETTE, LEAST_STABILITY, MOST
from crm_metrics.segmentation.labels import remark
from crm_metrics.segmentation.three_axes import AXES, LOYALTY, PROFIT, SATISFACTION

GROUP_QUESTIONS: dict[str, str] = {"clusters": noop("Who behaves alike?"), "axes": noop("Are the satisfied ones loyal, and do they pay?")}
_ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "clusters": noop("Table of fields: a row per cluster, the median of each habit, darker the farther from the mean of all customers."),
    "criteria": noop("Lines: silhouette and stability by number of clusters, the chosen number marked."),
    "axes": noop("Bars: share of the customers of each satisfaction by loyalty and profit level, with their number."),
}
_NOTES: dict[str, str] = {  # by the name of the figure
    "clusters": noop(
        "Habits of each customer up to the as-of date: logarithms, standardised, three standard deviations from the mean at most; who is "
        "unknown on a habit stands at the mean. K-means with ten starts on at most 5,000 customers drawn at random; all others join the "
        "nearest cluster. In the fields: the median. ▲ above, ▼ below the mean of all by .3 standard deviations or more. A name says what "
        "sets a cluster farthest apart. Beside it: customers · share of net revenue. A click shows the customers. Left out: sales without "
        "a customer."
    ),
    "criteria": noop(
        "Silhouette (Rousseeuw 1987): how much nearer customers are to their own cluster than to the next, mean of 2,000 customers, -1 to "
        "1; the number with the highest is chosen. Under .25 there are no clusters to speak of, under .5 the method may have made them "
        "(Kaufman and Rousseeuw 1990). Stability: mean adjusted Rand index between these clusters and those of 20 resamples, 1: always "
        "the same customers together, 0: chance."
    ),
    "axes": noop(
        "Profit up to the as-of date as in Profitability; where costs are unknown gross margin or net revenue takes its place, as the line "
        "above says. A bar is as high as its share of the customers of that satisfaction, with their number; faded: under 30. A click "
        "shows the customers. Left out: sales without a customer."
    ),
}
_MEDIAN = "_median"
_COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "clusters": {
        "cluster": (noop("Cluster"), "count"),
        "name": (noop("Who they are"), "text"),
        "customers": (noop("Customers"), "count"),
        "customers_share": (noop("Share of customers"), "share"),
        "net_revenue": (noop("Net revenue"), "money"),
        "net_revenue_share": (noop("Share of revenue"), "share"),
        **{f"{habit}{_MEDIAN}": spec for habit, spec in HABIT_LABELS.items()},
    },
    "members": {
        **CUSTOMER,
        "cluster": (noop("Cluster"), "count"),
        **{habit: (label, "count" if unit == "days" else unit) for habit, (label, unit) in HABIT_LABELS.items()},
        "net_revenue": (noop("Net revenue"), "money"),
    },
    "axes": {
        "satisfaction": (noop("Satisfaction"), "text"),
        "loyalty": (noop("Loyalty"), "text"),
        "profit_level": (noop("Profit level"), "text"),
        "customers": (noop("Customers"), "count"),
        "customers_share": (noop("Share of customers"), "share"),
        "net_revenue": (noop("Net revenue"), "money"),
        "net_revenue_share": (noop("Share of revenue"), "share"),
        "profit": (noop("Profit"), "money"),
        "profit_share": (noop("Share of profit"), "share"),
    },
    "cell": {
        **CUSTOMER,
        "satisfaction": (noop("Satisfaction"), "text"),
        "loyalty": (noop("Loyalty"), "text"),
        "profit_level": (noop("Profit level"), "text"),
        "satisfaction_score": (noop("Mean answer"), "ratio"),
        "orders": (noop("Orders"), "count"),
        "days_since_last_order": (noop("Days since last order"), "count"),
        "net_revenue": (noop("Net revenue"), "money"),
        "profit": (noop("Profit"), "money"),
    },
}
_BASES = {"profit": noop("profit"), "gross_margin": noop("gross margin"), "net_revenue": noop("net revenue")}
_LEVELS = dict(zip(AXES, (SATISFACTION, LOYALTY, PROFIT), strict=True))


group_about = Captions(_ALT_TEXTS, _NOTES).about


def group_columns(table: str, frame: pd.DataFrame) -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of a table as shown (a key of _COLUMNS) that `frame` knows something of."""
    known = {name: (t(label), unit) for name, (label, unit) in _COLUMNS[table].items() if frame[name].notna().any()}
    return {name: (t("{habit}, median", habit=label) if name.endswith(_MEDIAN) else label, unit) for name, (label, unit) in known.items()}


def axes_columns(table: str, frame: pd.DataFrame, basis: pd.DataFrame) -> dict[str, tuple[str, Any]]:
    """Return `group_columns`, profit named for what it is, and left out where it is net revenue again. basis: the table axes_basis."""
    known = group_columns(table, frame)
    if basis.iloc[0].profit_basis == "net_revenue":
        return {name: spec for name, spec in known.items() if name not in ("profit", "profit_share")}
    if basis.iloc[0].profit_basis == "gross_margin":
        shown = {"profit": t("Gross margin"), "profit_share": t("Share of gross margin")}
        return {name: (shown.get(name, label), unit) for name, (label, unit) in known.items()}
    return known


# ── clusters ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def cluster_numbers() -> dict[str, str]:
    """Return how many clusters there can be, as they are chosen and as they read; first the number with the highest silhouette."""
    return {"0": t("by the highest silhouette")} | {str(number): str(number) for number in range(FEWEST, MOST + 1)}


def cluster_finding(clusters: pd.DataFrame, basis: pd.DataFrame) -> str:
    """Return what the clusters say, or why they say nothing. clusters, basis: the tables clusters and cluster_basis."""
    state: Any = basis.iloc[0]
    if state.verdict == "too_few":
        return _too_few(state)
    if state.verdict == "none":
        return t(
            "The habits of the {n} customers run into each other: {clusters} clusters are none worth the name (silhouette {silhouette}, "
            "under {least}).",
            clusters=len(clusters),
            n=f"{state.customers:,}",
            silhouette=f"{state.silhouette:.2f}",
            least=f"{LEAST_SILHOUETTE:.2f}",
        )
    first: Any = clusters.iloc[0]
    values = {"n": f"{state.customers:,}", "clusters": len(clusters), "name": cluster_name(first["name"])}
    size = value_text(first.customers_share, "share")
    if pd.isna(first.net_revenue_share):
        return t("{n} customers fall into {clusters} clusters; in the first ({name}) are {customers}.", customers=size, **values)
    return t(
        "{n} customers fall into {clusters} clusters; the first ({name}), {customers} of them, brings {revenue} of net revenue.",
        customers=size,
        revenue=value_text(first.net_revenue_share, "share"),
        **values,
    )


def _too_few(state: Any) -> str:
    if not state.customers:
        return t("No customer with a purchase up to {day} matches the filters.", day=date_text(state.as_of))
    return t(
        "No clusters: too few customers ({n}), or habits that hardly differ; it takes {needed} customers to tell groups apart.",
        n=f"{state.customers:,}",
        needed=state.customers_needed,
    )


def has_clusters(basis: pd.DataFrame) -> bool:
    """Return whether there is anything to draw. basis: the table cluster_basis."""
    return bool(basis.iloc[0].verdict != "too_few")


def cluster_trust(basis: pd.DataFrame) -> str:
    """Return how far the clusters can be trusted and which orders they are of, if there are any. basis: the table cluster_basis."""
    state: Any = basis.iloc[0]
    if state.verdict == "too_few":
        return ""
    grades = {
        "none": t("What is drawn is what the method makes of any cloud of points: don't act on it."),
        "weak": t("The clusters overlap (silhouette {silhouette}): tendencies, not types.", silhouette=f"{state.silhouette:.2f}"),
        "clear": t("The clusters stand apart (silhouette {silhouette}).", silhouette=f"{state.silhouette:.2f}"),
    }
    stability = f"{state.stability:.2f}"
    stable = (
        t("Stable: resamples of the customers find them again (stability {stability}).", stability=stability)
        if state.is_stable
        else t(
            "Not stable: don't act on these. Resamples find other clusters (stability {stability}, under {least}).",
            stability=stability,
            least=f"{LEAST_STABILITY:.1f}",
        )
    )
    return t(" ").join([grades[state.verdict], stable, remark("all_orders")])


def clusters_in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the names of its clusters in the reader's language."""
    return frame.assign(name=frame["name"].map(cluster_name))


def chosen_clusters(clusters: pd.DataFrame, picked: Sequence[Any], rows: Sequence[int]) -> list[int]:
    """Return the clusters chosen in the figure and in the table. clusters: the table of this name."""
    return sorted({int(cluster) for cluster in [*picked, *clusters["cluster"].iloc[list(rows)]]})


def of_clusters(customers: pd.DataFrame, clusters: Sequence[int]) -> pd.DataFrame:
    """Return the customers of some clusters. customers: the table cluster_customers."""
    return customers[customers["cluster"].isin(clusters)].reset_index(drop=True)


def clusters_text(clusters: pd.DataFrame, chosen: Sequence[int]) -> str:
    """Return the heading above the customers of some clusters. clusters: the table of this name."""
    names = clusters.set_index("cluster")["name"]
    return t("Customers: {segments}", segments="; ".join(f"{cluster} {cluster_name(names[cluster])}" for cluster in chosen))


# ── three axes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def axes_finding(axes: pd.DataFrame, basis: pd.DataFrame, *, currency: str) -> str:
    """Return whom to call, and whom to charge. axes, basis: the tables axes and axes_basis."""
    state: Any = basis.iloc[0]
    if not state.customers:
        return t("No customer with a purchase up to {day} matches the filters.", day=date_text(state.as_of))
    loyal = axes["loyalty"] == "loyal"
    if not state.answered:
        most = axes[loyal & (axes["profit_level"] == "most")]
        return t(
            "No answers to surveys: satisfaction is unknown. Loyal, and among those who bring most {basis}: {n}.",
            n=_customers(most),
            basis=t(_BASES[state.profit_basis]),
        )
    dissatisfied = axes[(axes["satisfaction"] == "dissatisfied") & (axes["profit_level"] == "most")]
    losing = axes[loyal & (axes["satisfaction"] == "satisfied") & (axes["profit_level"] == "loses")]
    texts = [_call_text(dissatisfied, state, currency)]
    if losing["customers"].sum():
        lost = value_text(-float(losing["profit"].sum()), "money", currency)
        texts.append(t("Satisfied and loyal, but losing money: {n}, with {money} in all.", n=_customers(losing), money=lost))
    return t(" ").join(texts)


class AnswerRange(NamedTuple):
    """limits: the lowest and the highest answer there can be; cuts: from where a mean is usually middling, and satisfied."""

    limits: tuple[float, float]
    cuts: tuple[float, float]


def answer_range(basis: pd.DataFrame) -> AnswerRange:
    """Return the answers to the surveys that satisfaction is told by. basis: the table axes_basis with the usual cut points."""
    state: Any = basis.iloc[0]
    limits = (0.0, 10.0) if state.survey_kind == "recommendation" else (1.0, 5.0)
    return AnswerRange(limits, (float(state.middling_from), float(state.satisfied_from)))


def _call_text(dissatisfied: pd.DataFrame, state: Any, currency: str) -> str:
    if not dissatisfied["customers"].sum():
        return t("None of those who earn most said to be dissatisfied.")
    return t(
        "Earning most and dissatisfied: {n}. Call these first; they brought {money} in {basis} so far.",
        n=_customers(dissatisfied),
        money=value_text(float(dissatisfied["profit"].sum()), "money", currency),
        basis=t(_BASES[state.profit_basis]),
    )


def axes_note(basis: pd.DataFrame) -> str:
    """Return what the levels mean and on how many answers they stand. basis: the table axes_basis."""
    state: Any = basis.iloc[0]
    texts = []
    if state.answered:
        kind = t("satisfaction, 1 to 5") if state.survey_kind == "satisfaction" else t("recommendation, 0 to 10")
        texts.append(
            t(
                "Satisfied: a mean answer of {high} or more ({kind}); dissatisfied: under {low}. {answered} of {invited} customers asked "
                "have answered ({rate}), out of {n} customers in all ({share}).",
                high=f"{state.satisfied_from:g}",
                low=f"{state.middling_from:g}",
                kind=kind,
                answered=f"{state.answered:,}",
                invited=f"{state.invited:,}",
                rate=value_text(state.answered / state.invited, "share"),
                n=f"{state.customers:,}",
                share=value_text(state.answered / state.customers, "share"),
            )
        )
    texts.append(
        t(
            "Loyal: {orders} orders or more, the last at most {days} days ago. Earns most: the top {share} of customers by {basis}.",
            orders=state.loyal_orders,
            days=state.loyal_days,
            share=value_text(state.best_share, "share"),
            basis=t(_BASES[state.profit_basis]),
        )
    )
    if state.profit_basis == "net_revenue":
        texts.append(t("No profit: costs are unknown. Loses money: gave back more than bought."))
    return t(" ").join([*texts, remark("all_orders")])


def _customers(cells: pd.DataFrame) -> str:
    return f"{int(cells['customers'].sum()):,}"


def axes_in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its levels in the reader's language, cells without customers left out."""
    shown = frame[frame["customers"] > 0] if "customers" in frame else frame
    named = {axis: shown[axis].map(translated(levels)) for axis, levels in _LEVELS.items()}
    return shown.assign(**named).reset_index(drop=True)


def chosen_cells(axes: pd.DataFrame, picked: Sequence[Any], rows: Sequence[int]) -> list[tuple[str, ...]]:
    """Return the cells chosen in the figure and in the table of axes_in_words, as levels. axes: the table of this name."""
    shown = axes.loc[axes["customers"] > 0, list(AXES)]
    clicked = [tuple(str(levels).split("|")) for levels in picked]
    return list(dict.fromkeys([*clicked, *shown.iloc[list(rows)].itertuples(index=False, name=None)]))


def of_cells(customers: pd.DataFrame, cells: Sequence[tuple[str, ...]]) -> pd.DataFrame:
    """Return the customers of some cells, in words. customers: the table axes_customers."""
    return axes_in_words(customers.merge(pd.DataFrame(cells, columns=list(AXES)), on=list(AXES)))


def cells_text(cells: Sequence[tuple[str, ...]]) -> str:
    """Return the heading above the customers of some cells."""
    named = [t(", ").join(t(_LEVELS[axis][level]) for axis, level in zip(AXES, cell, strict=True)) for cell in cells]
    return t("Customers: {segments}", segments="; ".join(named))

"""The pictures of the clusters."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import noop, t
from crm_metrics.metric import Unit, value_text
from crm_metrics.segmentation.clustering import LEAST_SILHOUETTE, LEAST_STABILITY
from crm_metrics.segmentation.figure import DARKEST, PALEST

HABIT_LABELS: dict[str, tuple[str, Unit]] = {  # in the order of the columns
    "days_since_last_order": (noop("Days since last order"), "days"),
    "orders": (noop("Orders"), "count"),
    "average_order_value": (noop("Revenue per order"), "money"),
    "returned_share": (noop("Share returned"), "share"),
    "discount_share": (noop("Share of discount"), "share"),
}
_MARGIN, _ROW_HEIGHT = 95, 74
_FIELD_HEIGHT = 0.62  # of a row; its name stands above it
_FARTHEST = 2.0  # standard deviations from the mean of all: from there on a field is darkest
_WHOLE_FROM = 10  # of money: from there on nobody asks for the cents
_UNREMARKABLE = 0.3  # standard deviations: under that a field is grey

# ── figure ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def cluster_matrix(clusters: pd.DataFrame, profile: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return a row per cluster and a column per habit: the median, darker the farther the cluster stands from the mean of all.

    clusters, profile: the tables `clusters` and `cluster_profile`. First in the customdata: the cluster.
    """
    habits = [habit for habit in HABIT_LABELS if habit in set(profile["habit"])]
    title = t("Beside each name: customers · share of net revenue")
    figure = figures.base(x_title=title, y_title="", height=_MARGIN + _ROW_HEIGHT * max(len(clusters), 1))
    rows, columns = (
        {cluster: place for place, cluster in enumerate(clusters["cluster"])},
        {name: place for place, name in enumerate(habits)},
    )
    sizes = profile["cluster"].map(clusters.set_index("cluster")["customers"])
    away = profile["distance"].abs().clip(upper=_FARTHEST).to_numpy(dtype=float)
    texts = [_median_text(*each, currency=currency) for each in profile[["habit", "cluster_median"]].itertuples(index=False, name=None)]
    figure.add_bar(
        x=profile["habit"].map(columns),
        y=np.full(len(profile), _FIELD_HEIGHT),
        base=profile["cluster"].map(rows).to_numpy(dtype=float) - _FIELD_HEIGHT / 2,
        width=0.95,
        marker={
            "color": [_color(distance) for distance in profile["distance"]],
            "opacity": (PALEST + (DARKEST - PALEST) * away / _FARTHEST) * np.where(sizes < FEW_CUSTOMERS, 0.5, 1),
        },
        customdata=[[cluster, hover] for cluster, hover in zip(profile["cluster"], _hovers(profile, currency), strict=True)],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )
    for row in clusters.itertuples():
        figure.add_annotation(
            x=-0.475, y=rows[row.cluster] - _FIELD_HEIGHT / 2, text=_row_label(row), xanchor="left", yanchor="bottom", showarrow=False
        )
    for cluster, habit, text, distance in zip(profile["cluster"], profile["habit"], texts, profile["distance"], strict=True):
        arrow = "" if abs(distance) < _UNREMARKABLE else " ▲" if distance > 0 else " ▼"
        figure.add_annotation(x=columns[habit], y=rows[cluster], text=text + arrow, showarrow=False, font={"size": 12})
    figure.update_xaxes(
        tickvals=list(columns.values()),
        ticktext=[t(HABIT_LABELS[habit][0]).replace(" ", "<br>", 1) for habit in habits],
        side="top",
        tickangle=0,
        tickfont={"size": 11},
        zeroline=False,
    )
    figure.update_yaxes(range=[len(rows) - 0.4, -0.8], visible=False)
    return figure


def _hovers(profile: pd.DataFrame, currency: str) -> list[str]:
    rows: Any = profile.itertuples()
    return [
        t(
            "{habit}: {own} (all: {every}; {distance} sd)",
            habit=t(HABIT_LABELS[row.habit][0]),
            own=_median_text(row.habit, row.cluster_median, currency=currency),
            every=_median_text(row.habit, row.median, currency=currency),
            distance=f"{row.distance:+.1f}",
        )
        for row in rows
    ]


def _median_text(habit: str, median: float, *, currency: str) -> str:
    unit = HABIT_LABELS[habit][1]
    if unit == "money":
        shown = round(median) if abs(median) >= _WHOLE_FROM else median  # narrow fields
        return value_text(shown, unit, currency).removesuffix(".00")
    return value_text(median, "count" if unit == "days" else unit)  # days are in the heading


def _color(distance: float) -> str:
    if abs(distance) < _UNREMARKABLE:
        return figures.GREY
    return figures.ACCENT if distance > 0 else figures.SERIES[1]


def cluster_name(name: str) -> str:
    """Return the name of a cluster, an English text of the table, in the reader's language."""
    return t(", ").join(t(part) for part in name.split(", "))


def _row_label(row: Any) -> str:
    share = value_text(row.net_revenue_share, "share")
    return f"<b>{row.cluster} {cluster_name(row.name)}</b> · {row.customers:,} · {share}"


def criteria_lines(criteria: pd.DataFrame) -> go.Figure:
    """Return silhouette and stability by number of clusters, the chosen number and the least of each marked. criteria: cluster_criteria."""
    figure = figures.base(x_title=t("Number of clusters"), y_title=t("Silhouette; stability"), height=figures.SMALL_HEIGHT + 20)
    for column, name, color, least in (
        ("stability", t("stability"), figures.GREY, LEAST_STABILITY),
        ("silhouette", t("silhouette"), figures.ACCENT, LEAST_SILHOUETTE),
    ):
        figures.add_line(figure, criteria["clusters"], criteria[column], name=name, color=color)
        first, last = criteria["clusters"].iloc[[0, -1]]
        figure.add_shape(x0=first, x1=last, y0=least, y1=least, line={"color": color, "width": 1, "dash": "dash"})
        text = name + "<br>" + t("at least {value}", value=f"{least:.2f}")
        figures.add_label(figure, last, float(criteria[column].iloc[-1]), text, color=color)
    chosen = criteria[criteria["is_chosen"]]
    figure.add_scatter(
        x=chosen["clusters"],
        y=chosen["silhouette"],
        mode="markers",
        marker={"size": 14, "color": figures.ACCENT, "symbol": "diamond"},
        hovertemplate="%{x}: %{y:.2f}<extra></extra>",
    )
    figure.update_xaxes(tickvals=criteria["clusters"], range=[first - 0.3, last + 1.8])
    figure.update_yaxes(range=[min(0.0, float(criteria[["silhouette", "stability"]].min().min())) - 0.02, 1.05], tickformat=".1f")
    return figure

"""The picture of a customer: P(alive) over time."""

import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.language import t

MILLISECONDS_PER_DAY = 86_400_000  # Plotly's unit on an axis of days
BARS_SIDE_BY_SIDE = 120  # a bar is never thinner than this many of them side by side
HEIGHT = 300  # the first screen holds the finding, the tiles and the figure


def alive_figure(alive: pd.DataFrame) -> go.Figure:
    """Draw P(alive) day by day with each purchase day marked. alive: day, probability_alive, is_purchase."""
    figure = figures.base(x_title=t("Day"), y_title=t("P(alive)"), y_unit="share", height=HEIGHT)
    bought = alive[alive["is_purchase"]]
    figure.add_scatter(
        x=alive["day"].to_numpy(),
        y=alive["probability_alive"].to_numpy(),
        mode="lines",
        line={"color": figures.ACCENT, "width": 2.5},
        hovertemplate="%{x|%Y-%m-%d}  %{y:.0%}<extra></extra>",
    )
    figure.add_scatter(
        x=bought["day"].to_numpy(),
        y=bought["probability_alive"].to_numpy(),
        mode="markers",
        marker={"symbol": "triangle-down", "size": 9, "color": figures.SERIES[1]},
        hovertemplate="%{x|%Y-%m-%d}  " + t("purchase") + "<extra></extra>",
    )
    if len(bought):
        first = bought.iloc[0]
        text = t("▼ a purchase day")
        figure.add_annotation(
            x=first["day"], y=0.04, text=text, showarrow=False, xanchor="left", font={"color": figures.SERIES[1], "size": 12}
        )
    figure.update_yaxes(range=[0, 1.04])
    return figure


def orders_figure(orders: pd.DataFrame) -> go.Figure:
    """Draw net revenue by day: what was bought when, where there is no P(alive) to draw. orders: ordered_on, net_revenue."""
    by_day = orders.groupby("ordered_on")["net_revenue"].sum()
    figure = figures.base(x_title=t("Day"), y_title=t("Net revenue"), y_unit="money", height=HEIGHT)
    span_days = (by_day.index.max() - by_day.index.min()).days
    figure.add_bar(
        x=by_day.index.to_numpy(),
        y=by_day.to_numpy(),
        width=max(span_days / BARS_SIDE_BY_SIDE, 1.0) * MILLISECONDS_PER_DAY,
        marker={"color": [figures.ACCENT if amount >= 0 else figures.BAD for amount in by_day]},
        hovertemplate="%{x|%Y-%m-%d}  %{y:,.2f}<extra></extra>",
    )
    return figure

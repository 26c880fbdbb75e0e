"""The picture of a customer: P(alive) over time."""

import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.language import t

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

"""The picture of a planned test."""

import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.language import t
from crm_metrics.metric import is_unknown


def power_line(power: pd.DataFrame, plan: pd.DataFrame, *, lift: float, target: float) -> go.Figure:
    """Return the chance to find a lift, by its size, with the customers at hand. power, plan: the tables of these names."""
    figure = figures.base(x_title=t("Lift over what happens without"), y_title=t("Chance to find it"), x_unit="share", y_unit="share")
    figures.add_line(figure, power["lift"], power["power"], name=t("Chance to find it"))
    figure.data[0].update(mode="lines")
    figure.add_hline(y=target, line={"color": figures.GREY, "width": 1, "dash": "dot"})
    figures.add_label(figure, float(power["lift"].iloc[0]), target + 0.045, t("wanted: {power}", power=f"{target:.0%}"))
    figure.add_vline(x=lift, line={"color": figures.SERIES[1], "width": 1.5, "dash": "dash"})
    figures.add_label(figure, lift, 0.04, t("worth having"), color=figures.SERIES[1])
    smallest = float(plan["smallest_lift"].iloc[0])
    if not is_unknown(smallest):
        figure.add_scatter(x=[smallest], y=[target], mode="markers", marker={"size": 12, "color": figures.ACCENT}, hoverinfo="skip")
        figures.add_label(figure, smallest, target - 0.06, t("smallest lift shown: {lift}", lift=f"{smallest:.1%}"), color=figures.ACCENT)
    figure.update_yaxes(range=[0, 1.04])
    return figure

"""The picture of the three axes."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import t
from crm_metrics.metric import value_text
from crm_metrics.segmentation.three_axes import AXES, LOYALTY, PROFIT, SATISFACTION

_MARGIN, _ROW_HEIGHT = 110, 98  # pixels
_HIGHEST, _WIDTH = 0.66, 0.27  # of a bar, of a row and a column
_LOOKS = {"loses": (figures.BAD, -0.3), "little": (figures.GREY, 0.0), "most": (figures.ACCENT, 0.3)}

# ── figure ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def axes_bars(axes: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return a field per satisfaction and loyalty with a bar per profit level, as high as its share of the customers of that satisfaction.

    axes: the table of this name. On the bars the customers; few are faded. First in the customdata: the three levels, joined by a bar.
    """
    sizes = axes.groupby("satisfaction")["customers"].sum()
    known = [name for name in reversed(SATISFACTION) if sizes[name] > 0]
    rows, columns = ({name: place for place, name in enumerate(names)} for names in (known, LOYALTY))
    height = _MARGIN + _ROW_HEIGHT * max(len(rows), 2)  # its title takes two rows
    figure = figures.base(x_title=t("Loyalty"), y_title=t("Satisfaction: share of its customers"), height=height)
    shares = axes["customers"] / axes["satisfaction"].map(sizes).clip(lower=1)
    shown = axes.assign(height=shares / max(shares.max(), 1e-9) * _HIGHEST, share=shares)[axes["customers"] > 0]
    for level, (color, aside) in _LOOKS.items():
        cells = shown[shown["profit_level"] == level]
        floor = cells["satisfaction"].map(rows).astype(float)
        figure.add_bar(
            x=cells["loyalty"].map(columns).astype(float) + aside,
            y=cells["height"],
            base=floor,
            width=_WIDTH,
            name=t(PROFIT[level]),
            marker={"color": color, "opacity": np.where(cells["customers"] < FEW_CUSTOMERS, 0.4, 0.9)},
            customdata=[_hover(cell, currency) for cell in cells.itertuples()],
            hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]}<br>%{customdata[3]}<extra></extra>",
        )
        for x, top, customers in zip(
            cells["loyalty"].map(columns).astype(float) + aside, floor + cells["height"], cells["customers"], strict=True
        ):
            figure.add_annotation(x=x, y=top, yshift=9, text=f"{customers:,}", showarrow=False, font={"size": 11})
    for place in range(1, len(columns)):
        figure.add_vline(x=place - 0.5, line={"color": figures.faded(figures.GREY, 0.4), "width": 1})
    figure.update_xaxes(
        tickvals=list(columns.values()),
        ticktext=[t(LOYALTY[name]).replace(" ", "<br>", 1) for name in columns],
        range=[-0.5, len(columns) - 0.5],
        tickangle=0,
    )
    figure.update_yaxes(
        tickvals=[place + _HIGHEST / 2 for place in rows.values()],
        ticktext=[f"{t(SATISFACTION[name])}<br>n = {sizes[name]:,}" for name in rows],
        range=[-0.05, max(len(rows), 1)],
        zeroline=False,
        showgrid=False,
    )
    for floor_of_row in rows.values():
        figure.add_hline(y=floor_of_row, line={"color": figures.faded(figures.GREY, 0.4), "width": 1})
    figure.update_layout(showlegend=True, barmode="overlay")
    return figure


def _hover(cell: Any, currency: str) -> tuple[str, str, str, str]:
    levels = [getattr(cell, axis) for axis in AXES]
    named = t(", ").join(t(labels[level]) for labels, level in zip((SATISFACTION, LOYALTY, PROFIT), levels, strict=True))
    customers = t("{n} customers", n=f"{cell.customers:,}") + f" ({value_text(cell.share, 'share')})"
    brought = t("net revenue {revenue}", revenue=value_text(cell.net_revenue, "money", currency))
    return "|".join(levels), named, customers, brought

"""The picture of the three axes."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.language import t
from crm_metrics.metric import value_text
from crm_metrics.segmentation.figure import FEW_CUSTOMERS
from crm_metrics.segmentation.three_axes import AXES, LOYALTY, PROFIT, SATISFACTION

_HEIGHT, _LARGEST = 430, 50  # pixels; the width of the largest bubble
_LOOKS = {"loses": (figures.BAD, "square", -0.3), "little": (figures.GREY, "circle", 0.0), "most": (figures.ACCENT, "diamond", 0.3)}

# ── figure ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def axes_bubbles(axes: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return a field per satisfaction and loyalty with a bubble per profit level, as large as its customers, few of them faded.

    axes: the table of this name. First in the customdata: the three levels, joined by a bar.
    """
    figure = figures.base(x_title=t("Loyalty"), y_title=t("Satisfaction"), height=_HEIGHT)
    rows = {name: place for place, name in enumerate(reversed(SATISFACTION))}
    columns = {name: place for place, name in enumerate(LOYALTY)}
    shown = axes[axes["customers"] > 0]
    largest = float(shown["customers"].max()) if len(shown) else 1.0
    for level, (color, symbol, aside) in _LOOKS.items():
        cells = shown[shown["profit_level"] == level]
        size = np.sqrt(cells["customers"].to_numpy(dtype=float) / largest) * _LARGEST
        figure.add_scatter(
            x=cells["loyalty"].map(columns) + aside,
            y=cells["satisfaction"].map(rows),
            mode="markers",
            name=t(PROFIT[level]),
            marker={
                "size": size.clip(5),
                "color": color,
                "symbol": symbol,
                "opacity": np.where(cells["customers"] < FEW_CUSTOMERS, 0.4, 0.85),
                "line": {"width": 0},
            },
            customdata=[_hover(cell, currency) for cell in cells.itertuples()],
            hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]}<br>%{customdata[3]}<extra></extra>",
        )
        for x, y, customers, width in zip(
            cells["loyalty"].map(columns) + aside, cells["satisfaction"].map(rows), cells["customers"], size.clip(5), strict=True
        ):
            figure.add_annotation(x=x, y=y, yshift=-width / 2 - 9, text=f"{customers:,}", showarrow=False, font={"size": 11})
    for place in range(1, len(columns)):
        figure.add_vline(x=place - 0.5, line={"color": figures.faded(figures.GREY, 0.4), "width": 1})
    figure.update_xaxes(tickvals=list(columns.values()), ticktext=[t(LOYALTY[name]) for name in columns], range=[-0.5, len(columns) - 0.5])
    figure.update_yaxes(
        tickvals=list(rows.values()), ticktext=[t(SATISFACTION[name]) for name in rows], range=[-0.6, len(rows) - 0.5], zeroline=False
    )
    figure.update_layout(showlegend=True, legend={"itemsizing": "constant"})
    return figure


def _hover(cell: Any, currency: str) -> tuple[str, str, str, str]:
    levels = [getattr(cell, axis) for axis in AXES]
    named = t(", ").join(t(labels[level]) for labels, level in zip((SATISFACTION, LOYALTY, PROFIT), levels, strict=True))
    customers = t("{n} customers", n=f"{cell.customers:,}")
    brought = t("net revenue {revenue}", revenue=value_text(cell.net_revenue, "money", currency))
    return "|".join(levels), named, customers, brought

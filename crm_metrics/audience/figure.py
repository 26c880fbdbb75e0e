"""The pictures of the room."""

import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.audience.words import comparison_label, few_known
from crm_metrics.export import safe_label
from crm_metrics.language import t

MOST_DIFFERENCES = 14
_ROW_HEIGHT = 38
_OVERLAP_HEIGHT = 200  # with a legend of three lines on a narrow screen
_OVERLAP_COLORS = {"first": figures.ACCENT, "both": figures.SERIES[2], "second": figures.GREY}


def difference_dots(differences: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return what sets two segments apart: the difference with its 95% interval, the largest on top.

    What may be luck is grey and hollow, what is known of few customers faded. differences: see difference.ranked.
    """
    shown = differences.dropna(subset=["difference"]).head(MOST_DIFFERENCES).iloc[::-1]
    figure = figures.base(x_title=t("Difference, −1 to 1"), y_title="", height=max(figures.SMALL_HEIGHT, 80 + _ROW_HEIGHT * len(shown)))
    # on two lines, or narrow screens had no room for the dots
    labels = ["<br>".join(safe_label(comparison_label(row, currency)).rsplit("  ", 1)) for row in shown.itertuples()]
    figure.add_vline(x=0, line={"color": figures.GREY, "width": 1})
    few = few_known(shown)
    for is_found, color, symbol in ((True, figures.ACCENT, "circle"), (False, figures.GREY, "circle-open")):
        for is_few, opacity in ((False, 1.0), (True, 0.4)):
            rows = (shown["is_different"] == is_found) & (few == is_few)
            if not rows.any():
                continue
            some = shown[rows]
            bounds = {"type": "data", "array": some["high"] - some["difference"], "arrayminus": some["difference"] - some["low"]}
            figure.add_scatter(
                x=some["difference"],
                y=[label for label, is_shown in zip(labels, rows, strict=True) if is_shown],
                mode="markers",
                marker={"size": 11, "color": color, "symbol": symbol, "opacity": opacity},
                error_x={**bounds, "color": figures.faded(color, 0.6 * opacity), "thickness": 2, "width": 0},
                customdata=some[["first_known", "second_known"]],
                hovertemplate="%{y}: %{x:+.2f} (n = %{customdata[0]:,} / %{customdata[1]:,})<extra></extra>",
            )
    figure.update_xaxes(tickformat="+.1f")
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=labels)
    return figure


def overlap_bar(overlap: pd.DataFrame, *, first: str, second: str) -> go.Figure:
    """Return how far two segments are the same customers: one bar in three parts. overlap: see tables.overlap."""
    figure = figures.base(x_title=t("Customers"), y_title="", x_unit="count", height=_OVERLAP_HEIGHT)
    labels = {
        "first": t("only {name}", name=safe_label(first)),
        "both": t("in both"),
        "second": t("only {name}", name=safe_label(second)),
    }
    counts = overlap.set_index("place")["customers"]
    for place, label in labels.items():
        figure.add_bar(
            x=[counts[place]],
            y=[""],
            name=label,
            orientation="h",
            marker={"color": _OVERLAP_COLORS[place]},
            text=f"{counts[place]:,}" if counts[place] else "",
            textposition="inside",
            insidetextanchor="middle",
            hovertemplate=f"{label}: %{{x:,}}<extra></extra>",
        )
    figure.update_layout(barmode="stack", showlegend=True, legend_traceorder="normal")
    return figure

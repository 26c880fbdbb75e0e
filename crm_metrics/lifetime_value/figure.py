"""The pictures of the room."""

import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import noop, t
from crm_metrics.metric import value_text
from crm_metrics.purchase_model.holdout import HIGHEST_BIN
from crm_metrics.purchase_model.model import PURCHASE_MODELS

MODEL_LABELS = {
    "bg_nbd": "BG/NBD",
    "mbg_nbd": "MBG/NBD",
    "pareto_nbd": "Pareto/NBD",
    "gamma_gamma": "Gamma-Gamma",
    "baseline": noop("Naive baseline"),
}
MOST_SEGMENTS = 12
FEW_SHARE = 0.01  # classes of the lowest values that hold less than this share of customers are drawn as one


def distribution_bars(distribution: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return share of customers beside share of value, by expected value of the customer. distribution: see value_distribution."""
    figure = figures.base(x_title=t("Expected value of a customer"), y_title=t("Share"), y_unit="share")
    shown = _folded(distribution)
    classes = _classes(shown, currency)
    for column, name, color in (
        ("customers_share", t("of customers"), figures.GREY),
        ("value_share", t("of value"), figures.ACCENT),
    ):
        figure.add_bar(
            x=classes,
            y=shown[column],
            name=name,
            marker={"color": color},
            hovertemplate="%{x}: %{y:.1%}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(showlegend=True, barmode="group")
    figure.update_xaxes(type="category")
    return figure


def _folded(distribution: pd.DataFrame) -> pd.DataFrame:
    """Return `distribution` with its first classes in one as long as hardly anybody is in them."""
    few = distribution["customers_share"].cumsum() < FEW_SHARE
    first, rest = distribution[few], distribution[~few]
    if len(first) < 2:
        return distribution
    one = first[["customers_share", "value_share"]].sum().to_frame().T
    return pd.concat([one.assign(value_from=first["value_from"].iloc[0], value_to=first["value_to"].iloc[-1]), rest], ignore_index=True)


def _classes(distribution: pd.DataFrame, currency: str) -> list[str]:
    def money(value: float) -> str:
        return value_text(value, "money", currency).removesuffix(".00")

    bounds = distribution[["value_from", "value_to"]].to_numpy(dtype=float).tolist()
    return [f"{money(low)} – {money(high)}" for low, high in bounds]


def segment_bars(segments: pd.DataFrame, *, kind: str, currency: str) -> go.Figure:
    """Return expected value by segment with its prediction interval, the largest on top, small segments faded. segments: see
    segment_values.
    """
    shown = segments.loc[segments["segment_kind"] == kind].head(MOST_SEGMENTS).iloc[::-1]
    title = t("Expected value ({currency})", currency=currency) if currency else t("Expected value")
    figure = figures.base(x_title=title, y_title="", x_unit="money", height=max(figures.SMALL_HEIGHT, 60 + 30 * len(shown)))
    few = shown["customers"] < FEW_CUSTOMERS
    names = [t("unknown") if pd.isna(name) else safe_label(str(name)) for name in shown["segment"]]
    labels = [f"{name} (n = {n})" if small else name for name, n, small in zip(names, shown["customers"], few, strict=True)]
    # An expectation can lie outside the interval: one customer of fifty buys, for a thousand.
    above, below = (shown["high"] - shown["expected_value"]).clip(lower=0), (shown["expected_value"] - shown["low"]).clip(lower=0)
    for is_drawn, opacity in [(size, opacity) for size, opacity in ((~few, 1.0), (few, 0.45)) if size.any()]:
        bounds = {"type": "data", "array": above.where(is_drawn), "arrayminus": below.where(is_drawn)}
        figure.add_bar(
            x=shown["expected_value"].where(is_drawn),
            y=labels,
            orientation="h",
            marker={"color": figures.ACCENT, "opacity": opacity},
            error_x={**bounds, "color": figures.GREY if opacity == 1 else figures.faded(figures.GREY, opacity), "thickness": 1.5},
            customdata=shown[["customers"]],
            hovertemplate="%{y}: %{x:,.0f} (n = %{customdata[0]:,})<extra></extra>",
        )
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(type="category")
    return figure


def holdout_bins(table: pd.DataFrame) -> go.Figure:
    """Return purchases per customer in the hold-out by frequency before it: actual with intervals, model and baseline as lines."""
    figure = figures.base(x_title=t("Repeat purchases up to the model's last day"), y_title=t("Purchases per customer afterwards"))
    known = table[table["customers"] > 0]
    figures.add_line(figure, known["frequency"], known["baseline"], name=t("Naive baseline"), color=figures.GREY)
    figures.add_line(figure, known["frequency"], known["bg_nbd"], name="BG/NBD")
    faint = [figures.faded(figures.SERIES[1], 0.45) if few else figures.SERIES[1] for few in known["customers"] < FEW_CUSTOMERS]
    bounds = {"type": "data", "array": known["actual_high"] - known["actual"], "arrayminus": known["actual"] - known["actual_low"]}
    figure.add_scatter(
        x=known["frequency"],
        y=known["actual"],
        mode="markers",
        name=t("Actual"),
        marker={"size": 11, "color": faint, "symbol": "diamond"},
        error_y={**bounds, "color": figures.SERIES[1], "thickness": 1.5},
        customdata=known[["customers"]],
        hovertemplate="%{y:.2f} (n = %{customdata[0]:,})<extra>%{fullData.name}</extra>",
    )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(range=[-0.5, HIGHEST_BIN + 0.6])
    _frequency_axis(figure)
    return figure


def holdout_tracking(table: pd.DataFrame) -> go.Figure:
    """Return cumulative repeat purchases over time, actual against model and baseline, the split marked."""
    figure = figures.base(x_title=t("Day"), y_title=t("Repeat purchases so far"), y_unit="count", height=figures.SMALL_HEIGHT + 40)
    for column, name, color in (
        ("baseline", t("Naive baseline"), figures.GREY),
        ("bg_nbd", "BG/NBD", figures.ACCENT),
        ("actual", t("Actual"), figures.SERIES[1]),
    ):
        dash = "dot" if column == "baseline" else "solid"
        figure.add_scatter(x=table["day"], y=table[column], mode="lines", name=name, line={"color": color, "width": 2.5, "dash": dash})
    before = table[~table["is_holdout"].astype(bool)]
    if len(before):
        split = before["day"].iloc[-1]
        figure.add_vline(x=split, line={"color": figures.GREY, "width": 1, "dash": "dash"})
        figures.add_label(figure, split, float(table[["actual", "bg_nbd", "baseline"]].max().max()), t("forecast from here"))
    figure.update_layout(showlegend=True)
    return figure


def alive_lines(alive: pd.DataFrame) -> go.Figure:
    """Return mean P(alive) by frequency and model with the range over customers. alive: see alive_by_frequency."""
    figure = figures.base(x_title=t("Repeat purchases so far"), y_title=t("P(alive): mean, and lowest to highest"), y_unit="share")
    for place, name in enumerate(PURCHASE_MODELS):
        known = alive[(alive["model"] == name) & alive["alive_mean"].notna()]
        color = figures.SERIES[place]
        bounds = {
            "type": "data",
            "array": known["alive_highest"] - known["alive_mean"],
            "arrayminus": known["alive_mean"] - known["alive_lowest"],
        }
        figure.add_scatter(
            x=known["frequency"] + (place - 1) * 0.14,  # side by side, so that the ranges can be told apart
            y=known["alive_mean"],
            mode="markers",
            name=MODEL_LABELS[name],
            marker={"size": 10, "color": color, "symbol": ("circle", "diamond", "square")[place]},
            error_y={**bounds, "color": figures.faded(color, 0.5), "thickness": 2, "width": 0},
            customdata=known[["customers"]],
            hovertemplate="%{y:.1%} (n = %{customdata[0]:,})<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(showlegend=True)
    figure.update_yaxes(range=[-0.02, 1.02])
    _frequency_axis(figure)
    return figure


def repeat_bars(counts: pd.DataFrame) -> go.Figure:
    """Return customers by number of repeat purchases: what can be shown without a model. counts: see repeat_counts."""
    figure = figures.base(x_title=t("Repeat purchases so far"), y_title=t("Customers"), y_unit="count")
    figure.add_bar(
        x=counts["frequency"], y=counts["customers"], marker={"color": figures.ACCENT}, text=counts["customers"], textposition="outside"
    )
    _frequency_axis(figure)
    return figure


def _frequency_axis(figure: go.Figure) -> None:
    bins = list(range(HIGHEST_BIN + 1))
    figure.update_xaxes(tickvals=bins, ticktext=[str(number) for number in bins[:-1]] + [f"{HIGHEST_BIN}+"])

"""The pictures of this part."""

from textwrap import wrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.language import t
from crm_metrics.metric import Unit, value_text
from crm_metrics.pipeline.winning.labels import FACTORS, kind_name, level_name

MOST_ROWS = 12  # of a figure; the table holds all
_ROW_HEIGHT, _AROUND, _LINE = 40, 96, 26
_CLOSE_TICKS, _WIDE_TICKS = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.7, 2], [0.01, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100]
_CLOSE = 0.32  # below that the axis of a ratio has its close ticks
_AROUND_SHARES = 0.05  # left empty around the points of a model
_LEAST_HALF = 0.1  # of the axis of a ratio: from 0.8 to 1.25


def _named_rows(names: list[str], *, title: str, unit: Unit, height: int = _ROW_HEIGHT) -> go.Figure:
    """Return an empty figure with one row per name, the first on top."""
    figure = figures.base(x_title=title, y_title="", x_unit=unit, height=_AROUND + height * max(len(names), 1))
    figure.update_yaxes(tickvals=np.arange(len(names)), ticktext=names, range=[len(names) - 0.5, -0.5], zeroline=False, showgrid=False)
    return figure


def _short(name: str) -> str:
    return "<br>".join(safe_label(line) for line in wrap(name, _LINE, max_lines=2, placeholder="…"))


def _dots(figure: go.Figure, rows: pd.DataFrame, value: str, bounds: tuple[str, str], *, colors: list[str], hover: list[str]) -> None:
    """Add a dot with its interval to each row that knows its value; rows of few deals (is_small) are pale."""
    known = rows[value].notna().to_numpy()
    pale = rows["is_small"].to_numpy(dtype=bool) if "is_small" in rows else np.zeros(len(rows), dtype=bool)
    for at in np.flatnonzero(known):
        figure.add_scatter(
            x=rows[list(bounds)].iloc[at].to_numpy(dtype=float),
            y=[at, at],
            mode="lines",
            line={"color": colors[at], "width": 4},
            opacity=figures.OF_FEW if not pale[at] else figures.OF_FEW / 2,
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=rows.loc[known, value].to_numpy(dtype=float),
        y=np.flatnonzero(known),
        mode="markers",
        marker={"size": 11, "color": [colors[at] for at in np.flatnonzero(known)], "opacity": np.where(pale[known], figures.OF_FEW, 1.0)},
        customdata=[[hover[at]] for at in np.flatnonzero(known)],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )


def _hovers(names: list[str], rows: pd.DataFrame, unit: Unit, columns: tuple[str, str, str, str]) -> list[str]:
    """Return what is said of each row. columns: its value, low, high and number of deals."""
    texts = []
    for name, (value, low, high, n) in zip(names, rows[list(columns)].itertuples(index=False, name=None), strict=True):
        printed = {key: value_text(each, unit) for key, each in (("value", value), ("low", low), ("high", high))}
        texts.append(t("{name}: {value} (95%: {low} to {high}), n = {n}", name=safe_label(name), n=f"{n:,.0f}", **printed))
    return texts


def _colors(rows: pd.DataFrame) -> list[str]:
    return [figures.ACCENT if is_different else figures.GREY for is_different in rows["is_different"].astype(bool)]


# ── where deals are won ─────────────────────────────────────────────────────────────────────────────────────────────────


def difference_dots(differences: pd.DataFrame) -> go.Figure:
    """Return the win rates that chance explains least, with intervals; those beyond chance in colour, the dotted line that of all.
    differences: the table win_differences.
    """
    rows = differences[differences["p_value"].notna()].sort_values("p_value", kind="stable").head(MOST_ROWS)
    rows = rows.sort_values("win_rate", ascending=False, ignore_index=True)
    names = [_factor_name(*pair) for pair in zip(rows["factor"], rows["level"], strict=True)]
    figure = _named_rows([_short(name) for name in names], title=t("Win rate of closed deals"), unit="share", height=32)
    _dots(figure, rows, "win_rate", ("low", "high"), colors=_colors(rows), hover=_hovers(names, rows, "share", _RATED))
    every = differences[differences["factor"] == rows["factor"].iloc[0]]
    at = every["won"].sum() / every["deals"].sum()
    figure.add_vline(x=at, line={"color": figures.GREY, "dash": "dot"})
    figures.add_label(figure, at, -0.42, t("all: {rate}", rate=value_text(at, "share")))
    return figure


_RATED = ("win_rate", "low", "high", "deals")


def _factor_name(factor: str, level: object) -> str:
    return t("{label}: {values}", label=t(FACTORS[factor]), values=level_name(factor, level))


# ── reasons and competitors ─────────────────────────────────────────────────────────────────────────────────────────────


def reason_bars(reasons: pd.DataFrame) -> go.Figure:
    """Return the share of each reason with its interval, the most frequent in colour. reasons: the table lost_reasons."""
    rows = reasons[reasons["reason"] != ""].head(MOST_ROWS).reset_index(drop=True)
    texts = [f"{value_text(share, 'share')} · {deals:,}" for share, deals in zip(rows["share"], rows["deals"], strict=True)]
    names = [f"{_short(name)}<br><span style='font-size:11px'>{text}</span>" for name, text in zip(rows["reason"], texts, strict=True)]
    figure = _named_rows(names, title=t("Share of lost deals with a reason"), unit="share", height=52)
    share = rows["share"].to_numpy(dtype=float)
    figure.add_bar(
        x=share,
        y=np.arange(len(rows)),
        orientation="h",
        width=0.55,
        marker={"color": [figures.ACCENT if at == 0 else figures.faded(figures.GREY, 0.6) for at in range(len(rows))]},
        error_x={"array": rows["high"] - share, "arrayminus": share - rows["low"], "color": figures.GREY, "thickness": 1.5, "width": 4},
        customdata=[[hover] for hover in _hovers(rows["reason"].to_list(), rows, "share", ("share", "low", "high", "of"))],
        hovertemplate="%{customdata[0]}<extra></extra>",
    )
    figure.update_xaxes(rangemode="tozero")
    return figure


def reason_trend(trend: pd.DataFrame) -> go.Figure:
    """Return the shares of the reasons by quarter of closing, stacked; a quarter that is not over is hatched. trend: lost_trend."""
    named = trend[trend["reason"] != ""]
    order = named.groupby("reason")["deals"].sum().sort_values(ascending=False).index[: len(figures.SERIES)]
    figure = figures.base(x_title=t("Quarter from"), y_title=t("Share of lost deals with a reason"), y_unit="share")
    for reason, color in zip(order, figures.SERIES, strict=False):
        rows = named[named["reason"] == reason]
        figure.add_bar(
            x=rows["quarter_on"].dt.strftime("%Y-%m"),
            y=rows["share"],
            name=safe_label(str(reason)),
            marker={"color": color, "pattern": {"shape": np.where(rows["is_unfinished"], "/", "")}},
            customdata=rows[["deals", "of"]].to_numpy(),
            hovertemplate="%{x}: %{y:.1%} (%{customdata[0]:,} / %{customdata[1]:,})<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(barmode="stack", showlegend=True)
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=sorted(named["quarter_on"].dt.strftime("%Y-%m").unique()))
    return figure


def competitor_dots(competitors: pd.DataFrame) -> go.Figure:
    """Return the win rate against each competitor with its interval; the dotted line is that without one. competitors: the table."""
    named = competitors[competitors["competitor"] != ""].head(MOST_ROWS).reset_index(drop=True)
    figure = _named_rows([_short(str(name)) for name in named["competitor"]], title=t("Win rate of closed deals"), unit="share")
    hover = _hovers(named["competitor"].to_list(), named, "share", ("win_rate", "low", "high", "closed"))
    _dots(figure, named, "win_rate", ("low", "high"), colors=_colors(named), hover=hover)
    without = competitors.loc[competitors["competitor"] == "", "win_rate"]
    if len(without) and without.notna().all():
        at = float(without.iloc[0])
        figure.add_vline(x=at, line={"color": figures.GREY, "dash": "dot"})
        figures.add_label(figure, at, -0.42, t("no known competitor"), anchor="right" if at > named["high"].max() / 2 else "left")
    figure.update_xaxes(rangemode="tozero")
    return figure


# ── model ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def reliability_curve(reliability: pd.DataFrame) -> go.Figure:
    """Return the share won by predicted chance, with intervals; on the diagonal what was said came true. reliability: the table."""
    figure = figures.base(x_title=t("Predicted chance to win"), y_title=t("Share won"), x_unit="share", y_unit="share")
    bounds = reliability[["predicted", "low", "high"]].to_numpy(dtype=float)
    low, high = max(bounds.min() - _AROUND_SHARES, 0.0), min(bounds.max() + _AROUND_SHARES, 1.0)
    figure.add_scatter(x=[low, high], y=[low, high], mode="lines", line={"color": figures.GREY, "dash": "dot"}, hoverinfo="skip")
    figures.add_label(figure, low + 0.93 * (high - low), low + 0.98 * (high - low), t("as predicted"), anchor="right")
    observed = reliability["observed"].to_numpy(dtype=float)
    figure.add_scatter(
        x=reliability["predicted"],
        y=observed,
        mode="markers+lines",
        marker={"size": 9, "color": figures.ACCENT},
        line={"color": figures.ACCENT, "width": 1.5},
        error_y={
            "array": reliability["high"] - observed,
            "arrayminus": observed - reliability["low"],
            "color": figures.faded(figures.ACCENT, 0.5),
        },
        customdata=reliability[["deals"]].to_numpy(),
        hovertemplate="%{x:.1%} → %{y:.1%} (n = %{customdata[0]:,})<extra></extra>",
    )
    figure.update_xaxes(range=[low, high])
    figure.update_yaxes(range=[low, high])
    return figure


def factor_dots(factors: pd.DataFrame) -> go.Figure:
    """Return the odds ratios that lie farthest from 1, with intervals; those beyond chance in colour. factors: the table."""
    rows = factors.loc[np.log(factors["odds_ratio"]).abs().sort_values(ascending=False).index[:MOST_ROWS]]
    rows = rows.sort_values("odds_ratio", ascending=False, ignore_index=True)
    names = [_factor_name(*pair) for pair in zip(rows["factor"], rows["level"], strict=True)]
    figure = _named_rows([_short(name) for name in names], title=t("Odds ratio (1: as all others)"), unit="ratio")
    hover = _hovers(names, rows, "ratio", ("odds_ratio", "odds_low", "odds_high", "deals"))
    _dots(figure, rows, "odds_ratio", ("odds_low", "odds_high"), colors=_colors(rows), hover=hover)
    _ratio_axis(figure, rows[["odds_low", "odds_high"]])
    return figure


def move_dots(moves: pd.DataFrame) -> go.Figure:
    """Return for each kind of activity how many times as often deals move on soon after one, with its interval. moves: the table."""
    rows = moves[moves["stage"] == ""].sort_values("rate_ratio", ascending=False, ignore_index=True)
    names = [kind_name(str(kind)) for kind in rows["activity_kind"]]
    figure = _named_rows([_short(name) for name in names], title=t("Ratio of moves a day (1: as other days)"), unit="ratio")
    hover = _hovers(names, rows, "ratio", ("rate_ratio", "low", "high", "active_moves"))
    _dots(figure, rows, "rate_ratio", ("low", "high"), colors=_colors(rows), hover=hover)
    _ratio_axis(figure, rows[["low", "high"]])
    return figure


def _ratio_axis(figure: go.Figure, bounds: pd.DataFrame) -> None:
    """Let the axis of a ratio be as long below 1 as above, and a ratio near 1 look near. bounds: of the intervals that are drawn."""
    half = max(float(np.nanmax(np.abs(np.log10(bounds.to_numpy(dtype=float))), initial=0.0)), _LEAST_HALF) * 1.05
    figure.add_vline(x=1, line={"color": figures.GREY, "dash": "dot"})
    figure.update_xaxes(type="log", range=[-half, half], tickvals=_CLOSE_TICKS if half < _CLOSE else _WIDE_TICKS, zeroline=False)


# ── assessments ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def scorecard_trend(quarters: pd.DataFrame) -> go.Figure:
    """Return the share of deals with a complete assessment by quarter of creation, with intervals. quarters: the table scorecard_trend."""
    figure = figures.base(x_title=t("Quarter of creation, from"), y_title=t("Share of deals with a complete assessment"), y_unit="share")
    figures.add_dots(figure, quarters.rename(columns={"quarter_on": "day", "share": "value", "deals": "n"}), number=".1%")
    return figure

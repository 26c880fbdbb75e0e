"""The pictures of the room."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import t
from crm_metrics.metric import DASH, is_unknown, value_text
from crm_metrics.segmentation.moves import NOT_YET
from crm_metrics.segmentation.rfm import AT_RISK, BEST, SCORES, SEGMENT_NAMES, SEGMENTS, Segment

MAP_HEIGHT, MATRIX_ROW_HEIGHT, MATRIX_MARGIN, FLOW_HEIGHT = 440, 36, 130, 520
PALEST, DARKEST = 0.16, 0.62  # of a field: any darker, and neither light nor dark letters can be read on it
LEAST_SHARE_WRITTEN = 0.005  # of a row: smaller ones would be written 0%
ONE_LINE = 10  # letters of a name
NODE_GAP = 0.03  # between two segments of the flow, of its height: their names stand a line apart

_COLORS = {  # what a segment calls for, told by its name as well
    **dict.fromkeys(BEST, figures.ACCENT),
    **dict.fromkeys(("potential_loyalists", "new", "promising"), figures.GOOD),
    **dict.fromkeys(("need_attention", "about_to_sleep"), figures.SERIES[1]),
    **dict.fromkeys(AT_RISK, figures.BAD),
}


# ── the map ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def segment_map(segments: pd.DataFrame, cut_points: pd.DataFrame) -> go.Figure:
    """Return the segments as fields of recency and frequency score, each with its customers and share of net revenue.

    The darker a field, the more of net revenue it holds. segments, cut_points: the tables of these names. First in the customdata: the
    segment.
    """
    figure = figures.base(
        x_title=t("Days since the last order, by recency score"), y_title=t("Orders, by frequency score"), height=MAP_HEIGHT
    )
    rows = segments.set_index("segment").loc[list(SEGMENT_NAMES)]
    shares = rows["net_revenue_share"].fillna(0).clip(lower=0).to_numpy(dtype=float)
    figure.add_bar(
        x=[(segment.r_low + segment.r_high) / 2 for segment in SEGMENTS],
        width=[segment.r_high - segment.r_low + 0.95 for segment in SEGMENTS],
        y=[segment.f_high - segment.f_low + 0.95 for segment in SEGMENTS],
        base=[segment.f_low - 0.475 for segment in SEGMENTS],
        marker={
            "color": [_COLORS.get(segment.name, figures.GREY) for segment in SEGMENTS],
            "opacity": PALEST + (DARKEST - PALEST) * shares / max(shares.max(initial=0), 1e-9),
        },
        customdata=[
            [segment.name, t(segment.label), t(segment.means), *_numbers(row)]
            for segment, row in zip(SEGMENTS, rows.itertuples(), strict=True)
        ],
        hovertemplate="<b>%{customdata[1]}</b>: %{customdata[2]}<br>%{customdata[3]} (%{customdata[4]})<br>%{customdata[5]}<extra></extra>",
    )
    for segment, row in zip(SEGMENTS, rows.itertuples(), strict=True):
        _name_field(figure, segment, row)
    _write_above(figure, 0, t("customers · share of net revenue"))
    for letter, measure in (("x", "days_since_last_order"), ("y", "orders")):
        ticks = score_ranges(cut_points, measure)
        getattr(figure, f"update_{letter}axes")(
            tickvals=list(ticks),
            ticktext=list(ticks.values()),
            range=[0.5, SCORES + 0.5],
            showgrid=False,
            zeroline=False,
            tickangle=0,
            tickfont={"size": 11},
        )
    return figure


def _numbers(row: Any) -> tuple[str, str, str]:
    customers = t("{n} customers", n=f"{row.customers:,}")
    return (
        customers,
        value_text(row.customers_share, "share"),
        t("{share} of net revenue", share=value_text(row.net_revenue_share, "share")),
    )


def _name_field(figure: go.Figure, segment: Segment, row: Any) -> None:
    """Write a segment's name, customers and share of net revenue on its field; annotations let a click through."""
    share = f"{row.net_revenue_share:.0%}" if row.net_revenue_share == row.net_revenue_share else DASH
    text = f"<b>{_in_two_lines(t(segment.label))}</b><br>" + (f"{row.customers:,} · {share}" if row.customers else "0")
    figure.add_annotation(
        x=(segment.r_low + segment.r_high) / 2, y=(segment.f_low + segment.f_high) / 2, text=text, showarrow=False, font={"size": 11}
    )


def _in_two_lines(name: str) -> str:
    """Return a name that is narrow enough for a telephone.

    >>> _in_two_lines("Potential loyalists"), _in_two_lines("At risk")
    ('Potential<br>loyalists', 'At risk')
    """
    return name.replace(" ", "<br>", 1) if len(name) > ONE_LINE else name


def score_ranges(cut_points: pd.DataFrame, measure: str) -> dict[int, str]:
    """Return how each score of a measure is written on its axis: the values of the customers who have it.

    cut_points: the table of this name.
    """
    rows = cut_points[cut_points["measure"] == measure].set_index("score")
    return {score: _range_text(score, rows.loc[score] if score in rows.index else None) for score in range(1, SCORES + 1)}


def _range_text(score: int, row: Any) -> str:
    """Return a score with the values it stands for under it, or that nobody has it."""
    if row is None or not row.customers:
        return f"<b>{score}</b><br>" + t("nobody")
    low, high = (f"{value:,.0f}" for value in (row.low, row.high))
    return f"<b>{score}</b><br>" + (low if low == high else f"{low}–{high}")


# ── movement ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def movement_matrix(movement: pd.DataFrame, *, before: str, after: str) -> go.Figure:
    """Return a row per segment before and a column per segment after: its share of the row, up green, down orange, else grey.

    movement: the table of this name. before, after: the days. Rows with few customers are faded (the hover says how many).
    """
    names = _labels()
    starts = [name for name in (*SEGMENT_NAMES, NOT_YET) if name in set(movement["from_segment"])]
    rows, columns = ({name: place for place, name in enumerate(order)} for order in (starts, SEGMENT_NAMES))
    figure = figures.base(
        x_title=t("Segment on {day}, % of the row", day=after),
        y_title=t("Segment on {day}", day=before),
        height=MATRIX_MARGIN + MATRIX_ROW_HEIGHT * len(starts),
    )
    sizes = movement.groupby("from_segment")["customers"].sum()
    few = movement["from_segment"].map(sizes) < FEW_CUSTOMERS
    colors = _move_colors(movement)
    shares = movement["share_of_from"].to_numpy(dtype=float)
    figure.add_bar(
        x=movement["to_segment"].map(columns),
        y=np.full(len(movement), 0.94),
        base=movement["from_segment"].map(rows).to_numpy() - 0.47,
        width=0.96,
        marker={"color": colors, "opacity": (PALEST / 2 + DARKEST * np.sqrt(shares)) * np.where(few, 0.4, 1)},
        customdata=[
            [names[start], names[end], f"{n:,}", value_text(share, "share")]
            for start, end, n, share in _moves(movement, "customers", "share_of_from")
        ],
        hovertemplate="%{customdata[0]} → %{customdata[1]}: %{customdata[2]} (%{customdata[3]})<extra></extra>",
    )
    for start, end, share in _moves(movement, "share_of_from"):
        if share >= LEAST_SHARE_WRITTEN:
            figure.add_annotation(x=columns[end], y=rows[start], text=f"{share * 100:.0f}", showarrow=False, font={"size": 11})
    figure.update_xaxes(
        tickvals=list(columns.values()),
        ticktext=[names[name] for name in columns],
        side="top",
        ticklabeloverflow="allow",
        tickangle=-45,
        zeroline=False,
    )
    figure.update_yaxes(
        tickvals=list(rows.values()),
        ticktext=[_in_two_lines(names[name]) for name in rows],
        autorange="reversed",
        showgrid=False,
        zeroline=False,
        tickfont={"size": 11},
    )
    return figure


def movement_flow(movement: pd.DataFrame, *, before: str, after: str) -> go.Figure:
    """Return customers flowing from their segment before to the one after, moves down in orange, up in green. before, after: the days.

    movement: the table of this name.
    """
    names = _labels()
    starts = [name for name in (*SEGMENT_NAMES, NOT_YET) if name in set(movement["from_segment"])]
    ends = [name for name in SEGMENT_NAMES if name in set(movement["to_segment"])]
    sides = [movement.groupby(f"{side}_segment")["customers"].sum().reindex(order) for side, order in (("from", starts), ("to", ends))]
    figure = figures.base(x_title="", y_title="", height=FLOW_HEIGHT)
    figure.add_sankey(
        arrangement="fixed",
        node={
            "label": [
                f"{names[name]} {size:,}"
                for order, side in zip((starts, ends), sides, strict=True)
                for name, size in zip(order, side, strict=True)
            ],
            "color": [_COLORS.get(name, figures.GREY) for name in (*starts, *ends)],
            "x": np.repeat([0.001, 0.999], [len(starts), len(ends)]),
            "y": np.concatenate([_heights(side) for side in sides]),
            "pad": NODE_GAP * FLOW_HEIGHT,
            "thickness": 12,
            "line": {"width": 0},
            "hovertemplate": "%{label}<extra></extra>",
        },
        link={
            "source": movement["from_segment"].map(starts.index),
            "target": movement["to_segment"].map(ends.index) + len(starts),
            "value": movement["customers"],
            "color": [figures.faded(color, 0.4) for color in _move_colors(movement)],
            "hovertemplate": "%{source.label} → %{target.label}: %{value:,.0f}<extra></extra>",
        },
    )
    _write_above(figure, 0, before)
    _write_above(figure, 1, after)
    return figure


def _write_above(figure: go.Figure, side: int, text: str) -> None:
    """Write `text` in grey above the left (0) or right (1) end of the plot."""
    place = {"xref": "paper", "yref": "paper", "x": side, "y": 1, "xanchor": ("left", "right")[side], "yanchor": "bottom"}
    figure.add_annotation(text=text, showarrow=False, font={"color": figures.GREY, "size": 12}, **place)
    figure.update_layout(margin={"t": 30, "r": 6})


def _heights(sizes: pd.Series) -> Any:
    """Return where the middle of each node of one side lies, from 0 at the top to 1, in the order given."""
    room = 1 - NODE_GAP * (len(sizes) - 1)
    whole = sizes / max(sizes.sum(), 1) * room
    return (whole.cumsum() - whole / 2 + NODE_GAP * np.arange(len(sizes))).clip(0.001, 0.999).to_numpy()


def _labels() -> dict[str, str]:
    return {segment.name: t(segment.label) for segment in SEGMENTS} | {NOT_YET: t("Not yet a customer")}


def _moves(movement: pd.DataFrame, *columns: str) -> Any:
    return movement[["from_segment", "to_segment", *columns]].itertuples(index=False, name=None)


def _move_colors(movement: pd.DataFrame) -> list[str]:
    """Return the colour of each move: up, down, or neither."""
    rank = {name: place for place, name in enumerate(SEGMENT_NAMES)}
    return [
        figures.GREY if start == NOT_YET or rank[start] == rank[end] else figures.GOOD if rank[end] < rank[start] else figures.BAD
        for start, end in _moves(movement)
    ]


# ── the lapse limit ─────────────────────────────────────────────────────────────────────────────────────────────────────


def lapse_bars(gaps: pd.DataFrame, lapse: pd.DataFrame) -> go.Figure:
    """Return the days between purchases as shares of all returns, with the defecting limit, its interval, and the inactive limit marked.

    gaps, lapse: the tables of these names. The last row of gaps, the longest hundredth in one, is not drawn.
    """
    limits: Any = lapse.iloc[0]
    shown = gaps.iloc[:-1] if len(gaps) > 1 else gaps
    last = max(day for day in (shown["days_to"].max(), limits.recommended_high, limits.inactive_days, 1) if not is_unknown(day)) * 1.05
    figure = figures.base(x_title=t("Days from one purchase to the next"), y_title=t("Share of returns"), y_unit="share")
    figure.add_bar(
        x=(shown["days_from"] + shown["days_to"]) / 2,
        y=shown["gaps_share"],
        width=(shown["days_to"] - shown["days_from"] + 1) * 0.9,
        marker={"color": np.where(shown["days_to"] <= limits.defecting_days, figures.ACCENT, figures.GREY)},
        customdata=shown[["days_from", "days_to", "gaps", "cumulative_share"]],
        hovertemplate="%{customdata[0]}–%{customdata[1]}: %{customdata[2]:,} (%{y:.1%}; Σ %{customdata[3]:.1%})<extra></extra>",
    )
    if not is_unknown(limits.recommended_low):
        figure.add_vrect(
            x0=limits.recommended_low, x1=limits.recommended_high, fillcolor=figures.faded(figures.BAD, 0.25), line={"width": 0}
        )
    defecting, inactive = (f"{day:,.0f}" for day in (limits.defecting_days, limits.inactive_days))
    for day, height, text in (
        (limits.defecting_days, 1.0, t("defecting<br>after {days} days", days=defecting)),
        (limits.inactive_days, 0.8, t("inactive<br>after {days} days", days=inactive)),
    ):
        if not is_unknown(day):
            _mark_limit(figure, day, height, text=text, is_late=day > last / 2)
    figure.update_xaxes(range=[0, last])
    return figure


def _mark_limit(figure: go.Figure, day: float, height: float, *, text: str, is_late: bool) -> None:
    """Mark a limit with a line and its name, which stands on the side where there is room."""
    figure.add_vline(x=day, line={"color": figures.BAD, "width": 1.5, "dash": "dash"})
    side = {"xanchor": "right", "xshift": -6, "align": "right"} if is_late else {"xanchor": "left", "xshift": 6, "align": "left"}
    figure.add_annotation(x=day, y=height, yref="paper", text=text, showarrow=False, font={"color": figures.BAD, "size": 12}, **side)

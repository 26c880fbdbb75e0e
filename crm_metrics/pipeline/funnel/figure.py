"""The pictures of the funnel."""

from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.figures import Bar
from crm_metrics.language import noop, t
from crm_metrics.metric import is_unknown, value_text
from crm_metrics.pipeline.funnel import labels
from crm_metrics.pipeline.funnel.statistic import CALLS, DEALS, LEADS, QUALIFIED
from crm_metrics.pipeline.funnel.terms import PERIODS, FunnelTerms

MOST_GROUPS, MOST_MOVES = 24, 12  # drawn; the tables hold all
_LONGEST_NAME = 24  # letters
_FADED = 0.3
_PALEST, _DARKEST = 0.12, 0.62  # of a cell: any darker, and neither light nor dark letters can be read on it
_WIDEST_STEP, _WIDEST_LINE = 12, 13  # letters of a line over a column, where there may be two, and where there is one
_MOST_WRAPPED = 7  # columns that have two lines
_LAST_NARROW = 0x2E7F  # letters after it are as wide as two
_ROW_HEIGHT, _MARGIN = 28, 70
_MOVE_COLORS = {"skip": figures.ACCENT, "back": figures.BAD, "reopened": figures.SERIES[1]}

# ── figure ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def funnel_bars(rows: pd.DataFrame, detail: pd.DataFrame, terms: FunnelTerms, *, currency: str) -> go.Figure:
    """Return a bar per step, each a share of all leads or of all opportunities: of a stage who went on, is still there, was lost there.

    rows, detail: the tables `funnel` and `funnel_detail`. Hatched: still there, or at least so many. First in the customdata: step and
    side, as words.chosen_step reads them.
    """
    title = t("Share of all opportunities<br>(leads: of all leads)") if terms.measure == "count" else t("Share of the value of all deals")
    every = rows.merge(detail.drop(columns=["name", "at_least"]), on="step", how="left")
    shown = every if terms.measure == "count" else every[every["at_least"].notna() & every["value"].notna()]
    figure = figures.base(x_title=title, y_title="", x_unit="share", height=110 + figures.BAR_HEIGHT * max(len(shown), 1))
    parts = _parts(shown, terms)
    places = np.arange(len(shown))
    for name, side, color, pattern in (
        (t("got there and went on"), "reached", figures.ACCENT, ""),
        (t("still there"), "open", figures.SERIES[3], "/"),
        (t("lost there"), "lost", figures.GREY, ""),
        (t("not known whether it went on or was lost there"), "unknown", figures.GREY, "."),
    ):
        length = parts[side]
        if side == "unknown" and not length.any():
            continue
        figure.add_bar(
            x=length,
            y=places,
            orientation="h",
            name=name,
            width=0.62,
            marker={"color": color, "pattern": {"shape": pattern, "size": 6, "solidity": 0.3}},
            customdata=[
                [f"{step} {side if side != 'unknown' else 'reached'}", hover]
                for step, hover in zip(shown["step"], _hovers(shown, side, length, currency), strict=True)
            ],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    figure.update_layout(barmode="stack", showlegend=True, legend_traceorder="normal", margin={"t": 40})
    texts = [_bar_text(row, terms, currency) for row in shown.itertuples()]
    names = [_short(labels.step_name(*each)) for each in zip(shown["step"], shown["name"], strict=True)]
    _name_rows(figure, [f"{name}<br>{_small(text)}" for name, text in zip(names, texts, strict=True)])
    return figure


def _parts(rows: pd.DataFrame, terms: FunnelTerms) -> dict[str, Any]:
    """Return the lengths of the three parts of each bar."""
    is_value = terms.measure == "value"
    whole, still, lost = (
        rows[name].to_numpy(dtype=float)
        for name in (("value", "still_value", "lost_value") if is_value else ("at_least", "still_here", "lost_here"))
    )
    step = rows["step"].to_numpy()
    first = np.where(np.isin(step, ("leads", "qualified_leads")), _of(rows, "leads", whole), _of(rows, "opportunities", whole))
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (np.nan_to_num(still), np.nan_to_num(lost), whole, rows["end_unknown"].to_numpy(dtype=float) * (not is_value))
        still, lost, reached, unsure = (np.nan_to_num(part / first, posinf=0) for part in parts)
    reached = np.where(step == "calls", 0, reached)  # no share of leads or deals
    return {"reached": np.clip(reached - still - lost - unsure, 0, None), "open": still, "lost": lost, "unknown": unsure}


def _of(rows: pd.DataFrame, step: str, whole: Any) -> float:
    at = np.flatnonzero(rows["step"].to_numpy() == step)
    return float(whole[at[0]]) if len(at) else np.nan


def _bar_text(row: Any, terms: FunnelTerms, currency: str) -> str:
    number = value_text(row.value, "money", currency) if terms.measure == "value" else value_text(row.at_least, "count", exact=True)
    if is_unknown(row.count):
        return t("at least {n}", n=number)
    rate = value_text(row.next_step_rate, "share")
    if row.step == "won":
        return t("{n} · {rate} of all", n=number, rate=value_text(row.cumulative_rate, "share"))
    if row.step == "calls":
        return t("{n} · {rate} a qualified lead", n=number, rate=rate)
    if row.step == "qualified_leads":
        return t("{n} · {rate} became a deal", n=number, rate=rate)
    is_trivial = row.step == "opportunities" and terms.mode == "any"
    return number if is_trivial or is_unknown(row.next_step_rate) else t("{n} · {rate} go on", n=number, rate=rate)


def _hovers(rows: pd.DataFrame, side: str, length: Any, currency: str) -> list[str]:
    column = {"reached": "at_least", "open": "still_here", "lost": "lost_here", "unknown": "end_unknown"}[side]
    value = {"reached": "value", "open": "still_value", "lost": "lost_value"}.get(side, "")
    text = {
        "reached": noop("{name}: {n} got there"),
        "open": noop("{name}: {n} still there"),
        "lost": noop("{name}: {n} lost there"),
        "unknown": noop("{name}: {n} of unknown end"),
    }[side]
    made = []
    for row, part in zip(rows.to_dict("records"), length, strict=True):
        name = safe_label(labels.step_name(row["step"], row["name"]))
        lines = [t(text, name=f"<b>{name}</b>", n=value_text(row[column], "count", exact=True)) + f" ({value_text(part, 'share')})"]
        if value and not is_unknown(row[value]):
            lines.append(value_text(row[value], "money", currency))
        if side == "reached" and not is_unknown(row["conversion"]):
            bounds = {name: value_text(row[f"conversion_{name}"], "share") for name in ("low", "high")}
            rate = value_text(row["conversion"], "share")
            lines.append(t("{rate} passed of those passed or lost here (95%: {low} to {high})", rate=rate, **bounds))
        made.append("<br>".join(lines))
    return made


# ── moves ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def move_bars(rows: pd.DataFrame) -> go.Figure:
    """Return a bar per move that left the straight way: skipped, back, reopened. rows: the table `moves`."""
    shown: Any = rows[rows["kind"].isin(list(_MOVE_COLORS))].head(MOST_MOVES).itertuples()
    bars = [
        Bar(
            str(place),
            f"{_short(row.from_stage)} → {_short(row.to_stage)}" if not is_unknown(row.from_stage) else f"→ {_short(row.to_stage)}",
            t("{n} deals · {kind}", n=f"{row.deals:,}", kind=t(labels.KINDS[row.kind])),
            0.0,
            float(row.deals),
            _MOVE_COLORS[row.kind],
        )
        for place, row in enumerate(shown)
    ]
    return figures.bars(bars, title=t("Deals"), unit="count")


# ── groups and their stages ─────────────────────────────────────────────────────────────────────────────────────────────


def group_map(rows: pd.DataFrame, total: pd.DataFrame, terms: FunnelTerms, *, currency: str) -> go.Figure:
    """Return a row per group and a column per step: the share of the group's leads or deals that got there, the darker the higher; all
    first. Of calls the hit rate; by value deals alone.

    rows, total: the tables `funnel_groups` and `funnel`. Small groups are faded and without a rate; a dash is what is not known. Groups the
    largest MOST_GROUPS, periods the latest. First in the customdata: step and group ("": all), as words.chosen_cell reads them.
    """
    shown = _cells(rows, total, terms)
    steps, groups = (shown[name].drop_duplicates().tolist() for name in ("step", "group"))
    title = (
        t("Share of the deals of the group<br>(leads: of its leads; calls: hit rate)")
        if terms.measure == "count"
        else t("Share of the value of the group")
    )
    figure = figures.base(x_title=title, y_title="", height=_MARGIN + _ROW_HEIGHT * (len(groups) + 1))
    x, y = shown["step"].map({step: at for at, step in enumerate(steps)}), shown["group"].map({one: at for at, one in enumerate(groups)})
    is_small, rate = shown["is_small"].to_numpy(dtype=bool), shown["rate"].to_numpy(dtype=float)
    depth = _PALEST + (_DARKEST - _PALEST) * np.clip(np.nan_to_num(rate), 0, 1)
    cells: list[Any] = list(shown.itertuples(index=False))
    figure.add_bar(
        x=x,
        y=np.full(len(shown), 0.9),
        base=y - 0.45,
        width=0.96,
        marker={"color": figures.ACCENT, "opacity": depth * np.where(is_small, _FADED, 1)},
        customdata=[[f"{cell.step} {cell.group}", _cell_hover(cell, terms, currency)] for cell in cells],
        hovertemplate="%{customdata[1]}<extra></extra>",
    )
    texts = [_cell_text(cell) for cell in cells]
    unselected = {"textfont": {"color": figures.GREY}}
    figure.add_scatter(x=x, y=y, mode="text", text=texts, textfont={"size": 11}, unselected=unselected, hoverinfo="skip")
    named, names = shown.drop_duplicates("group"), shown.drop_duplicates("step")
    _name_rows(figure, [_row_name(*each, terms) for each in zip(named["group"], named["group_name"], named["deals"], strict=True)])
    ticks = [_step_text(labels.step_name(*each), len(steps)) for each in zip(names["step"], names["name"], strict=True)]
    figure.update_xaxes(
        tickvals=list(range(len(steps))),
        ticktext=ticks,
        range=[-0.5, max(len(steps), 1) - 0.5],
        side="top",
        tickfont={"size": 11},
        autotickangles=[0, -90],
        showgrid=False,
    )
    return figure


def _step_text(name: str, number: int) -> str:
    """Return what stands over a column: where there are many one line, as two do not fit beside each other when turned on a phone."""
    if number <= _MOST_WRAPPED:
        return "<br>".join(wrap(_short(name), _WIDEST_STEP, break_long_words=False))
    widths = np.cumsum([2 if ord(letter) > _LAST_NARROW else 1 for letter in name])
    return safe_label(name if widths[-1] <= _WIDEST_LINE else name[: int(np.searchsorted(widths, _WIDEST_LINE))].rstrip() + "…")


def _cells(rows: pd.DataFrame, total: pd.DataFrame, terms: FunnelTerms) -> pd.DataFrame:
    """Return the cells of the map: those of all deals together, then of each group."""
    groups = rows["group"].drop_duplicates()
    kept = groups.tail(MOST_GROUPS) if terms.by in PERIODS else groups.head(MOST_GROUPS)
    deals = total.loc[total["step"] == DEALS, "at_least"].iloc[0]
    every = total[total["step"].isin(rows["step"])].assign(group="", group_name="", is_small=False, deals=deals)
    cells = pd.concat([every.reindex(columns=rows.columns), rows[rows["group"].isin(kept)]], ignore_index=True)
    cells = cells[~cells["step"].isin((CALLS, LEADS, QUALIFIED))] if terms.measure == "value" else cells
    return cells.assign(rate=cells["cumulative_rate"].where(cells["step"] != CALLS, cells["next_step_rate"]))


def _cell_text(cell: Any) -> str:
    if is_unknown(cell.count):
        return "–"
    if is_unknown(cell.rate) or cell.is_small:
        return ""
    return f"{cell.rate * 100:.1f}" if cell.step == CALLS else f"{cell.rate * 100:.0f}"


def _row_name(group: str, name: str, deals: float, terms: FunnelTerms) -> str:
    return f"{_short(labels.group_name(name, terms))} · {deals:,.0f}" if group else f"<b>{t('All')} · {deals:,.0f}</b>"


def _cell_hover(cell: Any, terms: FunnelTerms, currency: str) -> str:
    group = safe_label(labels.group_name(cell.group_name, terms)) if cell.group else t("All")
    lines = [f"<b>{group}, {safe_label(labels.step_name(cell.step, cell.name))}</b>"]
    if is_unknown(cell.count):
        return "<br>".join([*lines, t("not known by this")])
    lines.append(_cell_count(cell))
    if not is_unknown(cell.value):
        lines.append(value_text(cell.value, "money", currency))
    if cell.is_small:
        return "<br>".join([*lines, t("too few for a rate")])
    if not is_unknown(cell.cumulative_rate):
        lines.append(_cell_rate(cell))
    goes_on = [] if is_unknown(cell.next_step_rate) else [t("{rate} go on", rate=value_text(cell.next_step_rate, "share"))]
    return "<br>".join([*lines, *goes_on])


def _cell_count(cell: Any) -> str:
    number = value_text(cell.count, "count", exact=True)
    if cell.step in (CALLS, LEADS, QUALIFIED):
        return t({CALLS: noop("{n} calls"), LEADS: noop("{n} leads"), QUALIFIED: noop("{n} qualified leads")}[cell.step], n=number)
    return t("{n} of {deals} deals got there", n=number, deals=f"{cell.deals:,.0f}")


def _cell_rate(cell: Any) -> str:
    rate = value_text(cell.cumulative_rate, "share")
    if is_unknown(cell.cumulative_low):
        return rate
    bounds = {"low": value_text(cell.cumulative_low, "share"), "high": value_text(cell.cumulative_high, "share")}
    return t("{rate} (95%: {low} to {high})", rate=rate, **bounds)


# ── groups and periods ──────────────────────────────────────────────────────────────────────────────────────────────────


def group_dots(rows: pd.DataFrame, total: pd.DataFrame, terms: FunnelTerms) -> go.Figure:
    """Return the win rate of closed deals of each group with its interval; hollow: of all its deals; dotted: all groups together.

    rows: the table `funnel_by`; total: the table `tiles` of the deals. Small groups are faded.
    """
    kept = rows.tail(MOST_GROUPS) if terms.by in PERIODS else rows.head(MOST_GROUPS)
    figure = figures.base(
        x_title=t("Win rate of closed deals<br>(hollow: of all deals)"),
        y_title="",
        x_unit="share",
        height=_MARGIN + _ROW_HEIGHT * max(len(kept), 2),
    )
    rate, every = (kept[name].to_numpy(dtype=float) for name in ("win_rate_of_closed", "win_rate_of_all"))
    low, high = (kept[name].to_numpy(dtype=float) for name in ("closed_low", "closed_high"))
    places, opacity = np.arange(len(kept)), np.where(kept["is_small"], _FADED, 1.0)
    color = np.where(kept["is_different"], figures.ACCENT, figures.GREY)
    groups: list[Any] = list(kept.itertuples(index=False))
    hovers = [[str(row.group), _group_hover(row, terms)] for row in groups]
    ring = {"size": 9, "color": "rgba(0,0,0,0)", "line": {"color": figures.GREY, "width": 1.5}, "opacity": opacity}
    look = {"customdata": hovers, "hovertemplate": "%{customdata[1]}<extra></extra>", "mode": "markers"}
    figure.add_scatter(x=every, y=places, marker=ring, **look)
    errors = {"type": "data", "symmetric": False, "array": high - rate, "arrayminus": rate - low, "width": 0, "thickness": 1.5}
    figure.add_scatter(
        x=rate, y=places, marker={"size": 9, "color": color, "opacity": opacity}, error_x=errors | {"color": figures.GREY}, **look
    )
    closed = total.set_index("metric")["value"].get("win_rate_of_closed", np.nan)
    if np.isfinite(closed):
        figure.add_vline(x=closed, line={"color": figures.GREY, "width": 1.5, "dash": "dot"})
    names = [f"{_short(labels.group_name(row.name, terms))} · {row.won:,}/{row.won + row.lost:,}" for row in groups]
    _name_rows(figure, names)
    figure.update_xaxes(rangemode="tozero")
    return figure


def _group_hover(row: Any, terms: FunnelTerms) -> str:
    closed = t("{won} won of {closed} closed, {open} open", won=f"{row.won:,}", closed=f"{row.won + row.lost:,}", open=f"{row.open:,}")
    rates = t(
        "{rate} of closed, {every} of all", rate=value_text(row.win_rate_of_closed, "share"), every=value_text(row.win_rate_of_all, "share")
    )
    return f"<b>{safe_label(labels.group_name(row.name, terms))}</b><br>{closed}<br>{rates}"


def won_bars(rows: pd.DataFrame, terms: FunnelTerms, *, currency: str) -> go.Figure:
    """Return the value won by period of closing, with the number of wins; hatched where the period is unfinished or cut.

    rows: the table `won`.
    """
    figure = figures.base(x_title=t("Period of closing"), y_title=figures.money_title(t("Won value"), currency), y_unit="money")
    known = rows[rows["closed_in"].notna()]
    is_open = (known["is_unfinished"] | known["is_partial"]).to_numpy(dtype=bool)
    names = [labels.period_name(day, terms.by) for day in known["closed_in"]]
    figure.add_bar(
        x=names,
        y=known["won_value"],
        marker={"color": figures.ACCENT, "pattern": {"shape": np.where(is_open, "/", ""), "size": 7, "solidity": 0.3}},
        text=[f"{won:,}" for won in known["won"]],
        textposition="outside",
        cliponaxis=False,
        customdata=[
            [value_text(value, "money", currency), f"{won:,}"] for value, won in zip(known["won_value"], known["won"], strict=True)
        ],
        hovertemplate="%{x}: %{customdata[0]} (%{customdata[1]})<extra></extra>",
    )
    figure.update_layout(margin={"t": 30})
    return figure


def _short(name: Any) -> str:
    text = str(name)
    return safe_label(text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1].rstrip() + "…")


def _small(text: str) -> str:
    return f"<span style='font-size:11px;color:{figures.GREY}'>{text}</span>"


def _name_rows(figure: go.Figure, names: list[str]) -> None:
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.45, -0.6], zeroline=False, showgrid=False)

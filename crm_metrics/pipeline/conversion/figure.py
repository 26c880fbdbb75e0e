"""The pictures of this part."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.figures import Bar
from crm_metrics.language import noop, t
from crm_metrics.metric import value_text
from crm_metrics.pipeline.conversion.labels import cohort_name, cohort_names
from crm_metrics.pipeline.conversion.terms import PERIODS, CohortBy

PUBLISHED_LEAD_SHARES = (0.4, 0.6)
"""Quick & Reilly, new customers / leads, before and after (cases of CRM)."""
_NAMES = {"deals": "cases", "leads": "cases", "won": "ended", "converted": "ended", "won_share": "share", "converted_share": "share"}
_SHARE_TITLES = {"won_share": noop("Won, % of all deals created"), "converted_share": noop("Became customers, % of all leads")}
_AGE_TITLES = {"won_share": noop("Days since the deal was created"), "converted_share": noop("Days since the lead came")}
_MOST_LINES, _MOST_COLOURED, _MOST_DOTS = 24, 5, 30
_FADED = 0.35
_LONGEST_NAME = 26  # letters
_ROW_HEIGHT, _HEIGHT = 30, 305  # below six tiles and the questions it ends with the first screen

# ── figure: cohorts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def cohort_curves(curve: pd.DataFrame, *, by: CohortBy) -> go.Figure:
    """Return the share by age of each cohort: periods in grey with the newest in the accent, groups in colours; all together dotted.

    curve: the table `cohort_curve` or `lead_curve`. Dashed: unfinished, see statistic.curves. Not drawn: small cohorts, and more than the
    latest or largest.
    """
    measure = _measure(curve)
    figure = figures.base(x_title=t(_AGE_TITLES[measure]), y_title=t(_SHARE_TITLES[measure]), y_unit="share", height=_HEIGHT)
    rows = curve.rename(columns=_NAMES)
    shown = _shown(rows[~rows["is_all"].astype(bool)], by)
    for place, (name, part) in enumerate(shown):
        is_marked = place == len(shown) - 1 if by in PERIODS else place < _MOST_COLOURED
        color = figures.GREY if not is_marked else figures.ACCENT if by in PERIODS else figures.SERIES[place]
        _add_curve(figure, part, name, color=color, is_marked=is_marked)
    every = rows[rows["is_all"].astype(bool)]
    if len(every) and len(shown) != 1:
        figure.add_scatter(
            x=_from_zero(every["age_days"]), y=_from_zero(every["share"]), mode="lines", name=t("All"), showlegend=True,
            line={"color": figures.SERIES[1] if by in PERIODS else figures.GREY, "width": 2.5, "shape": "hv", "dash": "dot"},
            hovertemplate="%{x}: %{y:.1%}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.update_layout(showlegend=True)
    figure.update_xaxes(range=[0, _last_day(every)])
    figure.update_yaxes(rangemode="tozero")
    return figure


def _last_day(every: pd.DataFrame) -> float:
    """Return up to which day curves are drawn: a while after hardly anything more happens."""
    if not len(every):
        return 1.0
    days, share = every["age_days"].to_numpy(dtype=float), every["share"].to_numpy(dtype=float)
    return float(min(days[-1], max(days[int(np.argmax(share >= _HARDLY_MORE * share[-1]))] * 1.5, 30.0)))


_HARDLY_MORE = 0.99  # of all that ends so


def _measure(rows: pd.DataFrame) -> str:
    return "won_share" if "won_share" in rows else "converted_share"


def _shown(rows: pd.DataFrame, by: CohortBy) -> list[tuple[str, pd.DataFrame]]:
    """Return the name and rows of each cohort that is drawn."""
    large = rows[rows["cases"] >= _SMALLEST]
    grouped: Any = large.groupby(["cohort", "cohort_name"], dropna=False, sort=False)
    parts = [(cohort_name(cohort, name, by), part) for (cohort, name), part in grouped]
    return parts[-_MOST_LINES:] if by in PERIODS else parts[:_MOST_LINES]


def _add_curve(figure: go.Figure, part: pd.DataFrame, name: str, *, color: str, is_marked: bool) -> None:
    days, share, cases = _from_zero(part["age_days"]), _from_zero(part["share"]), int(part["cases"].iloc[0])
    unfinished = np.append(part["is_unfinished"].iloc[:1].to_numpy(dtype=bool), part["is_unfinished"].to_numpy(dtype=bool))
    label = f"{safe_label(_short(name))} (n = {cases:,})"
    for is_dashed in (False, True):
        kept = unfinished | np.append(unfinished[1:], is_dashed) if is_dashed else ~unfinished  # the dashes begin where the line ends
        if is_dashed and not unfinished.any():
            continue
        line = {"color": color, "width": 2.5 if is_marked else 1.2, "shape": "hv", "dash": "dot" if is_dashed else "solid"}
        figure.add_scatter(
            x=days[kept], y=share[kept], mode="lines", name=label, line=line, opacity=1.0 if is_marked else 0.55,
            showlegend=is_marked and not is_dashed, hovertemplate="%{x}: %{y:.1%}<extra>%{fullData.name}</extra>",
        )  # fmt: skip


def _from_zero(values: pd.Series) -> Any:
    return np.append(0.0, values.to_numpy(dtype=float))


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…"


def naive_dots(rows: pd.DataFrame, *, by: CohortBy, age: str) -> go.Figure:
    """Return the share of each cohort at one age with its interval, and in grey the share so far, which makes young ones look worse.

    rows: the table `cohorts` or `lead_conversion`. age: one of words.ages. Hollow: some of the cohort's open ones are younger. Faded:
    small.
    """
    measure = _measure(rows)
    shown = at_age(rows, age).rename(columns=_NAMES)
    shown = shown.tail(_MOST_DOTS) if by in PERIODS else shown.head(_MOST_DOTS)[::-1]
    is_upright = by in PERIODS
    title: dict[str, Any] = {"x_title": t("Cohort"), "y_title": t(_SHARE_TITLES[measure]), "y_unit": "share"}
    lying: dict[str, Any] = {"x_title": t(_SHARE_TITLES[measure]), "y_title": "", "x_unit": "share"}
    figure = figures.base(**(title if is_upright else lying | {"height": 110 + _ROW_HEIGHT * max(len(shown), 2)}))
    names = [safe_label(_short(name)) for name in cohort_names(shown, by)]
    _add_dots(figure, shown, names, is_upright=is_upright)
    if measure == "converted_share":
        line: dict[str, Any] = {"line": {"color": figures.GREY, "width": 1, "dash": "dot"}}
        for place, share in enumerate(PUBLISHED_LEAD_SHARES):
            named = {"name": t("Quick & Reilly: 40% before its CRM, 60% after"), "showlegend": not place} | line
            figure.add_hline(y=share, **named) if is_upright else figure.add_vline(x=share, **named)
    figure.update_layout(showlegend=True)
    (figure.update_xaxes if is_upright else figure.update_yaxes)(type="category", showgrid=False)
    (figure.update_yaxes if is_upright else figure.update_xaxes)(rangemode="tozero")
    return figure


def _add_dots(figure: go.Figure, shown: pd.DataFrame, names: list[str], *, is_upright: bool) -> None:
    share, low, high, naive = (shown[name].to_numpy(dtype=float) for name in ("share", "low", "high", "naive_share"))
    hollow = shown["is_unfinished"].to_numpy(dtype=bool)
    faded = np.where(shown["is_small"].to_numpy(dtype=bool), _FADED, 1.0)
    across, along = ("y", "x") if is_upright else ("x", "y")
    bounds = {"type": "data", "symmetric": False, "array": high - share, "arrayminus": share - low, "width": 0, "thickness": 1.5}
    hover = [
        t("{name}: {share} (95%: {low} to {high}), n = {n}", name=name, **_percents(share=one, low=least, high=most), n=f"{n:,}")
        for name, one, least, most, n in zip(names, share, low, high, shown["cases"], strict=True)
    ]
    so_far = {along: names, across: np.where(np.isfinite(share), naive, np.nan)}
    figure.add_scatter(
        **so_far, mode="markers", name=t("So far / all: young cohorts look worse"), customdata=[[_percent(value)] for value in naive],
        marker={"size": 9, "symbol": "diamond-open", "color": figures.GREY, "opacity": faded, "line": {"width": 1.8}},
        hovertemplate="%{customdata[0]}<extra>%{fullData.name}</extra>",
    )  # fmt: skip
    marker = {"size": 10, "opacity": faded, "color": np.where(hollow, "rgba(0,0,0,0)", figures.ACCENT)}
    figure.add_scatter(
        **{along: names, across: share, f"error_{across}": {**bounds, "color": figures.faded(figures.ACCENT, 0.5)}},
        mode="markers", name=t("Open ones counted as long as followed"), customdata=[[text] for text in hover],
        marker=marker | {"line": {"color": figures.ACCENT, "width": 2}}, hovertemplate="%{customdata[0]}<extra></extra>",
    )  # fmt: skip


def at_age(rows: pd.DataFrame, age: str) -> pd.DataFrame:
    """Return the rows of one age, or of the end. rows: the table `cohorts` or `lead_conversion`."""
    is_end = rows["is_end"].astype(bool)
    return rows[is_end] if age == END else rows[~is_end & (rows["age_days"] == int(age))]


END = "end"
_FEW_TICKS = 6  # numbers so small have a tick each
_SMALLEST = 30  # deals or leads of a cohort that is drawn


def _percents(**values: float) -> dict[str, str]:
    return {name: _percent(value) for name, value in values.items()}


def _percent(value: float) -> str:
    return value_text(value, "share")


# ── figure: days to close ───────────────────────────────────────────────────────────────────────────────────────────────


def outcome_areas(curve: pd.DataFrame) -> go.Figure:
    """Return what has become of all deals by age: won, still open and lost, which add to all. curve: the table `cohort_curve`."""
    figure = figures.base(x_title=t("Days since the deal was created"), y_title=t("Share of all deals created"), y_unit="share")
    rows = curve[curve["is_all"].astype(bool)]
    parts = (
        ("won_share", noop("Won"), figures.GOOD),
        ("open_share", noop("Still open"), figures.GREY),
        ("lost_share", noop("Lost deals"), figures.BAD),
    )
    for name, label, color in parts:
        share = rows[name].to_numpy(dtype=float)
        start = 1.0 if name == "open_share" else 0.0
        figure.add_scatter(
            x=_from_zero(rows["age_days"]), y=np.append(start, share), mode="lines", name=t(label), stackgroup="all",
            line={"color": color, "width": 1.5, "shape": "hv"}, fillcolor=figures.faded(color, 0.45),
            hovertemplate="%{x}: %{y:.1%}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    figure.update_layout(showlegend=True)
    figure.update_yaxes(range=[0, 1])
    return figure


# ── figure: stages ──────────────────────────────────────────────────────────────────────────────────────────────────────


def stage_ranges(times: pd.DataFrame) -> go.Figure:
    """Return, per stage, the days by which half and 90% of stays have ended, and in grey the mean of ended stays alone.

    times: the table `stage_times`. Faded: small.
    """
    figure = figures.base(x_title=t("Days in the stage"), y_title="", height=110 + 58 * max(len(times), 1))
    rows, places = times[::-1], np.arange(len(times))
    half, last, ended = (rows[name].to_numpy(dtype=float) for name in ("median_days", "p90_days", "ended_mean_days"))
    faded = np.where(rows["is_small"].to_numpy(dtype=bool), _FADED, 1.0)
    for place, start, end in zip(places, half, last, strict=True):
        figure.add_shape(type="line", x0=start, x1=end, y0=place, y1=place, line={"color": figures.faded(figures.ACCENT, 0.45), "width": 5})
    dots = (
        (ended, noop("mean of ended stays alone"), {"symbol": "diamond-open", "color": figures.GREY, "size": 10, "line": {"width": 1.8}}),
        (half, noop("half have ended"), {"color": figures.ACCENT, "size": 12}),
        (
            last,
            noop("90% have ended: later is stalled"),
            {"symbol": "line-ns-open", "color": figures.ACCENT, "size": 16, "line": {"width": 3}},
        ),
    )
    for values, label, marker in dots:
        figure.add_scatter(
            x=values, y=places, mode="markers", name=t(label), marker=marker | {"opacity": faded},
            customdata=[[value_text(value, "days")] for value in values], hovertemplate="%{customdata[0]}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    each: Any = rows.itertuples()
    names = [
        f"{safe_label(_short(str(row.stage_name)))}<br><span style='font-size:11px'>"
        + t("{share} of stays pass, n = {n}", share=_percent(row.passed_share), n=f"{row.stays:,}")
        + "</span>"
        for row in each
    ]
    figure.update_yaxes(tickvals=places, ticktext=names, range=[-0.6, len(times) - 0.4], zeroline=False, showgrid=False)
    figure.update_xaxes(rangemode="tozero")
    figure.update_layout(showlegend=True)
    return figure


def stage_lines(curve: pd.DataFrame, *, slowest: str) -> go.Figure:
    """Return the share of stays in each stage that last longer, the slowest stage in the accent; dashed where under 30 are still followed.

    curve: the table `stage_curve`. slowest: its name.
    """
    figure = figures.base(x_title=t("Days in the stage"), y_title=t("Stays that last longer, % of all"), y_unit="share")
    colors = iter([*figures.SERIES[1:6], *[figures.GREY] * len(curve)])
    for name, part in curve.groupby("stage_name", sort=False):
        color = figures.ACCENT if name == slowest else next(colors)
        few = np.append(False, part["is_few"].to_numpy(dtype=bool))
        days, share = _from_zero(part["days"]), np.append(1.0, part["survival"].to_numpy(dtype=float))
        for is_few in (False, True):
            kept = few | np.append(few[1:], is_few) if is_few else ~few
            line = {"color": color, "width": 3 if name == slowest else 1.8, "shape": "hv", "dash": "dot" if is_few else "solid"}
            figure.add_scatter(
                x=days[kept], y=share[kept], mode="lines", name=safe_label(_short(str(name))), line=line, showlegend=not is_few,
                hovertemplate="%{x}: %{y:.1%}<extra>%{fullData.name}</extra>",
            )  # fmt: skip
    figure.add_hline(y=0.1, line={"color": figures.GREY, "width": 1, "dash": "dot"})
    figure.update_layout(showlegend=True)
    figure.update_yaxes(range=[0, 1.02])
    return figure


def stalled_bars(stages: pd.DataFrame) -> go.Figure:
    """Return how many of the open deals of each stage have stalled. stages: the table `stalled_stages`."""
    rows: Any = stages.itertuples()
    bars = [
        Bar(
            str(row.stage_name), safe_label(_short(str(row.stage_name))),
            t("{stalled} of {n} open", stalled=f"{row.stalled:,}", n=f"{row.deals:,}"), 0.0, float(row.stalled), figures.ACCENT,
        )
        for row in rows
    ]  # fmt: skip
    figure = figures.bars(bars, title=t("Stalled deals, number"), unit="count")
    return figure.update_xaxes(dtick=1) if stages["stalled"].max() < _FEW_TICKS else figure

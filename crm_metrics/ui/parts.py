"""What a page puts on screen: the finding, tiles, figures with their explanation, tables with their downloads."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from sqlalchemy import Select

from crm_metrics import database, export, language
from crm_metrics.export import safe_text
from crm_metrics.figures import themed
from crm_metrics.language import t
from crm_metrics.metric import DASH, Metric, Unit, is_unknown, value_text
from crm_metrics.search import matching
from crm_metrics.ui.address import choose_kept
from crm_metrics.ui.kept import kept
from crm_metrics.ui.start import Page, open_page

Shown = Unit | Literal["text", "long text", "day", "flag", "number"]
_MONEY_DECIMALS = 4  # of a file: as many as the database holds, without what adding doubles leaves behind
MOST_ROWS = 5_000  # of a table on screen: 270,000 took half a second to send, and a browser to hold
_SPARK_WIDTH, _SPARK_HEIGHT = 120, 28
_DASHES = 'stroke-dasharray="3 3"'
_FEW_TILES = 4  # fewer than these don't fill the row


class Column(NamedTuple):
    """One column of a table on screen: its heading, and how its values are printed."""

    label: str
    unit: Shown


def finding(text: str) -> None:
    """Put the finding, a sentence made from the numbers, under the title."""
    st.markdown("##### " + re.sub(r"-(?=[A-Z]*[¥$€£])", "-\u2060", text))  # no line ends between a minus and its amount


def note(text: str) -> None:
    """Put a small grey sentence; nothing where there is nothing to say."""
    if text:
        st.caption(text)


@contextmanager
def question(text: str) -> Iterator[None]:
    """Begin a part of the page that answers one more question."""
    st.subheader(text, anchor=False)
    with st.container():
        yield


def tabs(page: Page, labels: Mapping[str, str], *, key: str = "tab") -> str:
    """Return the chosen one of several questions; only that one is computed. It stands in the address."""

    def control(state: str) -> str | None:
        return st.segmented_control(
            t("Questions"), list(labels), key=state, format_func=labels.__getitem__, required=True, label_visibility="collapsed"
        )

    return choose_kept(page.name, key, labels, control)


# ── tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def choose(page: Page, label: str, options: Mapping[str, str], name: str, *, width: int = 190, has_heading: bool = False) -> str:
    """Draw a list whose choice stands in the address, as a plain value whatever the language. name: also its key in the address.

    options: their labels by value, the usual one first. has_heading: without, what can be chosen says what it is.
    """

    def box(state: str) -> str | None:
        heading: Any = "visible" if has_heading else "collapsed"
        return st.selectbox(label, list(options), format_func=options.__getitem__, key=state, label_visibility=heading, width=width)

    return choose_kept(page.name, name, options, box)


def tiles(
    page: Page,
    frame: pd.DataFrame,
    metrics: Sequence[Metric],
    *,
    change: pd.DataFrame | None = None,
    sparks: Mapping[str, tuple[Sequence[float], Sequence[bool]]] | None = None,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Put one tile for each of `metrics`, side by side.

    frame: metric, value, low, high, unit, n. change: metric, change, is_good, compared_value, and optionally target, target_share.
    sparks: values and which of them are unfinished, by metric. notes: a small line under the value, by metric.
    """
    values = frame.set_index("metric")
    changes = change.set_index("metric") if change is not None and len(change) else pd.DataFrame()
    shown = [
        _tile(
            metric,
            values.loc[metric.name],
            currency=page.currency,
            change=changes.loc[metric.name] if metric.name in changes.index else None,
            spark=(sparks or {}).get(metric.name),
            note_text=(notes or {}).get(metric.name, ""),
            dark=page.is_dark,
        )
        for metric in metrics
        if metric.name in values.index
    ]
    st.html(_tile_style(dark=page.is_dark) + f'<div class="tiles{" few" if len(shown) < _FEW_TILES else ""}">{"".join(shown)}</div>')
    _explain(page, metrics, (), "", label=t("How are these computed?"))


def _tile(
    metric: Metric,
    row: Any,
    *,
    currency: str,
    change: Any,
    spark: tuple[Sequence[float], Sequence[bool]] | None,
    note_text: str,
    dark: bool,
) -> str:
    value = value_text(row.value, metric.unit, currency)
    parts = [
        f'<div class="tile-label">{escape(t(metric.label))}</div>',
        f'<div class="tile-value" style="--letters:{_letters(value)}">{escape(value)}</div>',
    ]
    if not is_unknown(row.low) and not is_unknown(row.high):
        interval = t(
            "95%: {low} to {high}", low=value_text(row.low, metric.unit, currency), high=value_text(row.high, metric.unit, currency)
        )
        parts.append(f'<div class="tile-note">{escape(interval)}</div>')
    if change is not None:
        parts.append(_change(change, metric, currency))
    if note_text:
        parts.append(f'<div class="tile-note">{escape(note_text)}</div>')
    if spark:
        parts.append(_spark(*spark, dark=dark))
    return f'<div class="tile" title="{escape(t(metric.means), quote=True)}">{"".join(parts)}</div>'


def _letters(value: str) -> int:
    """Return how many letters wide a value is; a Chinese character is nearly two."""
    return len(value) + sum(ord(sign) >= _FIRST_WIDE for sign in value)


_FIRST_WIDE = 0x2E80  # from here on signs are as wide as they are high
_SMALLEST_SHOWN = 0.05  # less than that is written 0.0


def _change(change: Any, metric: Metric, currency: str) -> str:
    parts = []
    if not is_unknown(change.change):
        size = abs(change.change)  # the arrow says which way
        moved = size * 100 >= _SMALLEST_SHOWN
        arrow = "■" if not moved else "▲" if change.change > 0 else "▼"
        words = t("unchanged") if not moved else "" if is_unknown(change.is_good) else t("better") if change.is_good else t("worse")
        tone = "" if not moved or is_unknown(change.is_good) else " good" if change.is_good else " bad"
        shown = t("{points} points", points=f"{size * 100:.1f}") if metric.unit == "share" else value_text(size, "share")
        before = t("before: {value}", value=value_text(change.compared_value, metric.unit, currency))
        parts.append(f'<div class="tile-change{tone}">{arrow} {escape(shown)} {escape(words)}</div>')
        parts.append(f'<div class="tile-note">{escape(before)}</div>')
    if not is_unknown(change.get("target_share")):
        share, target = value_text(change.target_share, "share"), value_text(change.target, metric.unit, currency)
        parts.append(f'<div class="tile-note">{escape(t("{share} of target {target}", share=share, target=target))}</div>')
    return "".join(parts)


def _spark(values: Sequence[float], unfinished: Sequence[bool], *, dark: bool) -> str:
    """Return a small line of `values` as an image; the unfinished end is dashed."""
    ys = np.asarray(values, dtype=float)
    if len(ys) < 2 or not np.isfinite(ys).any():
        return ""
    low, span = np.nanmin(ys), (np.nanmax(ys) - np.nanmin(ys)) or 1.0
    xs = np.linspace(2, _SPARK_WIDTH - 2, len(ys))
    heights = _SPARK_HEIGHT - 3 - (ys - low) / span * (_SPARK_HEIGHT - 6)
    line = f'fill="none" stroke="{"#4DB3C8" if dark else "#0F6E84"}" stroke-width="1.8" vector-effect="non-scaling-stroke"'
    pieces = "".join(
        f'<polyline {line}{" " + _DASHES if open_ else ""} points="{" ".join(points)}"/>'
        for points, open_ in _pieces(xs, heights, unfinished)
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}" preserveAspectRatio="none">{pieces}</svg>'
    return f'<img alt="" src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'


def _pieces(xs: Any, ys: Any, unfinished: Sequence[bool]) -> Iterator[tuple[list[str], bool]]:
    """Give the stretches of a line: its points, and whether they touch an unfinished period."""
    for at in range(len(xs) - 1):
        if np.isfinite(ys[at : at + 2]).all():
            yield [f"{xs[place]:.1f},{ys[place]:.1f}" for place in (at, at + 1)], bool(unfinished[at] or unfinished[at + 1])


def _tile_style(*, dark: bool) -> str:
    card, line, quiet, good, bad = (
        ("#1D2833", "#2F3D4A", "#9AA7B3", "#4CBF94", "#E58A63") if dark else ("#FFFFFF", "#E4E0D9", "#66727D", "#1B7F5C", "#B3472F")
    )
    return f"""<style>
.tiles {{display:grid;grid-template-columns:repeat(auto-fit,minmax(148px,1fr));gap:.75rem}}
.tiles.few {{grid-template-columns:repeat(auto-fill,minmax(220px,1fr))}}
.tile {{background:{card};border:1px solid {line};border-radius:.6rem;padding:.8rem .95rem}}
.tile {{display:flex;flex-direction:column;gap:.15rem;min-width:0;container-type:inline-size}}
.tile-label {{color:{quiet};font-size:.86rem}}
.tile-value {{font-size:clamp(.8rem,min(19cqi,155cqi/var(--letters)),1.7rem);font-weight:620}}
.tile-value {{line-height:1.25;letter-spacing:-.01em;white-space:nowrap}}
.tile-change {{font-size:.86rem;font-weight:560}} .tile-change.good {{color:{good}}} .tile-change.bad {{color:{bad}}}
.tile-note {{color:{quiet};font-size:.8rem}}
.tile img {{width:100%;height:{_SPARK_HEIGHT}px;margin-top:auto;padding-top:.35rem;overflow:visible}}
@media (max-width:480px) {{.tiles, .tiles.few {{grid-template-columns:repeat(2,minmax(0,1fr))}}}}
</style>"""


# ── figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def draw(page: Page, function: Callable[..., go.Figure], *tables: Any, **options: Any) -> go.Figure:
    """Return what `function` draws of `tables` in the reader's language and theme.

    It is kept as long as the tables are the very frames that were asked for: `ask` gives the same frame for the same data version, scope
    and filters. The kept figure holds them, so that no other frame can take their place in memory and be mistaken for them.
    """
    marks = tuple(id(table) if isinstance(table, pd.DataFrame) else repr(table) for table in tables)
    look = (language.current(), page.is_dark)
    key = (*page.source.key, function.__module__, function.__qualname__, marks, repr(options), look)
    drawn: tuple[go.Figure, Any] = kept().answer(
        key, lambda: (themed(function(*tables, **options), dark=page.is_dark, chinese=language.current() == "zh"), tables)
    )
    return drawn[0]


def figure(
    page: Page,
    drawn: go.Figure,
    *,
    name: str,
    alt: str,
    metrics: Sequence[Metric] = (),
    queries: Sequence[Select] = (),
    notes: str = "",
    selects: bool = False,
) -> list[Any]:
    """Put a figure that `draw` made, with its "How is this computed?"; return what stands first in the customdata of each chosen point.

    selects: bars and markers can be chosen by a click (cells of a heatmap can't); without it nothing is ever chosen.
    """
    config = {
        "displaylogo": False,
        "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
        "toImageButtonOptions": {"format": "svg", "filename": name},
    }
    options: dict[str, Any] = {"on_select": "rerun", "selection_mode": "points"} if selects else {}
    event: Any = st.plotly_chart(drawn, theme=None, key=f"{page.name}_{name}", config=config, alt=alt, **options)
    _explain(page, metrics, queries, notes, label=t("How is this computed?"))
    return [point["customdata"][0] for point in event["selection"]["points"] if point.get("customdata")] if selects else []


def _explain(page: Page, metrics: Sequence[Metric], queries: Sequence[Select], notes: str, *, label: str) -> None:
    if not (metrics or queries or notes):
        return
    with st.popover(label, type="tertiary", icon=":material/help:"):
        for metric in metrics:
            st.markdown(f"**{t(metric.label)}** — {t(metric.means)}" + (f" *{t(metric.source)}*" if metric.source else ""))
        if notes:
            st.markdown(notes)
        for query in queries:
            sql, values = database.statement_text(page.source.data_set, query)
            st.code(sql, language="sql", wrap_lines=True)
            st.caption(t("Values: {values}", values=safe_text("; ".join(f"{key} = {value}" for key, value in values.items()))))


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def table(
    page: Page,
    frame: pd.DataFrame,
    *,
    columns: Mapping[str, tuple[str, Shown]],
    name: str,
    opens_customer: bool = False,
    search: bool = False,
    selects: bool = False,
    height: int | None = None,
) -> list[int]:
    """Put a sortable table with its downloads, which hold every row; return the positions of the chosen rows.

    columns: which columns of `frame`, in this order. opens_customer: a click on a row opens that customer (column customer_id).
    search: a box above it finds rows whose texts hold what is typed. selects: a row can be chosen (always so where it opens a customer).
    """
    specs = {column: Column(*spec) for column, spec in columns.items()}
    found = _searched(frame, name) if search else frame
    every = found.loc[:, list(columns)]
    shown = every.head(MOST_ROWS)
    options: dict[str, Any] = {"height": height} if height and len(shown) else {}
    if selects or opens_customer:
        options |= {"on_select": "rerun", "selection_mode": "single-cell" if opens_customer else "single-row"}
    key = f"{page.name}_{name}_table"
    config = {column: _column_config(spec) for column, spec in specs.items()}
    with st.container(key=f"{key}_grid"):  # without a place of its own a grid takes the column widths of the one that stood there before
        event: Any = st.dataframe(_printable(shown, specs), hide_index=True, placeholder=DASH, column_config=config, key=key, **options)
    chosen = [row for row in _chosen_rows(event) if row < len(shown)] if selects or opens_customer else []  # other filters, fewer rows
    taken = _printable(every, specs, decimals=_MONEY_DECIMALS)
    _downloads(taken.rename(columns={column: spec.label for column, spec in specs.items()}), key=key, name=name)
    if opens_customer and chosen and not is_unknown(found.iloc[chosen[0]].customer_id):
        st.session_state.pop(key, None)
        open_page("customer", customer=str(found.iloc[chosen[0]].customer_id))
    return chosen


def _chosen_rows(event: Any) -> list[int]:
    selection = event["selection"]
    return [row for row, _column in selection["cells"]] or list(selection["rows"])


def _searched(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    wanted = st.text_input(t("Search"), key=f"search_{name}", icon=":material/search:", placeholder=t("name or number"))
    return matching(frame, wanted)


def _printable(frame: pd.DataFrame, columns: Mapping[str, Column], *, decimals: int = 2) -> pd.DataFrame:
    """Return `frame` with money at so many decimals."""
    rounded = {column: frame[column].round(decimals) for column, spec in columns.items() if spec.unit.startswith("money")}
    return frame.assign(**rounded)


def _column_config(spec: Column) -> Any:
    number = st.column_config.NumberColumn
    kinds: dict[str, Callable[[], Any]] = {
        "text": lambda: st.column_config.TextColumn(spec.label),
        "long text": lambda: st.column_config.TextColumn(spec.label, width=560),
        "day": lambda: st.column_config.DateColumn(spec.label, format="YYYY-MM-DD"),
        "flag": lambda: st.column_config.CheckboxColumn(spec.label),
        "share": lambda: number(spec.label, format="percent"),
        "count": lambda: number(spec.label, format="localized", step=1),
        "days": lambda: number(spec.label, format="%.1f"),
        "weeks": lambda: number(spec.label, format="%.1f"),
        "ratio": lambda: number(spec.label, format="%.4g"),
        "number": lambda: number(spec.label, format="localized"),
    }
    return kinds.get(spec.unit, lambda: number(spec.label, format="accounting"))()


def _downloads(frame: pd.DataFrame, *, key: str, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.download_button(
            t("CSV"),
            lambda: export.csv_bytes(frame),
            file_name=f"{name}.csv",
            mime="text/csv",
            key=f"{key}_csv",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",  # a rerun would take the file away before it is fetched
        )
        st.download_button(
            t("Excel"),
            lambda: export.excel_bytes(frame, sheet=name),
            file_name=f"{name}.xlsx",
            mime="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            key=f"{key}_xlsx",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
        rows = t("Rows: {n}", n=f"{len(frame):,}")
        more = t("; the first {n} are shown and sorted here, the files hold all", n=f"{MOST_ROWS:,}") if len(frame) > MOST_ROWS else ""
        st.caption(rows + more)

"""The pictures of this part."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from crm_metrics import figures
from crm_metrics.export import safe_label
from crm_metrics.figures import Bar
from crm_metrics.language import t
from crm_metrics.metric import value_text
from crm_metrics.pipeline.ownership.labels import FIELDS, FLAGS, times_text
from crm_metrics.pipeline.ownership.terms import STILL_FROM

MOST_OWNERS = 12  # in the figure; the table holds all
_PALE = figures.faded(figures.GREY, 0.6)


def blind_bars(rows: pd.DataFrame) -> go.Figure:
    """Return how many open deals have each blind spot, the most frequent in colour. rows: the table blind_spots."""
    counts = rows[list(FLAGS)].sum().sort_values(ascending=False, kind="stable")
    found = counts[counts > 0]
    share = found / max(len(rows), 1)
    bars = [
        Bar(str(name), t(FLAGS[str(name)]), f"{found[name]:,} · {value_text(share[name], 'share')}", 0.0, float(found[name]), _color(place))
        for place, name in enumerate(found.index)
    ]
    return figures.bars(bars, title=t("Open deals"), unit="count")


def _color(place: int) -> str:
    return _PALE if place else figures.ACCENT


def owner_bars(owners: pd.DataFrame, *, currency: str) -> go.Figure:
    """Return the open value of each owner, who has left in another colour; where no value is known their open deals. owners: the table."""
    has_value = bool(owners["open_value"].notna().any())
    column = "open_value" if has_value else "open_deals"
    rows = owners[owners[column].fillna(0) > 0].sort_values(column, ascending=False, kind="stable").head(MOST_OWNERS)
    names = [safe_label(name) or t("nobody") for name in rows["owner_name"]]
    lengths = rows[column].to_numpy(dtype=float)
    values = [value_text(length, "money" if has_value else "count", currency) for length in lengths]
    deals = [t("{n} deals", n=f"{count:,}") for count in rows["open_deals"]]
    is_gone = (rows["has_left"] | (rows["owner_id"] == "")).to_numpy(dtype=bool)
    bars = [
        Bar(key, name, f"{value} · {count}", 0.0, length, figures.BAD if gone else _color(place))
        for place, (key, name, value, count, length, gone) in enumerate(
            zip(rows["owner_id"], names, values, deals, lengths, is_gone, strict=True)
        )
    ]
    title = figures.money_title(t("Open value"), currency) if has_value else t("Open deals")
    return figures.bars(bars, title=title, unit="money" if has_value else "count")


def field_bars(completeness: pd.DataFrame) -> go.Figure:
    """Return the share of open deals that have each key field, the emptiest in colour. completeness: the table."""
    rows = completeness[completeness["is_recorded"]]
    texts = [f"{value_text(share, 'share')} · {filled:,}" for share, filled in zip(rows["share"], rows["filled"], strict=True)]
    bars = [
        Bar(field, t(FIELDS[field]), text, 0.0, float(share), _color(place))
        for place, (field, text, share) in enumerate(zip(rows["field"], texts, rows["share"], strict=True))
    ]
    figure = figures.bars(bars, title=t("Share of open deals where it is filled in"), unit="share")
    figure.update_xaxes(range=[0, 1])
    return figure


def lateness_bars(rows: pd.DataFrame) -> go.Figure:
    """Return customers by the length of their silence, overdue ones in colour. rows: the table repurchase_lateness."""
    bars = [
        Bar(
            str(at),
            times_text(row["from_times"], row["to_times"]),
            t("{n}, chance to buy {chance}", n=f"{row['customers']:,}", chance=value_text(row["chance"], "share")),
            0.0,
            float(row["customers"]),
            figures.ACCENT if row["from_times"] >= 1 and row["still_customer"] >= STILL_FROM else _PALE,
        )
        for at, row in enumerate(rows.to_dict("records"))
    ]
    figure = figures.bars(bars, title=t("Customers"), unit="count")
    figure.update_xaxes(nticks=6)  # they stand upright on a phone
    return figure


def handover_dots(trend: pd.DataFrame) -> go.Figure:
    """Return the median hours from service contact to deal by quarter, with intervals. trend: the table handover_trend."""
    figure = figures.base(x_title=t("Quarter of the service contact, from"), y_title=t("Hours to the deal, median"))
    named = {"quarter_on": "day", "median_hours": "value", "median_low": "low", "median_high": "high", "known": "n"}
    figures.add_dots(figure, trend.rename(columns=named), number=".1f")
    return figure


def service_bars(trend: pd.DataFrame) -> go.Figure:
    """Return the deals per 1,000 service contacts by quarter; a quarter that is not over is hatched. trend: the table service_trend."""
    figure = figures.base(x_title=t("Quarter of the service contact, from"), y_title=t("Deals per 1,000 service contacts"))
    figure.add_bar(
        x=trend["quarter_on"].dt.strftime("%Y-%m"),
        y=trend["deals_per_1000_contacts"],
        marker={"color": figures.ACCENT, "pattern": {"shape": np.where(trend["is_unfinished"], "/", "")}},
        customdata=trend[["deals", "contacts"]].to_numpy(),
        hovertemplate="%{x}: %{y:.1f} (%{customdata[0]:,} / %{customdata[1]:,})<extra></extra>",
    )
    figure.update_xaxes(type="category")
    return figure

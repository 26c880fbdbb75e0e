"""What rules, measures and arms are called, and how the columns of the page's tables are headed and printed."""

from functools import partial
from textwrap import wrap
from typing import Any

import pandas as pd

from crm_metrics.campaign_roi.credit.terms import RULES, Rule
from crm_metrics.campaign_roi.result.labels import arm_label, group_label, segment_label
from crm_metrics.captions import known_columns
from crm_metrics.export import safe_label
from crm_metrics.language import noop, t, translated
from crm_metrics.metric import is_unknown

LABELS: dict[Rule, str] = {
    "named": noop("campaign named on the order"),
    "first": noop("first touch"),
    "last": noop("last touch"),
    "linear": noop("linear (all touches alike)"),
    "position": noop("position (first and last most)"),
    "time_decay": noop("time decay (late touches most)"),
}
KINDS: dict[str, str] = {
    "acquisition": noop("acquisition"),
    "retention": noop("retention"),
    "cross-sell": noop("cross-sell"),
    "win-back": noop("win-back"),
}
PERSONALISATIONS: dict[str, str] = {
    "mass": noop("mass mailing"),
    "segment": noop("by segment"),
    "individual": noop("one to one"),
    "": noop("not recorded"),
}
OUTCOMES: dict[str, str] = {
    "gross_revenue": noop("Revenue before returns"),
    "net_revenue": noop("Net revenue"),
    "bought": noop("Share who buy"),
}
MEASURES: dict[str, str] = {
    "spend_30": noop("Spend of 30 days"),
    "spend_90": noop("Spend of 90 days"),
    "spend_180": noop("Spend of 180 days"),
    "spend_365": noop("Spend of 365 days"),
    "orders_90": noop("Purchases in 90 days"),
    "orders_365": noop("Purchases in 365 days"),
    "days_since_last": noop("Days since the last purchase"),
    "tenure_days": noop("Days since the first purchase"),
}
_CAMPAIGN: dict[str, tuple[str, Any]] = {"shown_name": (noop("Campaign"), "text")}
_LINE, _LINES = 18, 2  # letters of a name beside its row, and lines: narrow screens need the room
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "campaigns": {
        **_CAMPAIGN,
        "campaign_kind": (noop("Kind"), "text"),
        "channel": (noop("Channel"), "text"),
        "started_on": (noop("Started on"), "day"),
        "measured_until": (noop("Measured until"), "day"),
        "is_finished": (noop("Finished"), "flag"),
        "has_control": (noop("Control group"), "flag"),
        "cost": (noop("Cost"), "money"),
        "reach": (noop("Reached"), "count"),
        "response": (noop("Responded"), "count"),
        "response_rate": (noop("Response rate"), "share"),
        "attributed_orders": (noop("Attributed purchases"), "ratio"),
        "attributed_revenue": (noop("Attributed revenue"), "money"),
        "attributed_margin": (noop("Attributed margin"), "money"),
        "attributed_roi": (noop("Attributed ROI"), "share"),
        "incremental": (noop("Incremental money"), "money"),
        "incremental_low": (noop("95% from"), "money"),
        "incremental_high": (noop("95% to"), "money"),
        "incremental_roi": (noop("Incremental ROI"), "share"),
        "incremental_roi_low": (noop("ROI, 95% from"), "share"),
        "incremental_roi_high": (noop("ROI, 95% to"), "share"),
        "chance_of_profit": (noop("Chance of profit"), "share"),
        "not_caused": (noop("Attributed minus incremental"), "money"),
    },
    "credit": {**_CAMPAIGN, **{rule: (LABELS[rule], "money") for rule in RULES}},
    "adjusted": {
        **_CAMPAIGN,
        "arm": (noop("Arm"), "text"),
        "shown_outcome": (noop("Outcome"), "text"),
        "n": (noop("Treated"), "count"),
        "mean": (noop("Treated, adjusted mean"), "ratio"),
        "compared_n": (noop("Similar customers"), "count"),
        "compared_mean": (noop("Similar customers, adjusted mean"), "ratio"),
        "difference": (noop("Adjusted difference"), "ratio"),
        "low": (noop("95% from"), "ratio"),
        "high": (noop("95% to"), "ratio"),
        "crude_difference": (noop("Unadjusted difference"), "ratio"),
        "effective_n": (noop("Effective sample size"), "count"),
    },
    "balance": {
        "shown_measure": (noop("Measure before the start"), "text"),
        "difference_before": (noop("Before adjusting"), "ratio"),
        "difference_after": (noop("After adjusting"), "ratio"),
        "is_adjusted": (noop("Balanced"), "flag"),
    },
    "budget": {
        **_CAMPAIGN,
        "budget": (noop("Budget"), "money"),
        "cost": (noop("Cost"), "money"),
        "cost_of_budget": (noop("Cost, share of budget"), "share"),
        "reach": (noop("Reached"), "count"),
        "response": (noop("Responded"), "count"),
        "attributed_orders": (noop("Attributed purchases"), "ratio"),
        "cost_per_reach": (noop("Cost per customer reached"), "money"),
        "cost_per_response": (noop("Cost per response"), "money"),
        "cost_per_order": (noop("Cost per attributed purchase"), "money"),
    },
    "wasted": {
        **_CAMPAIGN,
        "arm": (noop("Arm"), "text"),
        "shown_segment": (noop("Segment"), "text"),
        "treated": (noop("Treated"), "count"),
        "uplift": (noop("Uplift per person"), "ratio"),
        "low": (noop("95% from"), "ratio"),
        "high": (noop("95% to"), "ratio"),
        "spent_there": (noop("Spent there"), "money"),
    },
    "contacts": {
        "quarter_on": (noop("Quarter from"), "day"),
        "shown_personalisation": (noop("Personalisation"), "text"),
        "contacts": (noop("Contacts"), "count"),
        "share": (noop("Share of the quarter"), "share"),
    },
}
columns = partial(known_columns, COLUMNS)


def shown_names(frame: pd.DataFrame) -> list[str]:
    """Return what the campaigns of a frame (campaign, campaign_name) are called; where one has no name, by its key."""
    pairs = zip(frame["campaign"], frame["campaign_name"], strict=True)
    return [t("Campaign {key}", key=key) if is_unknown(name) or not str(name).strip() else str(name) for key, name in pairs]


def names_with_arms(frame: pd.DataFrame) -> list[str]:
    """Return the names of the campaigns of a frame; of several arms the arm's name goes with it."""
    names = shown_names(frame)
    if "arm" not in frame or frame["arm"].nunique() < 2:
        return names
    return [f"{name} · {arm}" for name, arm in zip(names, frame["arm"], strict=True)]


def short_names(frame: pd.DataFrame) -> list[str]:
    """Return the names of the campaigns as they stand beside the rows of a figure."""
    wrapped = [wrap(name, _LINE, max_lines=_LINES, placeholder="…") for name in names_with_arms(frame)]
    return ["<br>".join(safe_label(line) for line in lines) for lines in wrapped]


def shown_segments(rows: pd.DataFrame) -> list[str]:
    """Return what the segments of a frame (by, segment) are called, and by what they are told."""
    pairs = zip(rows["by"], rows["segment"], strict=True)
    return [t("{label}: {values}", label=group_label(by), values=segment_label(by, segment)) for by, segment in pairs]


def in_words(table: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table (a key of COLUMNS) as shown: names in the reader's language."""
    if table == "contacts":
        return rows.assign(shown_personalisation=[t(PERSONALISATIONS.get(name, name)) for name in rows["personalisation"]])
    if table == "balance":
        return rows.assign(shown_measure=[t(MEASURES[name]) for name in rows["measure"]])
    named = rows.assign(shown_name=shown_names(rows))
    if table == "credit":
        wide = named.pivot(index="campaign", columns="rule", values="credited_revenue").reindex(named["campaign"].unique())
        return wide.assign(shown_name=named.drop_duplicates("campaign")["shown_name"].to_numpy()).reset_index()
    if table == "wasted":
        return named.assign(shown_segment=shown_segments(rows), arm=[arm_label(arm) for arm in rows["arm"]])
    if table == "adjusted":
        arms = [arm_label(arm) for arm in rows["arm"]]
        return named.assign(shown_outcome=[t(OUTCOMES[name]) for name in rows["outcome"]], arm=arms)
    kinds = rows["campaign_kind"].map(translated(KINDS))
    return named.assign(campaign_kind=kinds.where(kinds.notna(), rows["campaign_kind"]))


# ── what a reader chose ─────────────────────────────────────────────────────────────────────────────────────────────────


def chosen_campaign(rows: pd.DataFrame, picked: list[str], chosen: list[int]) -> str:
    """Return the campaign of a mark that was clicked, else of a chosen row of the table; "" where nothing was. rows: of the table."""
    return picked[0] if picked else str(rows["campaign"].iloc[chosen[0]]) if chosen else ""


def rules() -> dict[Rule, str]:
    """Return the rules of credit in the reader's language."""
    return translated(LABELS)


def outcomes() -> dict[str, str]:
    """Return the outcomes of the adjusted comparison in the reader's language."""
    return translated(OUTCOMES)


def balanced(balance: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the campaigns and arms of the table balance with their names."""
    pairs = balance.drop_duplicates(["campaign", "arm"])
    return dict(zip(zip(pairs["campaign"], pairs["arm"], strict=True), names_with_arms(pairs), strict=True))


def of_pair(balance: pd.DataFrame, pair: tuple[str, str]) -> pd.DataFrame:
    """Return the rows of one campaign and arm."""
    return balance[(balance["campaign"] == pair[0]) & (balance["arm"] == pair[1])]

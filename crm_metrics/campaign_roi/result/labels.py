"""What the arms, outcomes and columns of the page are called, and how a difference is printed."""

from functools import partial
from typing import Any

import pandas as pd

from crm_metrics.campaign_roi.result.metrics import COST, INCREMENTAL_ROI, METRICS, SMALLEST_LIFT
from crm_metrics.captions import known_columns
from crm_metrics.language import date_text, noop, t, translated
from crm_metrics.metric import DASH, Metric, Unit, is_unknown, value_text
from crm_metrics.segments.attributes import ATTRIBUTES
from crm_metrics.segments.words import value_label

PROVEN_BELOW = 0.05  # two-sided: the interval of 95% leaves zero out
_FURTHER = "treated "  # "treated B"
_SMALLEST_P = 0.001  # of those written out
ARMS = {"treated": noop("Treated"), "control": noop("Control"), "unassigned": noop("Not assigned")}
OUTCOMES: dict[str, str] = {  # the main one first
    "spend": noop("Spend per person"),
    "gross_revenue": noop("Revenue before returns per person"),
    "net_revenue": noop("Net revenue per person"),
    "gross_margin": noop("Gross margin per person"),
    "bought": noop("Share who bought"),
    "orders": noop("Purchases per person"),
    "visited": noop("Share who visited"),
}
MEASURES = {
    "gross_margin": noop("gross margin"),
    "net_revenue": noop("net revenue"),
    "spend": noop("spend"),
}
GROUPS = {
    "stratum": noop("Stratum"),
    "segment": noop("Segment in the campaign's file"),
    "value_before": noop("Spend before the campaign"),
}
PLANS = {"record": noop("the recorded plan"), "equal": noop("equal sizes")}
VALUES_BEFORE = {"top 20%": noop("top 20%"), "other 80%": noop("other 80%"), "none": noop("nothing spent")}
_ATTRIBUTES = {attribute.name: attribute for attribute in ATTRIBUTES}
_COMPARED: dict[str, tuple[str, Any]] = {
    "n": (noop("Treated people"), "count"),
    "mean": (noop("Treated, per person"), "number"),
    "control_n": (noop("Control people"), "count"),
    "control_mean": (noop("Control, per person"), "number"),
    "uplift": (noop("Uplift per person"), "number"),
    "low": (noop("95% from"), "number"),
    "high": (noop("95% to"), "number"),
    "p_value": (noop("p"), "ratio"),
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {
    "worked": {
        "arm": (noop("Arm"), "text"),
        "outcome": (noop("Outcome"), "text"),
        **_COMPARED,
        "p_adjusted": (noop("p, all arms (Holm)"), "ratio"),
        "lift": (noop("Lift over the control"), "share"),
        "adjusted_uplift": (noop("Uplift, adjusted for earlier spend"), "number"),
        "adjusted_low": (noop("adjusted, 95% from"), "number"),
        "adjusted_high": (noop("adjusted, 95% to"), "number"),
        "bootstrap_low": (noop("Bootstrap, 95% from"), "number"),
        "bootstrap_high": (noop("Bootstrap, 95% to"), "number"),
        "coverage": (noop("Coverage of the 95% interval"), "share"),
    },
    "arms": {
        "arm": (noop("Arm"), "text"),
        "members": (noop("People"), "count"),
        "share": (noop("Share of people"), "share"),
        "planned_share": (noop("Share planned"), "share"),
        "p_value": (noop("p of the split"), "ratio"),
    },
    "paid": {
        "arm": (noop("Arm"), "text"),
        "treated": (noop("Treated people"), "count"),
        "extra": (noop("Extra"), "money"),
        "low": (noop("95% from"), "money"),
        "high": (noop("95% to"), "money"),
        "cost": (noop("Cost"), "money"),
        "profit": (noop("Extra less cost"), "money"),
        "profit_low": (noop("less cost, 95% from"), "money"),
        "profit_high": (noop("less cost, 95% to"), "money"),
        "roi": (noop("Return on cost"), "share"),
        "roi_low": (noop("return, 95% from"), "share"),
        "roi_high": (noop("return, 95% to"), "share"),
        "chance_of_profit": (noop("Chance of profit"), "share"),
    },
    "whom": {
        "segment": (noop("Segment"), "text"),
        **_COMPARED,
        "p_adjusted": (noop("p, all segments (Holm)"), "ratio"),
    },
    "enough": {
        "outcome": (noop("Outcome"), "text"),
        "n": (noop("Treated people"), "count"),
        "control_n": (noop("Control people"), "count"),
        "lift": (noop("Lift found"), "share"),
        "smallest_lift": (noop("Smallest detectable lift"), "share"),
        "smallest_uplift": (noop("Smallest detectable uplift per person"), "number"),
        "power": (noop("Power for a lift worth having"), "share"),
        "customers_needed": (noop("People needed to detect the lift found"), "count"),
        "variance_reduction": (noop("Variance explained by earlier spend"), "share"),
    },
    "looks": {
        "day": (noop("Day of the campaign"), "count"),
        "looked_on": (noop("Date"), "day"),
        "n": (noop("Treated people"), "count"),
        "control_n": (noop("Control people"), "count"),
        "uplift": (noop("Uplift per person"), "number"),
        "low": (noop("At every look, 95% from"), "number"),
        "high": (noop("At every look, 95% to"), "number"),
        "plain_low": (noop("This look alone, 95% from"), "number"),
        "plain_high": (noop("This look alone, 95% to"), "number"),
    },
    "ranking": {
        "place": (noop("Rank"), "count"),
        "shown_name": (noop("Campaign"), "text"),
        "outcome": (noop("Outcome"), "text"),
        "uplift": (noop("Uplift per person"), "money_per_customer"),
        "low": (noop("95% from"), "money_per_customer"),
        "high": (noop("95% to"), "money_per_customer"),
        "shrunk_uplift": (noop("Shrunk uplift"), "money_per_customer"),
        "shrunk_low": (noop("shrunk, 95% from"), "money_per_customer"),
        "shrunk_high": (noop("shrunk, 95% to"), "money_per_customer"),
        "chance_best": (noop("Chance to be the best"), "share"),
    },
    "compared": {
        "arm": (noop("Arm"), "text"),
        "outcome": (noop("Outcome"), "text"),
        "n": (noop("Chosen people"), "count"),
        "mean": (noop("Chosen, per person"), "number"),
        "compared_n": (noop("Comparison people"), "count"),
        "compared_mean": (noop("Comparison, per person"), "number"),
        "crude_difference": (noop("Unadjusted difference"), "number"),
        "difference": (noop("Difference, adjusted"), "number"),
        "low": (noop("95% from"), "number"),
        "high": (noop("95% to"), "number"),
    },
}
columns = partial(known_columns, COLUMNS)


def arm_label(arm: Any) -> str:
    """Return the name of an arm; of one that carries a name of its own that name."""
    if str(arm).startswith(_FURTHER):
        return t(ARMS["treated"]) + " " + str(arm).removeprefix(_FURTHER)
    return t(ARMS[arm]) if arm in ARMS else str(arm)


def outcome_label(outcome: Any) -> str:
    """Return what is compared, per person."""
    return t(OUTCOMES[outcome]) if outcome in OUTCOMES else str(outcome)


def plans() -> dict[str, str]:
    """Return what the sizes of the arms can be held to."""
    return translated(PLANS)


def measure_label(measure: Any) -> str:
    """Return in which money a campaign's return is counted."""
    return t(MEASURES[measure]) if measure in MEASURES else str(measure)


def group_label(by: Any) -> str:
    """Return by what people are told apart."""
    return t(GROUPS[by]) if by in GROUPS else t(_ATTRIBUTES[by].label) if by in _ATTRIBUTES else str(by)


def segment_label(by: Any, segment: Any) -> str:
    """Return the name of one group of people; unknown ones are said to be so."""
    if is_unknown(segment) or segment == "":
        return t("unknown")
    if by == "value_before" and segment in VALUES_BEFORE:
        return t(VALUES_BEFORE[segment])
    return value_label(str(segment)) if by in _ATTRIBUTES else str(segment)


def level_text(value: float, unit: Unit, currency: str) -> str:
    """Return what one person brings, in the unit of the outcome."""
    return _small(value) if unit in ("ratio", "count") else value_text(value, unit, currency)


def difference_text(value: float, unit: Unit, currency: str, *, signed: bool = False) -> str:
    """Return a difference between two arms; of shares in points."""
    if is_unknown(value):
        return DASH
    sign = "+" if signed and value > 0 else ""
    if unit == "share":
        return sign + t("{points} points", points=f"{100 * value:,.2f}")
    return sign + level_text(value, unit, currency)


def _small(value: float) -> str:
    return DASH if is_unknown(value) else f"{value:,.3f}"


def p_text(p_value: float) -> str:
    """Return a p-value as it is read: three decimals, never 0."""
    return t("p unknown") if is_unknown(p_value) else "p < 0.001" if p_value < _SMALLEST_P else f"p = {p_value:.3f}"


# ── choosing ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def campaign_names(campaigns: pd.DataFrame, others: pd.DataFrame) -> dict[str, str]:
    """Return the name of each campaign by its id, those with a control group first. campaigns: chosen_campaigns; others: every campaign."""
    both = pd.concat([frame[["campaign", "campaign_name", "started_on"]] for frame in (campaigns, others)]).drop_duplicates("campaign")
    return {str(row.campaign): _campaign_name(row) for row in _each(both)}


def _campaign_name(row: Any) -> str:
    name = str(row.campaign) if is_unknown(row.campaign_name) or not row.campaign_name.strip() else str(row.campaign_name)
    return name if is_unknown(row.started_on) else t("{name} · {day}", name=name, day=date_text(row.started_on))


def has_control(campaigns: pd.DataFrame, campaign: str) -> bool:
    """Return whether a campaign has a control group drawn by lot. campaigns: the table chosen_campaigns."""
    return bool((campaigns["campaign"] == campaign).any())


def outcomes(uplift: pd.DataFrame) -> dict[str, str]:
    """Return the outcomes of a campaign, the main one first. uplift: its rows of the table."""
    known = set(uplift["outcome"])
    return {outcome: t(label) for outcome, label in OUTCOMES.items() if outcome in known}


def arms(uplift: pd.DataFrame) -> dict[str, str]:
    """Return the treated arms of a campaign. uplift: its rows of the table."""
    return {arm: arm_label(arm) for arm in uplift["arm"].unique()}


def groups(segments: pd.DataFrame) -> dict[str, str]:
    """Return the ways in which people are told apart. segments: rows of one campaign."""
    return {by: group_label(by) for by in segments["by"].unique()}


def tile_metrics(tiles: pd.DataFrame) -> list[Metric]:
    """Return the metrics of the tiles that are known, and the cost, without which some are not. tiles: the table result_tiles.

    What the people could show stands in the place of a return that is not known.
    """
    known = set(tiles.loc[tiles["value"].notna(), "metric"]) | ({COST.name} & set(tiles["metric"]))
    known -= {SMALLEST_LIFT.name} if INCREMENTAL_ROI.name in known else set()
    return [metric for metric in METRICS if metric.name in known]


def tile_notes(tiles: pd.DataFrame) -> dict[str, str]:
    """Return what stands under a tile without a value."""
    unknown = set(tiles.loc[tiles["value"].isna(), "metric"])
    return {COST.name: t("not recorded")} if COST.name in unknown else {}


def pairs(balance: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the campaigns and arms of the table balance."""
    return [(str(campaign), str(arm)) for campaign, arm in balance[["campaign", "arm"]].drop_duplicates().itertuples(index=False)]


def of(frame: pd.DataFrame, **chosen: str) -> pd.DataFrame:
    """Return the rows of a table whose columns have the chosen values."""
    for column, value in chosen.items():
        frame = frame[frame[column] == value]
    return frame


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its arms, outcomes and segments as the reader calls them."""
    shown = frame
    if "segment" in frame:
        labels = [segment_label(by, value) for by, value in zip(frame["by"], frame["segment"], strict=True)]
        shown = shown.assign(segment=labels)
    for column, label in (("arm", arm_label), ("outcome", outcome_label)):
        if column in frame:
            shown = shown.assign(**{column: frame[column].map(label)})
    return shown


def _each(frame: pd.DataFrame) -> Any:
    return frame.itertuples()

"""What things are called in this part, and how the columns of the page's tables are headed and printed."""

from functools import partial
from typing import Any

import pandas as pd

from crm_metrics.captions import SHARE_INTERVAL, known_columns
from crm_metrics.language import noop, t, translated
from crm_metrics.metric import is_unknown

FACTORS: dict[str, str] = {
    "product_name": noop("Product"),
    "team": noop("Team"),
    "stage": noop("Stage"),
    "deal_source": noop("Deal source"),
    "is_customer": noop("Already a customer"),
    "market": noop("Market segment"),
    "category": noop("Category"),
    "region": noop("Region"),
    "amount_third": noop("Deal value"),
    "activities_third": noop("Activities"),
}
LEVELS: dict[str, dict[str, str]] = {
    "is_customer": {"yes": noop("yes"), "no": noop("no")},
    "amount_third": {"low": noop("lowest third"), "middle": noop("middle third"), "high": noop("highest third")},
    "activities_third": {"low": noop("fewest"), "middle": noop("some"), "high": noop("most")},
}
KINDS: dict[str, str] = {
    "call": noop("Call"),
    "visit": noop("Visit"),
    "e-mail": noop("E-mail"),
    "meeting": noop("Meeting"),
    "care": noop("Customer care"),
}
_VERDICT = (noop("Verdict"), "text")
_REASON: dict[str, tuple[str, Any]] = {
    "shown_reason": (noop("Reason"), "text"),
    "deals": (noop("Lost deals"), "count"),
    "share": (noop("Share of lost deals with a reason"), "share"),
    **SHARE_INTERVAL,
    "lost_value": (noop("Value lost"), "money"),
    "unvalued": (noop("Deals of unknown value"), "count"),
}
_WINS: dict[str, tuple[str, Any]] = {
    "deals": (noop("Deals"), "count"),
    "closed": (noop("Closed deals"), "count"),
    "won": (noop("Won"), "count"),
    "win_rate": (noop("Win rate of closed deals"), "share"),
    **SHARE_INTERVAL,
    "difference": (noop("Difference in points"), "share"),
    "difference_low": (noop("Points, low (95%)"), "share"),
    "difference_high": (noop("Points, high (95%)"), "share"),
    "verdict": _VERDICT,
    "won_value": (noop("Won value"), "money"),
    "lost_value": (noop("Value lost"), "money"),
    "unvalued": (noop("Deals of unknown value"), "count"),
}
_COMPLETE: dict[str, tuple[str, Any]] = {
    "deals": (noop("Deals"), "count"),
    "complete": (noop("Assessment complete"), "count"),
    "share": (noop("Share of deals"), "share"),
    **SHARE_INTERVAL,
}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # heading and unit, by table and column
    "differences": {
        "shown_factor": (noop("What deals have"), "text"),
        "shown_level": (noop("Which is"), "text"),
        "deals": (noop("Closed deals"), "count"),
        "won": (noop("Won"), "count"),
        "win_rate": (noop("Win rate of these"), "share"),
        **SHARE_INTERVAL,
        "others_rate": (noop("Win rate of all others"), "share"),
        "difference": (noop("Difference in points"), "share"),
        "difference_low": (noop("Points, low (95%)"), "share"),
        "difference_high": (noop("Points, high (95%)"), "share"),
        "verdict": _VERDICT,
    },
    "reasons": _REASON,
    "stages": {"stage_name": (noop("Lost in stage"), "text"), **_REASON},
    "trend": {"quarter_on": (noop("Quarter from"), "day"), **_REASON, "is_unfinished": (noop("Not over"), "flag")},
    "competitors": {"shown_competitor": (noop("Competitor"), "text"), **_WINS},
    "scorecard": {"shown_assessment": (noop("Assessment"), "text"), **_WINS},
    "owners": {"owner_name": (noop("Owner"), "text"), **_COMPLETE},
    "quarters": {"quarter_on": (noop("Quarter from"), "day"), **_COMPLETE, "is_unfinished": (noop("Not over"), "flag")},
    "reliability": {
        "bin": (noop("Tenth"), "count"),
        "predicted": (noop("Predicted"), "share"),
        "observed": (noop("Won"), "share"),
        **SHARE_INTERVAL,
        "deals": (noop("Deals"), "count"),
    },
    "factors": {
        "shown_factor": (noop("Known after 14 days"), "text"),
        "shown_level": (noop("Which is"), "text"),
        "deals": (noop("Deals"), "count"),
        "won": (noop("Won"), "count"),
        "win_rate": (noop("Win rate of these"), "share"),
        "others_rate": (noop("Win rate of all others"), "share"),
        "odds_ratio": (noop("Odds ratio"), "ratio"),
        "odds_low": (noop("Odds ratio, low (95%)"), "ratio"),
        "odds_high": (noop("Odds ratio, high (95%)"), "ratio"),
        "verdict": _VERDICT,
    },
    "scores": {
        "opportunity_id": (noop("Deal number"), "text"),
        "opportunity_name": (noop("Deal"), "text"),
        "owner_name": (noop("Owner"), "text"),
        "stage_name": (noop("Stage"), "text"),
        "win_probability": (noop("Chance to win"), "share"),
        "deal_amount": (noop("Deal value"), "money"),
        "expected_value": (noop("Value times chance"), "money"),
        "age_days": (noop("Age in days"), "count"),
        "known_at_days": (noop("Scored on day"), "count"),
        "customer_id": (noop("Customer number"), "text"),
    },
    "moves": {
        "shown_kind": (noop("Activity"), "text"),
        "shown_stage": (noop("Stage"), "text"),
        "active_days": (noop("Deal-days soon after one"), "count"),
        "active_moves": (noop("Moves on these days"), "count"),
        "active_rate": (noop("Moves per deal-day soon after one"), "share"),
        "other_days": (noop("Other deal-days"), "count"),
        "other_moves": (noop("Moves on other days"), "count"),
        "other_rate": (noop("Moves per other deal-day"), "share"),
        "rate_ratio": (noop("Ratio of rates"), "ratio"),
        "low": (noop("Ratio, low (95%)"), "ratio"),
        "high": (noop("Ratio, high (95%)"), "ratio"),
    },
}
columns = partial(known_columns, COLUMNS)


def kind_name(kind: str) -> str:
    """Return what a kind of activity is called."""
    return t(KINDS[kind]) if kind in KINDS else kind


def level_name(factor: str, level: object) -> str:
    """Return what a value of a factor is called."""
    known = translated(LEVELS.get(factor, {}))
    return known.get(str(level), str(level)) if level else t("not recorded")


def verdict(row: Any) -> str:
    """Return whether a difference is beyond chance. row: p_value, is_different."""
    if is_unknown(row.p_value):
        return ""
    return t("beyond chance") if row.is_different else t("may be chance")


def in_words(table: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table (a key of COLUMNS) as shown: names and verdicts in the reader's language."""
    named = rows
    if "reason" in rows:
        named = named.assign(shown_reason=rows["reason"].replace("", t("not recorded")))
    if table == "competitors":
        named = named.assign(shown_competitor=rows["competitor"].replace("", t("none known")))
    if table == "scorecard":
        named = named.assign(shown_assessment=[t("complete") if each else t("not complete") for each in rows["is_complete"]])
    if table in ("differences", "factors"):
        levels = [level_name(*each) for each in zip(rows["factor"], rows["level"], strict=True)]
        named = named.assign(shown_factor=rows["factor"].map(translated(FACTORS)), shown_level=levels)
    if table == "moves":
        stages = rows["stage_name"].replace("", t("all stages"))
        named = named.assign(shown_kind=[kind_name(kind) for kind in rows["activity_kind"]], shown_stage=stages)
    if "p_value" in rows:
        named = named.assign(verdict=[verdict(row) for row in rows.itertuples()])
    return named

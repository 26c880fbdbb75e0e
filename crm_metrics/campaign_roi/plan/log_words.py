"""The decision log in words."""

from typing import Any

import pandas as pd

from crm_metrics.campaign_roi.plan.terms import OFTEN
from crm_metrics.campaign_roi.plan.verdicts import LEAST_PLANS, profit_row
from crm_metrics.language import noop, t, translated
from crm_metrics.metric import DASH, is_unknown, value_text

VERDICTS = {
    "running": noop("not over yet"),
    "faulty": noop("data faulty: the arms are not as planned"),
    "none": noop("nothing was expected"),
    "as expected": noop("as expected"),
    "better": noop("better than expected"),
    "worse": noop("worse than expected"),
    "cannot tell": noop("not proven: it may have done nothing, or what was expected"),
}
_OUTCOMES = {"buyers": noop("Share of customers who buy"), "spend": noop("Net revenue per customer")}
COLUMNS: dict[str, tuple[str, Any]] = {
    "campaign_name": (noop("Planned campaign"), "text"),
    "state": (noop("Day"), "text"),
    "verdict": (noop("Verdict"), "text"),
    "outcome": (noop("Outcome"), "text"),
    "expected_lift": (noop("Expected lift"), "share"),
    "lift": (noop("Actual lift"), "share"),
    "lift_low": (noop("95% from"), "share"),
    "lift_high": (noop("95% to"), "share"),
    "p_value": (noop("p-value"), "ratio"),
    "chance_of_profit": (noop("Expected chance of profit"), "share"),
    "expected_profit": (noop("Profit expected"), "money"),
    "profit": (noop("Actual profit"), "money"),
    "found_low": (noop("Profit, 95% from"), "money"),
    "found_high": (noop("Profit, 95% to"), "money"),
    "n": (noop("Treated"), "count"),
    "control_n": (noop("Control"), "count"),
    "segment_name": (noop("Segment"), "text"),
}


def columns() -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of the log."""
    return {name: (t(label), unit) for name, (label, unit) in COLUMNS.items()}


def in_words(log: pd.DataFrame) -> pd.DataFrame:
    """Return the log as it is shown: state ("day x of y"), verdict and outcome in the reader's language."""
    days = zip(log["day"], log["horizon_days"], log["is_finished"], strict=True)
    state = [t("over") if is_over else t("day {day} of {days}", day=day, days=of) for day, of, is_over in days]
    verdicts = translated(VERDICTS)
    outcomes = translated(_OUTCOMES)
    return log.assign(state=state, verdict=log["verdict"].map(verdicts), outcome=log["outcome"].map(outcomes))


def finding(log: pd.DataFrame, *, currency: str) -> str:
    """Return what came of the planned campaigns: how many are over, how they turned out, what they earned against the plan."""
    if log.empty:
        return t("No campaign is planned yet. Save one under “Will it pay?”, and what comes of it will stand here.")
    over = log[log["is_finished"]]
    if over.empty:
        soonest: Any = log.sort_values("ends_on").iloc[0]
        return t(
            "No planned campaign is over yet: results are shown after the last day, so that no early look decides. The next is on day "
            "{day} of {days}.",
            day=int(soonest.day),
            days=int(soonest.horizon_days),
        )
    counts = over["verdict"].value_counts()
    parts = [f"{t(VERDICTS[name])}: {n}" for name, n in ((name, int(counts.get(name, 0))) for name in VERDICTS) if n]
    said = t("Planned campaigns that are over: {n} ({parts}).", n=len(over), parts=t("; ").join(parts))
    money: Any = profit_row(over).iloc[0]
    if not money.plans:
        return said
    shown = {name: value_text(getattr(money, name), "money", currency) for name in ("profit", "low", "high", "expected")}
    return said + t(" They earned {profit} together ({low} to {high}), {expected} were expected.", **shown)


def calibration_sentence(calibration: pd.DataFrame) -> str:
    """Return how good the planner is; "" before any planned campaign is over. calibration: the table of this name."""
    row: Any = calibration.iloc[0]
    if not row.plans:
        return ""
    said = t(
        "What came out lay in the expected range in {inside} of {plans} campaigns ({low} to {high}); {often} should.",
        inside=int(row.inside),
        plans=int(row.plans),
        low=value_text(row.low, "share"),
        high=value_text(row.high, "share"),
        often=value_text(OFTEN, "share"),
    )
    if is_unknown(row.error_low):
        return said + t(" Whether expectations are too high on average can be told from {n} campaigns on.", n=LEAST_PLANS)
    bounds = {name: _points(getattr(row, f"error{end}")) for name, end in (("error", ""), ("low", "_low"), ("high", "_high"))}
    if row.error_high < 0:
        return said + t(" Expectations are too high: lifts came out {error} points off on average ({low} to {high}).", **bounds)
    if row.error_low > 0:
        return said + t(" Expectations are too low: lifts came out {error} points off on average ({low} to {high}).", **bounds)
    return said + t(" On average lifts came out {error} points off ({low} to {high}): no more than luck.", **bounds)


def _points(value: float) -> str:
    return DASH if is_unknown(value) else f"{value * 100:+.1f}"


def has_results(log: pd.DataFrame) -> bool:
    """Return whether anything came out that can be shown."""
    return bool(log["lift"].notna().any())


def has_calibration(log: pd.DataFrame) -> bool:
    """Return whether enough came out, of which something was expected, for a picture of all."""
    return int((log["lift"].notna() & log["expected_lift"].notna()).sum()) >= LEAST_PLANS

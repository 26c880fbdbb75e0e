"""The plan of a campaign in words."""

from typing import Any

import pandas as pd

from crm_metrics.campaign_roi.plan.metrics import LOG_METRICS, PLAN_METRICS
from crm_metrics.captions import Captions
from crm_metrics.language import noop, t
from crm_metrics.metric import is_unknown, value_text

QUESTIONS = {
    "plan": noop("Will it pay?"),
    "log": noop("What came of the last ones?"),
    "lists": noop("Saved lists"),
}
_LIKELY, _UNLIKELY = 0.8, 0.2
HOW_PROFIT = noop(
    "The lift is taken to be normal, with the range entered as its 80% range. The baseline is what customers of the same rule, found "
    "on the day before the last such days, did in these days, with its standard error. A customer won over is taken to spend as much "
    "as others who buy. The luck of single customers comes on top in the result. The grey band is the 95% interval of the baseline "
    "alone."
)
HOW_CONTROL = noop(
    "Customers who are held back bring no extra margin and cost no contact: that is the profit forgone. In return the test can prove "
    "a gain: the chance of it is the power averaged over the lifts expected (O'Hagan, Stevens and Campbell 2005). The larger group "
    "of the two teaches least per customer, so beyond half there is nothing to gain."
)
HOW_LOG = noop(
    "Expected: as saved with the campaign. Came out: what all its members did in the days after they were drawn, those who bought nothing "
    "with 0, analysed by stratum as they were split; relative to the control group, 95% interval. Before the last day nothing is shown: "
    "looking early and stopping when it pleases finds effects that are not there. Members who are not in the data any more are left out, "
    "and the sizes of the arms checked."
)
HOW_CALIBRATED = noop(
    "Points on the dotted line came out as expected; below it expectations were too high. The bars are 95% intervals of what came out."
)
ALT_TEXTS = {
    "profit": noop("A rising line: the profit by lift, with the range that is expected and the lift at which the cost is paid."),
    "control": noop("A line of sizes of the control group: the profit forgone, and the chance to prove a gain."),
    "log": noop("Two dots per campaign: the lift expected and the lift that came out, with their ranges."),
    "calibration": noop("Points: the lift that came out by the lift expected, beside the line of both being equal."),
}
about = Captions(
    ALT_TEXTS,
    {"profit": HOW_PROFIT, "control": HOW_CONTROL, "log": HOW_LOG, "calibration": HOW_CALIBRATED},
    {"profit": PLAN_METRICS, "log": LOG_METRICS},
).about
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {
    "control": {
        "share_control": (noop("Share of control"), "share"),
        "treated": (noop("Treated"), "count"),
        "control": (noop("Control"), "count"),
        "expected_profit": (noop("Expected profit"), "money"),
        "chance_of_profit": (noop("Chance of profit"), "share"),
        "forgone": (noop("Profit forgone by holding back"), "money"),
        "smallest_lift": (noop("Smallest detectable lift"), "share"),
        "power": (noop("Chance to find the expected lift"), "share"),
        "chance_to_prove": (noop("Chance to prove a gain"), "share"),
    },
    "past": {
        "campaign_name": (noop("Campaign"), "text"),
        "arm": (noop("Arm"), "text"),
        "n": (noop("Treated"), "count"),
        "control_n": (noop("Control"), "count"),
        "lift": (noop("Lift"), "share"),
        "low": (noop("95% from"), "share"),
        "high": (noop("95% to"), "share"),
        "days": (noop("Days measured"), "count"),
        "shrunk_lift": (noop("Lift, shrunk towards the mean of all"), "share"),
    },
}


def columns(table: str) -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of a table, a key of COLUMNS."""
    return {name: (t(label), unit) for name, (label, unit) in COLUMNS[table].items()}


def nobody() -> str:
    """Return why there is nobody to plan for."""
    return t("Nobody of this audience is known to agree to be contacted, so no campaign can be planned: import consent, or choose others.")


def has_margin(expected: pd.DataFrame) -> bool:
    """Return whether the margin is known, so that there is a profit. expected: the table expectation."""
    return bool(expected["margin_share"].notna().all())


def finding(expected: pd.DataFrame, *, currency: str) -> str:
    """Return whether the campaign will pay, and what would have to be true. expected: the table expectation."""
    row: Any = expected.iloc[0]
    if is_unknown(row.chance_of_profit):
        return t("Costs of goods are not recorded, so a profit can't be told. Write the margin as a share of net revenue.")
    values = {
        "chance": value_text(row.chance_of_profit, "share"),
        "profit": value_text(row.expected_profit, "money", currency),
        "low": value_text(row.profit_low, "money", currency),
        "high": value_text(row.profit_high, "money", currency),
        "treated": f"{int(row.treated):,}",
    }
    if row.chance_of_profit >= _LIKELY:
        said = t(
            "It will probably pay: chance of profit {chance}, expected {profit} (95%: {low} to {high}) from {treated} treated.", **values
        )
    elif row.chance_of_profit <= _UNLIKELY:
        said = t(
            "It will hardly pay: chance of profit {chance}, expected {profit} (95%: {low} to {high}) from {treated} treated.", **values
        )
    else:
        said = t(
            "It may or may not pay: chance of profit {chance}, expected {profit} (95%: {low} to {high}) from {treated} treated.", **values
        )
    if not row.cost:
        return said + t(" No cost is written yet, so any lift above 0 pays.")
    return said + t(" It pays from a lift of {lift}.", lift=value_text(row.break_even_lift, "share"))


def control_finding(expected: pd.DataFrame, *, currency: str) -> str:
    """Return what the control group costs and what it teaches. expected: the table expectation."""
    row: Any = expected.iloc[0]
    shows = t("no lift") if is_unknown(row.smallest_lift) else t("a lift of {lift} or more", lift=value_text(row.smallest_lift, "share"))
    values = {"n": f"{int(row.control):,}", "shows": shows, "proof": value_text(row.chance_to_prove, "share")}
    if is_unknown(row.forgone):
        return t("Holding back {n} customers lets the test detect {shows}; the chance to prove a gain is {proof}.", **values)
    if row.forgone < 0:
        saved = value_text(-row.forgone, "money", currency)
        return t(
            "Holding back {n} customers saves {money}, as they are expected to cost more than they bring, and lets the test detect "
            "{shows}; the chance to prove a gain is {proof}.",
            money=saved,
            **values,
        )
    return t(
        "Holding back {n} customers forgoes {money} of profit and lets the test detect {shows}; the chance to prove a gain is {proof}.",
        money=value_text(row.forgone, "money", currency),
        **values,
    )


def start_note(start: pd.DataFrame) -> str:
    """Return where the lift comes from that the plan begins with. start: the table starting_point."""
    row: Any = start.iloc[0]
    values = {"lift": value_text(row.lift, "share"), "spread": f"{row.lift_spread * 100:.1f}"}
    if not row.tests:
        return t("No past test of your own has this outcome: {lift} ± {spread} points is a guess, to be replaced by yours.", **values)
    if not row.is_own:
        return t(
            "One past test can't say how far campaigns differ: {lift} ± {spread} points is a guess, to be replaced.",
            **values,
        )
    return t(
        "From {n} past tests of your own the expected lift of a new campaign is {lift} ± {spread} points (80% range), which is what "
        "the plan begins with. They measured {days} (median): over more days the same gain is a smaller lift.",
        n=int(row.tests),
        days=value_text(row.days, "days"),
        **values,
    )

"""What campaigns cost, what orders credit them with, and what is left of that beside a control group."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd

from crm_metrics.campaign_roi.credit.query import TOUCH_RULES
from crm_metrics.campaign_roi.credit.terms import RULES, Rule
from crm_metrics.customer_profit import SOLD, Costing, margins
from crm_metrics.intervals import CONFIDENCE, wilson
from crm_metrics.randomised_test.sums import benjamini_hochberg

CREDITED = ("credited_orders", "credited_revenue", "credited_margin")
CAUSED = ("incremental", "incremental_low", "incremental_high")
RETURNED = (*CAUSED, "incremental_roi", "incremental_roi_low", "incremental_roi_high", "chance_of_profit", "not_caused", "is_faulty")
"""Columns of the table campaigns that are there only where a campaign of the data set has a control group."""


def named_rows(named: pd.DataFrame, known: Costing) -> pd.DataFrame:
    """Return one row per campaign that a purchase names: campaign, rule, CREDITED. named: of query.named_credit.

    credited_margin is NaN where costs of goods are not known enough.
    """
    return _credited("named", named, known)


def touch_rows(touched: pd.DataFrame, known: Costing) -> pd.DataFrame:
    """Return one row per campaign with a touch that counts and rule: campaign, rule, CREDITED. touched: of query.touch_credit.

    A campaign whose touches no purchase followed is credited with 0.
    """
    names = ("credited_orders", *SOLD)
    sums = {rule: touched[[f"{rule}_{name}" for name in names]].set_axis(names, axis=1).astype(float).fillna(0.0) for rule in TOUCH_RULES}
    parts = [_credited(rule, of_rule.assign(campaign=touched["campaign"]), known) for rule, of_rule in sums.items()]
    return pd.concat(parts, ignore_index=True)


def _credited(rule: Rule, rows: pd.DataFrame, known: Costing) -> pd.DataFrame:
    made = margins(rows, known)
    return pd.DataFrame(
        {
            "campaign": rows["campaign"].astype(object),
            "rule": rule,
            "credited_orders": rows["credited_orders"].astype(float),
            "credited_revenue": made["net_revenue"].astype(float),
            "credited_margin": made["gross_margin"].astype(float),
        }
    )


def attribution_rows(campaigns: pd.DataFrame, credit: pd.DataFrame) -> pd.DataFrame:
    """Return one row per campaign and rule, the campaigns in their order: campaign, campaign_name, rule, CREDITED.

    A campaign that no order names is credited with 0 by 'named' where orders name others; NaN where a rule has nothing to go by.
    """
    rules = pd.DataFrame({"rule": RULES})
    rows = campaigns[["campaign", "campaign_name"]].merge(rules, how="cross").merge(credit, on=["campaign", "rule"], how="left")
    if (credit["rule"] == "named").any():
        has_margin = credit["credited_margin"].notna().any()
        unnamed = (rows["rule"] == "named") & rows["credited_orders"].isna()
        rows.loc[unnamed, ["credited_orders", "credited_revenue"]] = 0.0
        rows.loc[unnamed, "credited_margin"] = 0.0 if has_margin else np.nan
    return rows


def campaign_rows(found: pd.DataFrame, credit: pd.DataFrame, *, today: pd.Timestamp, is_whole: bool) -> pd.DataFrame:
    """Return the campaigns with what follows from cost, reach and credit: see tables.campaigns.

    found: of query.campaign_rows, responded filled up. credit: of attribution_rows, one rule. today: NaT: nothing says which day it is, so
    all are finished. is_whole: the orders are those of all customers, regions, channels and categories; else there is no ROI.
    """
    rows = found.merge(credit.drop(columns="campaign_name"), on="campaign", how="left")
    numbers = {name: rows[name].astype(float) for name in ("budget", "cost", "reach", "asked", "responded")}
    cost, reach = numbers["cost"], numbers["reach"].where(numbers["reach"] > 0)
    answered = numbers["responded"] / numbers["asked"].where(numbers["asked"] > 0)
    bounds = [
        wilson(some, of) if of > 0 else wilson(0, 0) for some, of in zip(numbers["responded"], numbers["asked"].fillna(0), strict=True)
    ]
    credited = {name: rows[name].astype(float) for name in CREDITED}
    worth = credited["credited_margin"].where(credited["credited_margin"].notna(), credited["credited_revenue"])
    has_margin = bool(credited["credited_margin"].notna().any())
    return pd.DataFrame(
        {
            **{name: rows[name] for name in ("campaign", "campaign_name", "campaign_kind", "channel", "started_on", "measured_until")},
            "is_finished": (rows["measured_until"] <= today) | rows["measured_until"].isna() | pd.isna(today),
            "has_control": rows["has_control"].astype(bool),
            "budget": numbers["budget"],
            "cost": cost,
            "cost_of_budget": cost / numbers["budget"].where(numbers["budget"] > 0),
            "reach": reach,
            "response": numbers["responded"],
            "asked": numbers["asked"].where(numbers["asked"] > 0),
            "response_rate": answered,
            "response_low": [bound.low for bound in bounds],
            "response_high": [bound.high for bound in bounds],
            "rule": rows["rule"],
            "attributed_orders": credited["credited_orders"],
            "attributed_revenue": credited["credited_revenue"],
            "attributed_margin": credited["credited_margin"],
            "attributed_roi": (worth - cost) / cost.where(cost > 0) if is_whole else np.nan,
            "measure": "gross_margin" if has_margin else "net_revenue",
            "cost_per_reach": cost / reach,
            "cost_per_response": cost / numbers["responded"].where(numbers["responded"] > 0),
            "cost_per_order": cost / credited["credited_orders"].where(credited["credited_orders"] > 0) if is_whole else np.nan,
        }
    )


WASTED = ("campaign", "campaign_name", "arm", "by", "segment", "outcome", "unit", "uplift", "low", "high", "treated", "spent_there")
"""Columns of the table wasted."""
FALSE_SHARE = 0.05  # of the segments called harmed, at most, that are not

# ── beside a control group ──────────────────────────────────────────────────────────────────────────────────────────────


def with_returns(campaigns: pd.DataFrame, returned: pd.DataFrame | None) -> pd.DataFrame:
    """Return the campaigns with RETURNED. returned: the table returns, one row per campaign and treated arm; None: unknown.

    The arms of a campaign are added up, and so are the halves of their intervals: they share a control group, so that they err together.
    not_caused: what orders credit the campaign with, less what it brought; NaN where the two are not of one measure.
    """
    if returned is None:
        return campaigns.assign(**{**dict.fromkeys(RETURNED, np.nan), "is_faulty": False})
    joined = campaigns.merge(_by_campaign(returned), on="campaign", how="left")
    worth = joined["attributed_margin"].where(joined["measure"] == "gross_margin", joined["attributed_revenue"])
    gap = (worth - joined["incremental"]).where(joined["measure"] == joined["returned_measure"])
    is_faulty = joined["is_faulty"].eq(True)  # noqa: FBT003  # unknown is no fault
    return joined.assign(not_caused=gap, is_faulty=is_faulty)[[*campaigns.columns, *RETURNED]]


def _by_campaign(returned: pd.DataFrame) -> pd.DataFrame:
    rows = returned.assign(
        below=returned["extra"] - returned["low"],
        above=returned["high"] - returned["extra"],
        returned_measure=returned["measure"],
    )
    groups = rows.groupby("campaign", sort=False)
    arms, amounts = groups.size(), groups[["extra", "below", "above", "cost"]]
    sums = amounts.sum().where(amounts.count().eq(arms, axis=0))  # known of every arm, or of none
    cost = sums["cost"].where(sums["cost"] > 0)
    profit = sums["extra"] - sums["cost"]
    alone = groups["chance_of_profit"].first().where(arms == 1, chance_above_zero(profit, (sums["below"] + sums["above"]) / 2))
    made = pd.DataFrame(
        {
            "incremental": sums["extra"],
            "incremental_low": sums["extra"] - sums["below"],
            "incremental_high": sums["extra"] + sums["above"],
            "incremental_roi": profit / cost,
            "incremental_roi_low": (profit - sums["below"]) / cost,
            "incremental_roi_high": (profit + sums["above"]) / cost,
            "chance_of_profit": alone,
            "is_faulty": groups["is_faulty"].any(),
            "returned_measure": groups["returned_measure"].first(),
        }
    )
    return made.rename_axis("campaign").reset_index()


def chance_above_zero(value: pd.Series, half: pd.Series) -> pd.Series:
    """Return the chance that each value is above 0. half: of its 95 % interval, by the normal distribution."""
    normal = NormalDist()
    error = half / normal.inv_cdf((1 + CONFIDENCE) / 2)
    scores = value / error.where(error > 0)
    return scores.map(normal.cdf, na_action="ignore").astype(float)


def wasted_rows(segments: pd.DataFrame, campaigns: pd.DataFrame) -> pd.DataFrame:
    """Return the segments that a campaign is proven to have harmed, and what it spent on them, the most first: see tables.wasted.

    Proven: in its own split, and among all that were looked at. Where no campaign does anything, one of all splits would else look harmed
    in 28 of 100 companies of eight campaigns.
    """
    cost = campaigns.set_index("campaign")[["cost", "reach"]].astype(float)
    is_false = benjamini_hochberg(segments["p_value"].to_numpy(dtype=float)) >= FALSE_SHARE
    is_proven = segments["is_proven"].eq(True) & ~is_false  # noqa: FBT003  # unknown is not proven
    harmed = segments[is_proven & (segments["uplift"] <= 0)]
    per_person = harmed["campaign"].map(cost["cost"] / cost["reach"].where(cost["reach"] > 0)).astype(float)
    made = harmed[list(WASTED[:-2])].assign(treated=harmed["n"], spent_there=per_person * harmed["n"].astype(float))
    return made.sort_values("spent_there", ascending=False, kind="stable").reset_index(drop=True)


def wasted_total(wasted: pd.DataFrame) -> float:
    """Return what was spent on harmed segments: of each campaign and arm by the one way to tell segments that finds most."""
    by_way = wasted.groupby(["campaign", "arm", "by"])["spent_there"].sum(min_count=1)
    return float(by_way.groupby(["campaign", "arm"]).max().sum(min_count=1)) if len(by_way) else math.nan


# ── together ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def totals(campaigns: pd.DataFrame) -> dict[str, float]:
    """Return what the campaigns come to together, by name; ratios are of sums over the campaigns that know both sides.

    campaigns, reach, cost, response_rate (and _low, _high), attributed, attributed_roi; and with a control group incremental and
    incremental_roi, each with _low and _high: campaigns are independent, so their variances add up. <name>_n: campaigns counted in it.
    """
    worth = campaigns["attributed_margin"].where(campaigns["measure"] == "gross_margin", campaigns["attributed_revenue"])
    asked, responded = campaigns["asked"], campaigns["response"]
    answered = responded.where(asked.notna()).sum(), asked.where(responded.notna()).sum()
    both = campaigns["cost"].notna() & campaigns["attributed_roi"].notna()
    found = {
        "campaigns": float(len(campaigns)),
        **{f"{name}_n": int(campaigns[name].notna().sum()) for name in ("reach", "cost")},
        "reach": campaigns["reach"].sum(min_count=1),
        "cost": campaigns["cost"].sum(min_count=1),
        "response_rate_n": int((asked.notna() & responded.notna()).sum()),
        "response_rate": answered[0] / answered[1] if answered[1] else math.nan,
        "response_rate_low": wilson(*answered).low,
        "response_rate_high": wilson(*answered).high,
        "attributed_n": int(worth.notna().sum()),
        "attributed": worth.sum(min_count=1),
        "attributed_roi_n": int(both.sum()),
        "attributed_roi": _return(worth[both].sum(), campaigns.loc[both, "cost"].sum()),
    }
    return found | (_together(campaigns) if "incremental" in campaigns else {})


def _together(campaigns: pd.DataFrame) -> dict[str, float]:
    known = campaigns[campaigns["incremental"].notna()]
    paid = known[known["cost"] > 0]
    found: dict[str, float] = {}
    for name, rows in (("incremental", known), ("incremental_roi", paid)):
        value = rows["incremental"].sum(min_count=1)
        half = math.sqrt((((rows["incremental_high"] - rows["incremental_low"]) / 2) ** 2).sum())
        bounds = {"": value, "_low": value - half, "_high": value + half}
        cost = rows["cost"].sum()
        found[f"{name}_n"] = len(rows)
        found |= {name + end: bound if name == "incremental" else _return(bound, cost) for end, bound in bounds.items()}
    return found | {"compared": float(len(known)), "credited_there": _credited_there(known)}


def _credited_there(known: pd.DataFrame) -> float:
    """Return what orders credit these campaigns with; NaN where it is not known of each, so that both sums are of the same campaigns."""
    return float((known["not_caused"] + known["incremental"]).sum(min_count=max(len(known), 1)))


def _return(value: float, cost: float) -> float:
    return (value - cost) / cost if cost > 0 else math.nan

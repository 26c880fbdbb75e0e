"""The tables of this part. All are about campaigns that began by today and have a control group, as far as nothing else is said.

Results are those of all orders that the reader may see, from the first day to the last on which a result counts, or to today if that
is earlier; region, channel and category choose nothing here. Segments of the filters choose members, told on the day before the start.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from sqlalchemy import Select

from crm_metrics.campaign_roi.result import metrics, query, statistic
from crm_metrics.campaign_roi.result.asked import (
    campaigns_of,
    compared,
    cost_share,
    in_order,
    members_of,
    of_each,
    of_orders,
    outcomes_of,
    planned,
    ratios,
    sizes_of,
    sums_of,
)
from crm_metrics.campaign_roi.result.terms import CONTROL, RECORDED, Outcome, ResultTerms
from crm_metrics.database import Source
from crm_metrics.filters import UNKNOWN, Filters
from crm_metrics.metric import TILE_COLUMNS, Metric, tile
from crm_metrics.randomised_test.resample import ROUGH_BELOW, UNRELIABLE_BELOW
from crm_metrics.rooms import Table

SMALL_SEGMENT = 300  # members of the smaller arm, under which an interval of skewed spend holds the truth in 87 % and not in 95
MOST_SEGMENTS = 20  # of one way are told: the largest; more would be names, not kinds
MAIN: tuple[Outcome, ...] = ("gross_revenue", "spend", "visited", "bought")  # the first that is known is what a campaign is about
MOST_OF_ALL, MOST_OF_ONE = 2_000, 20_000  # members with an outcome, up to which it is resampled: of every campaign, of the chosen one
MONEY = ("gross_margin", "net_revenue", "spend")  # what a campaign brings, the best known first
_CHOSEN = [
    "campaign", "campaign_name", "started_on", "ends_on", "is_finished", "is_recorded", "is_stratified", "is_faulty", "has_cost", "arms",
    "members",
]  # fmt: skip
_LOOKS = [
    "campaign", "arm", "outcome", "day", "looked_on", "looks", "n", "control_n", "uplift", "low", "high", "plain_low", "plain_high",
    "is_shown", "is_last",
]  # fmt: skip
_RANKING = [
    "place", "campaign", "arm", "campaign_name", "outcome", "n", "control_n", "uplift", "low", "high", "shrunk_uplift",
    "shrunk_low", "shrunk_high", "chance_best", "mean_uplift", "between", "is_finished",
]  # fmt: skip
_RETURNS = [
    "campaign", "arm", "campaign_name", "treated", "measure", "cost", "extra", "low", "high", "profit", "profit_low",
    "profit_high", "roi", "roi_low", "roi_high", "chance_of_profit", "is_faulty", "is_finished",
]  # fmt: skip
_SEGMENTS = [
    "campaign", "arm", "by", "segment", "outcome", "n", "mean", "control_n", "control_mean", "uplift", "low", "high", "p_value",
    "p_adjusted", "is_proven", "is_small", "total_uplift", "weighted_uplift", "is_reversed", "differ_p_value", "campaign_name", "unit",
    "is_faulty",
]  # fmt: skip


def queries(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> tuple[Select[Any], ...]:
    """Return the queries that the result of campaigns is made from, to be shown."""
    filters = members_of(filters)
    ordered = of_orders(campaigns_of(source, filters, terms))
    asked = (query.order_sums(filters, terms, ordered, cost_share(source, filters)),) if ordered.ids else ()
    return (query.arm_sizes(filters, terms), *asked)


# ── campaigns and their arms ────────────────────────────────────────────────────────────────────────────────────────────


def chosen_campaigns(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per campaign with a control group, the newest first.

    campaign, campaign_name, started_on, ends_on (last day on which a result counts; empty: not known), is_finished, is_recorded (its own
    file records the outcomes), is_stratified, is_faulty (sizes of the arms), has_cost, arms (treated ones), members (in an arm).
    """
    filters = members_of(filters)
    known = campaigns_of(source, filters, terms)
    if known.empty:
        return pd.DataFrame(columns=_CHOSEN)
    sized = arms(source, filters, terms)
    by_campaign = sized.groupby("campaign")
    counted = {"arms": sized[sized["arm"] != CONTROL].groupby("campaign").size(), "members": by_campaign["members"].sum()}
    spent = set(source(query.spent(filters, terms))["campaign"])
    return known.assign(
        is_faulty=known["campaign"].isin(sized.loc[sized["is_faulty"], "campaign"]),
        has_cost=known["campaign"].isin(spent),
        **{name: known["campaign"].map(values).fillna(0).astype(int) for name, values in counted.items()},
    )


def uplift(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per campaign, treated arm and outcome, the newest campaign first.

    campaign, arm, outcome (a key of OUTCOMES), n, mean, control_n, control_mean (per member of the arm whose outcome is known), uplift
    (difference of the means; weighted by stratum where it was split so), low, high (95 %, Welch), p_value, campaign_name, unit (of the
    mean), is_stratified, p_adjusted (Holm over the treated arms), lift (uplift / mean without the campaign).

    adjusted_uplift, adjusted_low, adjusted_high: after CUPED. variance_reduction: share of the variance it takes away.
    bootstrap_low, bootstrap_high: symmetric percentile-t; NaN where so many bought that Welch's is as good.
    smallest_uplift, smallest_lift: that these members can show with a power of 80 %. power: to show terms.lift. customers_needed: members
    it takes to show what came out, if it is true. coverage: share of simulated intervals that hold the truth, where an arm is small.
    is_rough: below .93. is_unreliable: below .90. sample_ratio_p_value, is_faulty, is_finished. Where is_faulty what was compared is NaN.
    """
    filters = members_of(filters)
    found = source.remember(compared, filters, terms)
    if found.empty:
        return pd.DataFrame(columns=statistic.UPLIFT)
    drawn = source.remember(resampled, filters, terms)
    rows = statistic.hidden(found.merge(drawn, on=statistic.KEYS, how="left"))
    coverage = rows["coverage"].astype(float)
    return rows.assign(coverage=coverage, is_rough=coverage < ROUGH_BELOW, is_unreliable=coverage < UNRELIABLE_BELOW)[statistic.UPLIFT]


def resampled(source: Source, filters: Filters, terms: ResultTerms) -> pd.DataFrame:
    """Return what drawing members again says: see statistic.resampled; ask by source.remember."""
    sums, share = source.remember(sums_of, filters, terms.of_sums), cost_share(source, filters)
    most = MOST_OF_ONE if terms.campaign else MOST_OF_ALL
    worth = statistic.worth_drawing(sums, most=most)

    def asked(chosen: Filters, one: ResultTerms) -> pd.DataFrame:
        known = campaigns_of(source, chosen, one)
        known = known[known["campaign"].isin(worth)]
        ordered, recorded = of_orders(known), tuple(known.loc[known["is_recorded"], "campaign"])
        theirs, own = (sums[sums["campaign"].isin(campaigns)] for campaigns in (ordered.ids, recorded))
        parts = [statistic.resampled(theirs, source(query.order_outcomes(chosen, one, ordered, share)), most=most)] if ordered.ids else []
        singles = [source(query.recorded_outcomes(chosen, one, recorded, outcome)) for outcome in RECORDED] if recorded else []
        parts += [statistic.resampled(own, single, most=most) for single in singles if len(single)]
        return pd.concat(parts, ignore_index=True) if parts else statistic.nothing_resampled()

    return of_each(source, filters, terms, asked)


def arms(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per campaign and arm, the newest campaign first, control last.

    campaign, campaign_name, arm, members, share (of the members in an arm), planned_share (NaN: not known), p_value (of all arms of the
    campaign together against the plan, in all and by stratum; NaN: no plan), is_faulty (it is below .001). Of a campaign that is faulty
    as a whole the arms are whole, whatever the segments.
    """
    filters = members_of(filters)
    names = campaigns_of(source, filters, terms).set_index("campaign")["campaign_name"]
    if names.empty:
        return pd.DataFrame(columns=statistic.ARMS)
    found = statistic.arm_rows(source.remember(sizes_of, filters, terms.campaign), source.remember(planned, filters, terms), names)
    if not filters.segments:
        return found
    whole = arms(source, replace(filters, segments=(), segments_on=None), terms)
    faulty = whole[whole["is_faulty"]]
    rows = pd.concat([found[~found["campaign"].isin(faulty["campaign"])], faulty])
    return rows.sort_values("campaign", key=lambda keys: keys.map(names.index.get_loc), kind="stable", ignore_index=True)


# ── money ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def returns(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per campaign and treated arm: what it brought more than without, and what it cost.

    campaign, arm, campaign_name, treated (members), measure ('gross_margin', or 'net_revenue' where costs of goods are not known, or
    'spend' of the campaign's own file), cost (the arm's share of the spend by members; NaN without any recorded, or where the reader
    sees some regions only), extra (uplift x treated), low, high, profit (extra - cost), profit_low, profit_high, roi
    (profit / cost), roi_low, roi_high, chance_of_profit (that roi is above 0, by the t distribution), is_faulty,
    is_finished. NaN where it is not known, and where the sample ratio is faulty.
    """
    filters = members_of(filters)
    found, spent = source.remember(compared, filters, terms), source(query.spent(filters, terms))
    place = {name: at for at, name in enumerate(MONEY)}
    money = found.assign(place=found["outcome"].map(place)).dropna(subset=["place"]).sort_values("place", kind="stable")
    best = money.drop_duplicates(["campaign", "arm"])
    if best.empty:
        return pd.DataFrame(columns=_RETURNS)
    per_member = np.nan if filters.scope.regions else spent["cost"] / spent["treated"]
    known = campaigns_of(source, filters, terms)
    return in_order(statistic.return_rows(best, spent.assign(per_member=per_member)), known)[_RETURNS]


# ── segments ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def segments(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per campaign, treated arm, way to tell segments and segment; of the main outcome.

    campaign, arm, by ('stratum', 'segment' of the campaign's own file, 'value_before', 'home_region', 'acquisition_channel',
    'customer_kind', 'age_band'), segment, outcome, n, mean, control_n, control_mean, uplift, low, high, p_value, p_adjusted (Holm over the
    segments of one way), is_proven (p_adjusted below .05), is_small (fewer than SMALL_SEGMENT in the smaller arm), total_uplift (of the
    arms as they are, without segments), weighted_uplift (of the segments, by their members), is_reversed (the two, or the total and every
    segment, have opposite signs and one of the two is told from nothing: Simpson), differ_p_value (Cochran's Q: whether the segments
    differ at all), campaign_name, unit, is_faulty.

    Everything that tells a segment was known before the start.
    """
    filters = members_of(filters)
    sums = source.remember(segment_sums, filters, terms)
    if sums.empty:
        return pd.DataFrame(columns=_SEGMENTS)
    found = statistic.segment_rows(statistic.told_apart(sums, most=MOST_SEGMENTS, unknown=UNKNOWN))
    known = campaigns_of(source, filters, terms)
    checked = ratios(source, filters, terms, sums[sums["by"] == query.WAYS[0]])  # any way: each has all members
    faulty = np.array([checked[key].is_faulty for key in zip(found["campaign"], found["outcome"], strict=True)], dtype=bool)
    rows = found.assign(is_faulty=faulty).merge(known[["campaign", "campaign_name"]], on="campaign")
    rows = rows.assign(is_small=rows[["n", "control_n"]].min(axis=1) < SMALL_SEGMENT)
    hidden = ["mean", "control_mean", "uplift", "low", "high", "p_value", "p_adjusted", "total_uplift", "weighted_uplift", "differ_p_value"]
    rows = rows.assign(**rows[hidden].astype(float).mask(rows["is_faulty"]))
    rows = rows.assign(**{name: rows[name].astype(bool) & ~rows["is_faulty"] for name in ("is_proven", "is_reversed")})
    way, place = {name: at for at, name in enumerate(query.WAYS)}, {name: at for at, name in enumerate(known["campaign"])}
    keys = {"campaign": rows["campaign"].map(place), "arm": rows["arm"], "by": rows["by"].map(way), "segment": rows["segment"]}
    return rows.loc[pd.DataFrame(keys).sort_values(list(keys)).index, _SEGMENTS].reset_index(drop=True)


def segment_sums(source: Source, filters: Filters, terms: ResultTerms) -> pd.DataFrame:
    """Return the sums of the main outcome by segment: campaign, arm, stratum, by, segment, outcome, n, y, yy; ask by source.remember."""
    share = cost_share(source, filters)

    def asked(chosen: Filters, one: ResultTerms) -> pd.DataFrame:
        known = campaigns_of(source, chosen, one)
        main = {campaign: main_outcome(names, one) for campaign, names in outcomes_of(source, chosen, one).items()}
        parts = []
        for outcome in sorted(set(main.values()) - {""}):
            of_outcome = known[known["campaign"].map(main) == outcome]
            ordered = of_orders(of_outcome)
            recorded = tuple(campaign for campaign in of_outcome["campaign"] if campaign not in ordered.ids)
            about = replace(one, outcome=outcome)
            asked_for = [query.order_segments(chosen, about, ordered, share)] if ordered.ids else []
            asked_for += [query.recorded_segments(chosen, about, recorded)] if recorded else []
            parts += [source(each).assign(outcome=outcome) for each in asked_for]
        return pd.concat(parts, ignore_index=True) if parts else statistic.no_segment_sums()

    return of_each(source, filters, terms, asked)


def main_outcome(known: Iterable[str], terms: ResultTerms) -> Outcome | Literal[""]:
    """Return the outcome that segments, tiles and looks are about: that of the terms where it is known, else the first in order."""
    names = set(known)
    if terms.outcome in names:
        return terms.outcome
    return next((name for name in MAIN if name in names), "")


_OF_MONEY = {
    metrics.EXTRA: ("extra", "low", "high"),
    metrics.COST: ("cost",),
    metrics.INCREMENTAL_PROFIT: ("profit", "profit_low", "profit_high"),
    metrics.INCREMENTAL_ROI: ("roi", "roi_low", "roi_high"),
    metrics.CHANCE_OF_PROFIT: ("chance_of_profit",),
}


# ── tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def result_tiles(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return the tiles of one campaign (terms.campaign; "": the newest) and arm (terms.arm; "": the treated one with most members).

    metric, value, low, high (NaN: exact), unit, n (members in an arm). Empty without such a campaign.
    """
    filters = members_of(filters)
    known = campaigns_of(source, filters, terms)
    one = terms if known.empty else replace(terms, campaign=str(known["campaign"].iloc[0]))
    found, paid = source.remember(compared, filters, one), returns(source, filters, one)
    if found.empty:
        return pd.DataFrame(columns=TILE_COLUMNS)
    main = found[found["outcome"] == main_outcome(found["outcome"], one)]
    row = statistic.one_arm(main, one.arm)
    metric = {"share": metrics.UPLIFT_SHARE, "ratio": metrics.UPLIFT_ORDERS}.get(row["unit"], metrics.UPLIFT)
    n = int(row["n"] + row["control_n"])
    tiles = [_tile(metric, row, ("uplift", "low", "high"), n), _tile(metrics.SMALLEST_LIFT, row, ("smallest_lift",), n)]
    for money in paid[paid["arm"] == row["arm"]].to_dict("records"):  # none where no money is recorded
        tiles += [_tile(each, money, names, n) for each, names in _OF_MONEY.items()]
    return pd.DataFrame(tiles)


def _tile(metric: Metric, row: Any, names: tuple[str, ...], n: int) -> dict[str, object]:
    value, *bounds = (row[name] for name in names)
    return tile(metric, value, n, **dict(zip(("low", "high"), bounds, strict=False)))


# ── looks at a running test, and several tests ──────────────────────────────────────────────────────────────────────────


def looks(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per day of one campaign (terms.campaign; "": the newest) and arm (terms.arm) so far: what a look on it shows.

    campaign, arm, outcome (the main one), day (1: the first), looked_on, looks (by then, if one looks every day), n, control_n, uplift
    (of all that came so far), low, high (that hold at every look together, 95 %), plain_low, plain_high (of this look alone: looking
    twenty times at nothing, one in four finds something), is_shown (low and high leave zero out), is_last (of the whole window). Of a
    campaign whose own file records the outcomes, and of a faulty one, there are none.
    """
    filters = members_of(filters)
    known = campaigns_of(source, filters, terms)
    one = terms if known.empty else replace(terms, campaign=str(known["campaign"].iloc[0]))
    found = source.remember(compared, filters, one)
    main = found[found["outcome"] == main_outcome(found["outcome"], one)]
    if main.empty or known["is_recorded"].iloc[0] or main["is_faulty"].any():
        return pd.DataFrame(columns=_LOOKS)
    row, (started_on, ends_on) = statistic.one_arm(main, one.arm), known[["started_on", "ends_on"]].iloc[0]
    share, asked_of = cost_share(source, filters), of_orders(known.head(1))
    ordered = of_each(source, filters, one, lambda chosen, each: source(query.order_days(chosen, replace(each, arm=""), asked_of, share)))
    seen_on = pd.Timestamp(filters.today) if filters.today else ordered["day"].max() * pd.Timedelta(days=1) + started_on
    whole = (ends_on - started_on).days + 1 if pd.notna(ends_on) else (seen_on - started_on).days + 1
    days = min((seen_on - started_on).days + 1, whole)
    sums = source.remember(sums_of, filters, one.of_sums)
    sizes = sums[(sums["outcome"] == row["outcome"]) & sums["arm"].isin([row["arm"], CONTROL])]
    kept = ordered[ordered["arm"].isin([row["arm"], CONTROL])]
    rows = statistic.look_rows(
        kept.assign(is_treated=kept["arm"] != CONTROL),
        sizes.assign(is_treated=sizes["arm"] != CONTROL)[["stratum", "is_treated", "n"]],
        outcome=str(row["outcome"]),
        days=days,
        planned_days=whole,
    )
    return rows.assign(
        campaign=one.campaign,
        arm=row["arm"],
        outcome=row["outcome"],
        looked_on=started_on + pd.to_timedelta(rows["day"] - 1, unit="D"),
        looks=rows["day"],
        is_shown=(rows["low"] > 0) | (rows["high"] < 0),
        is_last=rows["day"] == whole,
    )[_LOOKS]


def ranking(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per campaign and treated arm that is about money, the best first by what is left of it when chance is taken out.

    place, campaign, arm, campaign_name, outcome (the main one), n, control_n, uplift (per person), low, high (95 %), shrunk_uplift (drawn
    to the mean of all by how little this test knows), shrunk_low, shrunk_high, chance_best (that it is the best of all), mean_uplift (of
    the population of campaigns), between (standard deviation of what they truly bring; NaN of one alone), is_finished.
    """
    filters = members_of(filters)
    found = source.remember(compared, filters, replace(terms, campaign=""))
    main = {campaign: main_outcome(part["outcome"], terms) for campaign, part in found.groupby("campaign")}
    is_main = (found["outcome"] == found["campaign"].map(main)) & (found["unit"] == "money_per_customer")
    chosen = found[is_main & (found["standard_error"] > 0)]
    return statistic.ranking_rows(chosen)[_RANKING] if len(chosen) else pd.DataFrame(columns=_RANKING)


TABLES: dict[str, Table] = {
    "uplift": uplift,
    "arms": arms,
    "returns": returns,
    "segments": segments,
    "result_tiles": result_tiles,
    "chosen_campaigns": chosen_campaigns,
    "looks": looks,
    "ranking": ranking,
}

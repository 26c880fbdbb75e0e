"""The tables of this part. All are about campaigns that began by today and have a control group, as far as nothing else is said.

Results are those of all orders that the reader may see, from the first day to the last on which a result counts, or to today if that
is earlier; region, channel and category choose nothing here. Segments of the filters choose members, told on the day before the start.
"""

import pandas as pd

from crm_metrics.campaign_roi.result.terms import ResultTerms
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.rooms import Table


def chosen_campaigns(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per campaign with a control group, the newest first.

    campaign, campaign_name, started_on, ends_on (last day on which a result counts; empty: not known), is_finished, is_recorded (its own
    file records the outcomes), is_stratified, is_faulty (sizes of the arms), has_cost, arms (treated ones), members (in an arm).
    """
    raise NotImplementedError


def uplift(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per campaign, treated arm and outcome, the newest campaign first.

    campaign, arm, outcome (a key of OUTCOMES), n, mean, control_n, control_mean (per member of the arm whose outcome is known), uplift
    (difference of the means; weighted by stratum where it was split so), low, high (95 %, Welch), p_value, campaign_name, unit (of the
    mean), is_stratified, p_adjusted (Holm over the treated arms), lift (uplift / mean without the campaign).

    adjusted_uplift, adjusted_low, adjusted_high: after CUPED. variance_reduction: share of the variance it takes away.
    bootstrap_low, bootstrap_high: percentile-t; NaN where so many bought that Welch's interval is as good.
    smallest_uplift, smallest_lift: that these members can show with a power of 80 %. customers_needed: members it takes to show what came
    out, if it is true. coverage: share of simulated intervals that hold the truth, where an arm is small. is_rough: below .93.
    is_unreliable: below .90. sample_ratio_p_value, is_faulty, is_finished. Where is_faulty: all from uplift to coverage NaN.
    """
    raise NotImplementedError


def arms(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per campaign and arm, the newest campaign first, control last.

    campaign, campaign_name, arm, members, share (of the members in an arm), planned_share (NaN: not known), p_value (of all arms of the
    campaign together against the plan, in all and by stratum; NaN: no plan), is_faulty (it is below .001).
    """
    raise NotImplementedError


def returns(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per campaign and treated arm: what it brought more than without, and what it cost.

    campaign, arm, campaign_name, treated (members), measure ('gross_margin', or 'net_revenue' where costs of goods are not known, or 'spend'
    of the campaign's own file), cost (the arm's share of the spend by members; NaN without any recorded, or where the reader sees
    some regions only), extra (uplift x treated), extra_low, extra_high, incremental_profit (extra - cost), profit_low, profit_high, roi
    (incremental_profit / cost), roi_low, roi_high, chance_of_profit (that roi is above 0, by the t distribution), is_faulty, is_finished. NaN
    where it is not known, and where the sample ratio is faulty.
    """
    raise NotImplementedError


def segments(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return one row per campaign, treated arm, way to tell segments and segment; of the main outcome.

    campaign, arm, by ('stratum', 'segment' of the campaign's own file, 'value_before', 'home_region', 'acquisition_channel', 'customer_kind',
    'age_band'), segment, outcome, n, mean, control_n, control_mean, uplift, low, high, p_value, p_adjusted (Holm over the segments of
    one way), is_proven (p_adjusted below .05), is_small (fewer than 300 in the smaller arm), total_uplift (of the arms as they are,
    without segments), weighted_uplift (of the segments, by their members), is_reversed (the two, or the total and every segment, have
    opposite signs), differ_p_value (Cochran's Q: whether the segments differ at all), campaign_name, unit, is_faulty.
    Everything that tells a segment was known before the start.
    """
    raise NotImplementedError


def result_tiles(source: Source, filters: Filters, terms: ResultTerms = ResultTerms()) -> pd.DataFrame:
    """Return the tiles of one campaign (terms.campaign; "": the newest with a control group), its treated arms together.

    metric, value, low, high (NaN: exact), unit, n (members in an arm). Empty without such a campaign.
    """
    raise NotImplementedError


TABLES: dict[str, Table] = {
    "uplift": uplift,
    "arms": arms,
    "returns": returns,
    "segments": segments,
    "result_tiles": result_tiles,
    "chosen_campaigns": chosen_campaigns,
}

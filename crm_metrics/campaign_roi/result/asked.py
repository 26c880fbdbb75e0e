"""What the tables of this part ask once per version, members and terms, of all campaigns or of the chosen one."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from crm_metrics.campaign_roi.result import query, statistic
from crm_metrics.campaign_roi.result.terms import CONTROL, ORDERED, OUTCOMES, RECORDED, ResultTerms
from crm_metrics.customer_profit import goods_coverage
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import BadInput
from crm_metrics.randomised_test.analyse import SampleRatio

Asked = Callable[[Filters, ResultTerms], pd.DataFrame]


def known_campaigns(source: Source, filters: Filters, campaign: str = "") -> pd.DataFrame:
    """Return one row per campaign with a control group, or the one, the newest first; ask by source.remember.

    The columns of query.campaign_rows, is_finished, is_recorded, is_stratified. Raises BadInput if there is no such campaign.
    """
    terms = ResultTerms(campaign=campaign)
    found = source(query.campaign_rows(filters, terms))
    if campaign and found.empty:
        raise BadInput(
            "No campaign {campaign!r} with a control group drawn by lot began by this day. Choose one of those there are.",
            campaign=campaign,
        )
    by_campaign = source.remember(_sizes, filters, terms).groupby("campaign")
    recorded, strata = by_campaign[list(RECORDED)].sum().sum(axis=1), by_campaign["stratum"].nunique()
    today = pd.Timestamp(filters.today) if filters.today else pd.Timestamp.max
    is_recorded = found["campaign"].map(recorded) > 0
    is_over = (found["ends_on"] <= today) | (found["ends_on"].isna() & (is_recorded | found["started_on"].isna()))
    return found.assign(is_finished=is_over, is_recorded=is_recorded, is_stratified=found["campaign"].map(strata) > 1)


def campaigns_of(source: Source, filters: Filters, terms: ResultTerms) -> pd.DataFrame:
    """Return the campaigns, whatever the segments and the other terms."""
    return source.remember(known_campaigns, replace(filters, segments=(), segments_on=None), terms.campaign)


def sizes_of(source: Source, filters: Filters, campaign: str = "") -> pd.DataFrame:
    """Return the rows of query.arm_sizes; ask by source.remember."""
    return of_each(source, filters, ResultTerms(campaign=campaign), lambda chosen, one: source.remember(_sizes, chosen, one))


def _sizes(source: Source, filters: Filters, terms: ResultTerms) -> pd.DataFrame:
    return source(query.arm_sizes(filters, terms))


def sums_of(source: Source, filters: Filters, terms: ResultTerms) -> pd.DataFrame:
    """Return the sums of every outcome: see statistic.long_sums; ask by source.remember."""
    share = cost_share(source, filters)

    def asked(chosen: Filters, one: ResultTerms) -> pd.DataFrame:
        known = campaigns_of(source, chosen, one)
        ordered, recorded = of_orders(known), tuple(known.loc[known["is_recorded"], "campaign"])
        parts = [source(query.order_sums(chosen, one, ordered, share))] if ordered.ids else []
        parts += [source(query.recorded_sums(chosen, one, recorded, outcome)) for outcome in RECORDED] if recorded else []
        return pd.concat([statistic.long_sums(part) for part in parts], ignore_index=True) if parts else statistic.no_sums()

    return of_each(source, filters, terms, asked)


def compared(source: Source, filters: Filters, terms: ResultTerms) -> pd.DataFrame:
    """Return the rows of statistic.uplift_rows, what is faulty hidden, with campaign_name and is_finished; ask by source.remember."""
    sums, known = source.remember(sums_of, filters, terms.of_sums), campaigns_of(source, filters, terms)
    if sums.empty:
        return pd.DataFrame(columns=[*statistic.UPLIFT, "standard_error", "degrees_of_freedom"])
    found = statistic.hidden(statistic.uplift_rows(sums, ratios(source, filters, terms, sums), lift=terms.lift))
    return in_order(found.merge(known[["campaign", "campaign_name", "is_finished"]], on="campaign"), known)


def outcomes_of(source: Source, filters: Filters, terms: ResultTerms) -> dict[str, set[str]]:
    """Return by campaign which outcomes are known of the treated and of the control group, without asking for their sums."""
    known, sizes = campaigns_of(source, filters, terms), source.remember(sizes_of, filters, terms.campaign)
    is_recorded = sizes.groupby(["campaign", sizes["arm"] == CONTROL])[list(RECORDED)].sum().gt(0).groupby("campaign").all()
    recorded = {
        str(campaign): set(is_recorded.columns[flags]) for campaign, flags in zip(is_recorded.index, is_recorded.to_numpy(), strict=True)
    }
    ordered = set(ORDERED) - (set() if cost_share(source, filters) is not None else {"gross_margin"})
    return recorded | dict.fromkeys(of_orders(known).ids, ordered)


def planned(source: Source, filters: Filters, terms: ResultTerms) -> pd.DataFrame:
    """Return the planned shares: see statistic.planned_of; ask by source.remember."""
    return statistic.planned_of(source.remember(sizes_of, filters, terms.campaign), source(query.planned_shares(terms)), terms)


def ratios(source: Source, filters: Filters, terms: ResultTerms, sums: pd.DataFrame) -> dict[tuple[str, ...], SampleRatio]:
    """Return the check of the sizes of the arms by campaign and outcome, that of the whole campaign where it is faulty.

    sums: campaign, arm, stratum, outcome, n.
    """
    sizes, whole = sums.rename(columns={"n": "members"}), whole_ratios(source, filters, terms)
    checked = statistic.ratios(sizes, source.remember(planned, filters, terms), ["campaign", "outcome"])
    return {key: whole[key[:1]] if whole[key[:1]].is_faulty else each for key, each in checked.items()}


def whole_ratios(source: Source, filters: Filters, terms: ResultTerms) -> dict[tuple[str, ...], SampleRatio]:
    """Return the check of the sizes of the arms by campaign, whatever the segments: who is missing from it is missing from each of them."""
    everybody = replace(filters, segments=(), segments_on=None)
    sizes, shares = source.remember(sizes_of, everybody, terms.campaign), source.remember(planned, everybody, terms)
    return statistic.ratios(sizes, shares, ["campaign"])


def of_each(source: Source, filters: Filters, terms: ResultTerms, asked: Asked) -> pd.DataFrame:
    """Return what is asked of all campaigns at once; with segments campaign by campaign, told on the day before each began."""
    known = campaigns_of(source, filters, terms)
    if not filters.segments or known.empty:
        return asked(filters, terms)
    parts = [
        asked(
            replace(filters, segments_on=None if pd.isna(day) else (day - pd.Timedelta(days=1)).date()), replace(terms, campaign=campaign)
        )
        for campaign, day in zip(known["campaign"], known["started_on"], strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def members_of(filters: Filters) -> Filters:
    """Return what of the filters matters here, so that the rest asks nothing anew: the day, the scope and the segments."""
    return Filters(as_of=filters.today, scope=filters.scope, segments=filters.segments)


def of_orders(known: pd.DataFrame) -> query.Campaigns:
    """Return the campaigns whose results are those of orders. known: see known_campaigns."""
    rows = known[~known["is_recorded"] & known["started_on"].notna()]
    first_on, last_on = (None if pd.isna(day) else day.date() for day in (rows["started_on"].min(), rows["ends_on"].max(skipna=False)))
    return query.Campaigns(tuple(rows["campaign"]), first_on, last_on)


def cost_share(source: Source, filters: Filters) -> float | None:
    """Return the share of net revenue that goods cost whose cost is not known; None where it is known of too few."""
    known = source.remember(goods_coverage, replace(filters, end=filters.today, segments=(), segments_on=None))
    return known.cost_share if known.is_enough else None


def in_order(found: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Return the rows by campaign as in `known`, arm and outcome."""
    place = {campaign: at for at, campaign in enumerate(known["campaign"])}
    outcome = {name: at for at, name in enumerate(OUTCOMES)}
    keys = pd.DataFrame({"campaign": found["campaign"].map(place), "arm": found["arm"], "outcome": found["outcome"].map(outcome)})
    return found.loc[keys.sort_values(["campaign", "arm", "outcome"], kind="stable").index].reset_index(drop=True)

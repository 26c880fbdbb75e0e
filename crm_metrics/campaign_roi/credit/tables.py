"""The tables of this part, and the queries behind them.

Without a control group in the data set nothing here says what a campaign brought that would not have come anyway: the columns and tiles
about it are not there at all.
"""

import math
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Select

from crm_metrics.campaign_roi.credit import metrics, query, statistic, weighting
from crm_metrics.campaign_roi.credit.terms import CreditTerms, Rule
from crm_metrics.campaign_roi.result import tables as result_tables
from crm_metrics.campaign_roi.result.tables import returns, segments
from crm_metrics.customer_profit import goods_coverage, has_customer_costs
from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import Metric, tile
from crm_metrics.periods import Period, is_unfinished
from crm_metrics.rooms import Table

USUAL = CreditTerms()
MOST_ADJUSTED = 14  # campaigns at once, the newest, as many as a figure shows


def queries(source: Source, filters: Filters, terms: CreditTerms = USUAL, question: str = "campaigns") -> tuple[Select[Any], ...]:
    """Return the queries that a question of the page is answered from, to be shown; of adjusted comparisons that of the newest."""
    if question == "contacts":
        return (query.contacts(filters),)
    if question == "wasted":
        return tuple(result_tables.queries(source, _always(filters)))
    if question == "adjusted":
        newest = _undrawn(source.remember(found_campaigns, filters))["campaign"].head(1)
        return tuple(asked for campaign in newest for asked in _comparisons(source, _always(filters), campaign).values())
    return (query.campaign_rows(filters), query.touch_credit(_always(filters), terms))


# ── asked once per version and filters ──────────────────────────────────────────────────────────────────────────────────


def _always(filters: Filters) -> Filters:
    """Return the filters without the period: a campaign is judged whole, whichever campaigns the period chooses."""
    return replace(filters, start=None, end=filters.today, as_of=filters.today)


def found_campaigns(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the campaigns of the period: see query.campaign_rows; responses that only touches tell are filled in."""
    found = source(query.campaign_rows(filters))
    if not (found["responded"].isna() & (found["reach"] > 0)).any():
        return found
    told = found["campaign"].map(source(query.answers(filters)).set_index("campaign")["responded"])
    is_told = found["responded"].isna() & told.notna()
    return found.assign(
        responded=found["responded"].astype(float).where(~is_told, told.astype(float)),
        asked=found["asked"].astype(float).where(~is_told, found["reach"].astype(float)),
    )


def named_credit(source: Source, filters: Filters) -> pd.DataFrame:
    """Return what orders that name a campaign credit it with: see statistic.credit_rows; ask by source.remember."""
    return statistic.named_rows(source(query.named_credit(filters)), source.remember(goods_coverage, filters))


def touch_credit(source: Source, filters: Filters, terms: CreditTerms) -> pd.DataFrame:
    """Return what every rule by touches credits campaigns with: see statistic.touch_rows; ask by source.remember."""
    return statistic.touch_rows(source(query.touch_credit(filters, terms)), source.remember(goods_coverage, filters))


def _credit(source: Source, filters: Filters, terms: CreditTerms) -> pd.DataFrame:
    """Return one row per campaign of the period and rule: see `attribution`; of one rule only where `terms` name one."""
    always, asked = _always(filters), replace(terms, rule="")
    parts = [] if terms.rule not in ("", "named") else [source.remember(named_credit, always)]
    parts += [] if terms.rule == "named" else [source.remember(touch_credit, always, asked)]
    rows = statistic.attribution_rows(source.remember(found_campaigns, filters), pd.concat(parts, ignore_index=True))
    return rows[rows["rule"] == terms.rule] if terms.rule else rows


def rule_of(source: Source, filters: Filters, terms: CreditTerms = USUAL) -> Rule:
    """Return the rule that is used: the chosen one, else 'named' where an order names a campaign, and 'last' where none does."""
    if terms.rule:
        return terms.rule
    return "named" if source(query.named_count(_always(filters)))["orders"].iloc[0] else "last"


def has_control(source: Source, filters: Filters) -> bool:
    """Return whether any campaign begun by today, of whatever period, has a control group; only then it is spoken of."""
    return bool(source.remember(found_campaigns, replace(filters, start=None))["has_control"].any())


def is_whole(filters: Filters) -> bool:
    """Return whether orders are those of whole campaigns, so that they may be held against their costs."""
    return has_customer_costs(filters) and not filters.segments


# ── the campaigns ───────────────────────────────────────────────────────────────────────────────────────────────────────


def campaigns(source: Source, filters: Filters, terms: CreditTerms = USUAL) -> pd.DataFrame:
    """Return one row per campaign begun by today that ran in the period, the newest first.

    campaign, campaign_name, campaign_kind, channel, started_on, measured_until, is_finished, has_control, budget, cost (NaN: none
    recorded), cost_of_budget (share), reach (treated members), response (who responded), asked (of whom it is known), response_rate (of
    asked), response_low, response_high (Wilson), rule (see CreditTerms), attributed_orders, attributed_revenue (net), attributed_margin,
    attributed_roi, measure ('gross_margin' or 'net_revenue': which of the two ROI is about), cost_per_reach, cost_per_response,
    cost_per_order (attributed). Orders are those by today, within or after the period.

    Where a campaign of the data set has a control group also statistic.RETURNED: incremental (in `measure`; NaN without control group),
    incremental_low, incremental_high, incremental_roi, incremental_roi_low, incremental_roi_high, chance_of_profit, not_caused (attributed
    less incremental), is_faulty (the arms are not of the planned sizes). NaN under filters that choose some of the orders, like every ROI.
    """
    found, rule = source.remember(found_campaigns, filters), source.remember(rule_of, filters, terms)
    of_rule = _credit(source, filters, replace(terms, rule=rule))
    made = statistic.campaign_rows(found, of_rule, today=_today(source, filters), is_whole=is_whole(filters))
    if not has_control(source, filters):
        return made
    return statistic.with_returns(made, source.remember(returns, _always(filters)) if is_whole(filters) else None)


def _today(source: Source, filters: Filters) -> pd.Timestamp:
    return pd.Timestamp(filters.today) if filters.today else pd.Timestamp(source(query.last_day(filters))["last_on"].iloc[0])


def tiles(source: Source, filters: Filters, terms: CreditTerms = USUAL) -> pd.DataFrame:
    """Return the tiles: metric, value, low, high (NaN: exact), unit, n (campaigns counted in it: of which it is known)."""
    rows = source.remember(campaigns, filters, terms)
    sums = statistic.totals(rows)
    credited = metrics.ATTRIBUTED_MARGIN if (rows["measure"] == "gross_margin").any() else metrics.ATTRIBUTED_REVENUE
    shown: dict[Metric, str] = {
        metrics.REACH: "reach",
        metrics.COST: "cost",
        credited: "attributed",
        metrics.ATTRIBUTED_ROI: "attributed_roi",
    }
    if "incremental" in rows:
        shown |= {metrics.INCREMENTAL: "incremental", metrics.INCREMENTAL_ROI: "incremental_roi"}
    else:
        shown = {metrics.CAMPAIGNS: "campaigns", metrics.RESPONSE_RATE: "response_rate"} | shown
    return pd.DataFrame([_tile(metric, sums, name) for metric, name in shown.items()])


def headline(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the room's one tile for the overview: ROI of the campaigns that ended within the period, as `tiles`.

    Incremental ROI where a campaign of the data set has a control group, else attributed ROI; no row where it is not known, as under
    filters that choose some of the orders.
    """
    if not is_whole(filters):
        return pd.DataFrame([tile(metrics.ATTRIBUTED_ROI, math.nan, 0)]).head(0)
    rows = source.remember(campaigns, _always(filters), USUAL)  # of all periods: another one is answered from what is kept
    until = rows["measured_until"]
    is_within = (until >= pd.Timestamp(filters.start or pd.Timestamp.min)) & (until <= pd.Timestamp(filters.end or pd.Timestamp.max))
    ended = rows[rows["is_finished"] & is_within]
    metric, name = metrics.ATTRIBUTED_ROI, "attributed_roi"
    if "incremental" in rows:
        metric, name = metrics.INCREMENTAL_ROI, "incremental_roi"
    made = pd.DataFrame([_tile(metric, statistic.totals(ended), name)])
    return made[made["value"].notna()].reset_index(drop=True)


def _tile(metric: Metric, sums: dict[str, float], name: str) -> dict[str, object]:
    low, high = (sums.get(f"{name}_{end}", math.nan) for end in ("low", "high"))
    n = int(sums.get(f"{name}_n", sums["campaigns"]))
    return tile(metric, sums[name], n, low=low, high=high)


def attribution(source: Source, filters: Filters, terms: CreditTerms = USUAL) -> pd.DataFrame:
    """Return one row per campaign of the period and rule of credit, the newest campaign first.

    campaign, campaign_name, rule, credited_orders, credited_revenue (net), credited_margin (NaN where costs of goods are not known enough).
    By each rule a purchase is credited once at most, in shares that add up to 1; purchases without a touch are no campaign's. NaN where a
    campaign has no touch that counts, or by 'named' no order names any campaign.
    """
    return _credit(source, filters, replace(terms, rule=""))


def wasted(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per campaign of the period, treated arm and segment that it is proven to have harmed: what was spent on it.

    campaign, campaign_name, arm, by (how segments are told), segment, outcome, unit, uplift (per person; below 0), low, high, treated
    (people), spent_there (their share of the cost; NaN without a cost), the most first. A segment can be in several rows, told in several
    ways; see statistic.wasted_total. Empty without a control group.
    """
    empty = pd.DataFrame(columns=list(statistic.WASTED))
    if not (has_control(source, filters) and is_whole(filters)):
        return empty
    found = source.remember(found_campaigns, filters)
    told = source.remember(segments, _always(filters))
    return statistic.wasted_rows(told[told["campaign"].isin(found["campaign"])], found) if len(told) else empty


# ── chosen, not drawn ───────────────────────────────────────────────────────────────────────────────────────────────────


def adjusted(source: Source, filters: Filters, campaign: str = "") -> pd.DataFrame:
    """Return one row per campaign of the period without control group, arm and outcome: the treated against like customers.

    campaign, arm, outcome ('gross_revenue' before returns, 'net_revenue', 'bought'), n (treated with a purchase before the start), mean,
    compared_n (like customers outside the campaign), compared_mean, difference (of the means, per customer), low, high (95 %),
    crude_difference (before adjusting), effective_n (how many even weights those compared are worth), campaign_name, unit, is_finished.
    Means are weighted: see weighting.compared. Customers were chosen, not drawn by lot: what nobody recorded is not adjusted for. No row
    for a campaign with fewer than 30 customers on a side. campaign: one only, else the newest MOST_ADJUSTED. All orders count, whatever
    region, channel, category and segments are chosen.
    """
    return _parts(source, filters, campaign)[0]


def balance(source: Source, filters: Filters, campaign: str = "") -> pd.DataFrame:
    """Return one row per campaign without control group, arm and measure: how alike those compared are, before and after adjusting.

    campaign, arm, measure (see weighting.CHECKED), difference_before, difference_after (treated less others, in standard deviations of the
    treated; beyond .1 they are not alike), is_adjusted (it was made alike, else it tells whether that was enough), campaign_name.
    """
    return _parts(source, filters, campaign)[1]


def _parts(source: Source, filters: Filters, campaign: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    found = source.remember(found_campaigns, filters)
    today = _today(source, filters)
    undrawn = _undrawn(found)
    chosen = undrawn[undrawn["campaign"] == campaign] if campaign else undrawn.head(MOST_ADJUSTED)
    differences, balances = [pd.DataFrame(columns=_ADJUSTED)], [pd.DataFrame(columns=_BALANCE)]
    for row in chosen.itertuples():
        for arm, made in source.remember(compared_arms, _always(filters), row.campaign).items():
            is_finished = bool(row.measured_until <= today) if pd.notna(today) else True  # type: ignore[operator]
            about: dict[str, Any] = {"campaign": row.campaign, "campaign_name": row.campaign_name, "arm": arm}
            differences.append(made.differences.assign(**about, is_finished=is_finished, unit=made.differences["outcome"].map(_UNITS)))
            balances.append(made.balance.assign(**about))
    rows = [pd.concat(parts[1:] or parts, ignore_index=True) for parts in (differences, balances)]
    return rows[0][_ADJUSTED], rows[1][_BALANCE]


def _undrawn(found: pd.DataFrame) -> pd.DataFrame:
    """Return the campaigns without control group of which it is known whom they treated, and when."""
    return found[~found["has_control"].astype(bool) & found["started_on"].notna() & (found["reach"] > 0)]


def _window(campaign: Any, filters: Filters) -> tuple[date, date]:
    until = campaign.measured_until.date()
    return campaign.started_on.date(), min(until, filters.today) if filters.today else until


_UNITS = {"gross_revenue": "money_per_customer", "net_revenue": "money_per_customer", "bought": "share"}
_ADJUSTED = [
    "campaign", "arm", "outcome", "n", "mean", "compared_n", "compared_mean", "difference", "low", "high", "crude_difference",
    "effective_n", "campaign_name", "unit", "is_finished",
]  # fmt: skip
_BALANCE = ["campaign", "arm", "measure", "difference_before", "difference_after", "is_adjusted", "campaign_name"]


def compared_arms(source: Source, filters: Filters, campaign: str) -> dict[str, weighting.Compared]:
    """Return the comparison of each treated arm of a campaign with like customers, by arm; ask by source.remember."""
    made = {arm: weighting.compared(source(asked)) for arm, asked in _comparisons(source, filters, campaign).items()}
    return {arm: one for arm, one in made.items() if one is not None}


def _comparisons(source: Source, filters: Filters, campaign: str) -> dict[str, Select[Any]]:
    """Return what is asked for each treated arm of a campaign, by arm."""
    days = _window(source.remember(found_campaigns, filters).set_index("campaign").loc[campaign], filters)
    return {arm: query.before_and_after(filters, campaign, arm, days) for arm in source(query.treated_arms(campaign))["arm"]}


# ── contacts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def contacts(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per quarter and personalisation of the contacts by campaigns in the period.

    quarter_on, personalisation ('mass', 'segment', 'individual', … or '' where it is not recorded), contacts, share (of the quarter),
    is_unfinished (an end of the period or of the orders cuts the quarter).
    """
    found = source(query.contacts(filters))
    total, today = found.groupby("quarter_on")["contacts"].transform("sum"), _today(source, filters)
    held = Period(filters.start or date.min, today.date() if pd.notna(today) else date.max - timedelta(1))
    return found.assign(
        personalisation=found["personalisation"].astype(object).fillna(""),
        share=found["contacts"] / total,
        is_unfinished=[is_unfinished(start.date(), "quarter", held) for start in found["quarter_on"]],
    )


TABLES: dict[str, Table] = {
    "tiles": tiles,
    "campaigns": campaigns,
    "attribution": attribution,
    "adjusted": adjusted,
    "balance": balance,
    "wasted": wasted,
    "contacts": contacts,
}

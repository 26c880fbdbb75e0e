"""The tables of this part, and the queries behind them.

Reasons, competitors and assessments are of the deals created in the period. The model and the activities before moves look at every deal
within the other choices, whatever the period, up to today.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import tile
from crm_metrics.pipeline.deals import query as deal_query
from crm_metrics.pipeline.deals.days import asked_day, last_day, whatever_period
from crm_metrics.pipeline.deals.metrics import WIN_RATE_OF_CLOSED
from crm_metrics.pipeline.deals.tables import created, rate_tile
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.winning import counts, landmarks, metrics, model, moves, query
from crm_metrics.pipeline.winning.factors import win_factors
from crm_metrics.rooms import Table

_COUNTED = (
    *("deal_number", "created_on", "closed_on", "outcome", "deal_amount", "owner_name"),
    *("lost_reason", "competitor", "has_scorecard"),
)


def queries(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> tuple[Select, ...]:
    """Return the queries that the deals come from, to be shown."""
    on = asked_day(source, filters)
    return (deal_query.deal_rows(filters, terms, on, _COUNTED), deal_query.change_rows(filters, terms, on, moves.NEEDED))


# ── tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def win_tiles(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return the tiles of the page: metric, value, low, high (Wilson, 95%), unit, n (deals it is about)."""
    rows, reasons = created(source, filters, terms, _COUNTED), lost_reasons(source, filters, terms)
    closed = rows[rows["outcome"] != deal_query.OPEN]
    against = closed[closed["competitor"].notna()]
    won_against = against[against["outcome"] == deal_query.WON]
    value, known = won_against["deal_amount"].dropna(), rows["has_scorecard"].dropna().astype(bool)
    main = reasons[reasons["reason"] != ""].head(1)
    first: Any = main.iloc[0] if len(main) else None
    return pd.DataFrame(
        [
            rate_tile(WIN_RATE_OF_CLOSED, int((closed["outcome"] == deal_query.WON).sum()), len(closed)),
            tile(metrics.MAIN_REASON_SHARE, first["share"], int(first["of"]), low=first["low"], high=first["high"])
            if first is not None
            else tile(metrics.MAIN_REASON_SHARE, math.nan, 0),
            rate_tile(metrics.WIN_RATE_AGAINST_COMPETITORS, len(won_against), len(against)),
            tile(metrics.COMPETITIVE_WON_VALUE, value.sum() if len(value) else math.nan, len(value)),
            rate_tile(metrics.SCORECARD_COMPLETENESS, int(known.sum()), len(known)),
        ]
    )


# ── reasons and competitors ─────────────────────────────────────────────────────────────────────────────────────────────


def lost_reasons(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per reason of the lost deals created in the period: see counts.reason_counts."""
    return counts.reason_counts(_lost(source, filters, terms))


def lost_stages(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per stage that deals were lost in, and reason: stage_order, stage, stage_name, and the columns of `lost_reasons`.

    Shares are of the deals lost in that stage whose reason is known. Empty without a history of stages.
    """
    changes = source(deal_query.change_rows(filters, terms, asked_day(source, filters), ("deal_number", "outcome", "stage", "stage_order")))
    lost = _lost(source, filters, terms)
    placed = lost.merge(counts.last_open_stages(changes), on="deal_number")
    names = source(deal_query.stage_rows())[["stage", "stage_name"]]
    rows = placed.merge(names, on="stage", how="left")
    rows["stage_name"] = rows["stage_name"].fillna(rows["stage"])
    return counts.reason_counts(rows, ("stage_order", "stage", "stage_name"))


def lost_trend(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per quarter of closing and reason: quarter_on, the columns of `lost_reasons`, is_unfinished (it is not over)."""
    lost = _lost(source, filters, terms)
    lost = lost[lost["closed_on"].notna()]
    rows = counts.reason_counts(lost.assign(quarter_on=lost["closed_on"].dt.to_period("Q").dt.start_time), ("quarter_on",))
    end = rows["quarter_on"] + pd.DateOffset(months=3)
    return rows.assign(is_unfinished=end > last_day(source, filters) + pd.Timedelta(days=1))


def _lost(source: Source, filters: Filters, terms: DealTerms) -> pd.DataFrame:
    rows = created(source, filters, terms, _COUNTED)
    return rows[rows["outcome"] == deal_query.LOST]


def competitors(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per competitor of the deals created in the period, most deals first: competitor ("": none is known), counts.COUNTED,
    and counts.COMPARED: the win rate against that of deals without a known competitor.
    """
    rows = created(source, filters, terms, _COUNTED)
    found = counts.win_counts(rows.assign(competitor=rows["competitor"].fillna("")), "competitor")
    without = found[found["competitor"] == ""]
    base = without if len(without) else pd.DataFrame({"won": [0], "closed": [0]})
    named = found[found["competitor"] != ""].reset_index(drop=True)
    others = base[["won", "closed"]].loc[base.index.repeat(len(named))]
    return pd.concat([counts.compared(named, others), without.assign(is_different=False)], ignore_index=True)


# ── assessments ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def scorecard(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row for deals with a complete assessment and one for those without: is_complete, share_of_deals, counts.COUNTED,
    counts.COMPARED (the first row against the other, within quarters of creation). Deals created in the period of which it is recorded.
    """
    rows = created(source, filters, terms, _COUNTED)
    known = rows[rows["has_scorecard"].notna()]
    is_complete = known["has_scorecard"].astype(bool)
    found = counts.win_counts(known.assign(is_complete=is_complete), "is_complete")
    found = found.sort_values("is_complete", ascending=False, ignore_index=True)
    with_it, without = found.head(1), found.iloc[1:]
    first = counts.compared_within_quarters(with_it, without, known, is_complete) if len(without) else with_it
    made = pd.concat([first, without], ignore_index=True)
    made.insert(1, "share_of_deals", made["deals"] / made["deals"].sum() if len(made) else np.empty(0))
    return made


def scorecard_owners(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per owner: owner_name, and as counts.complete_counts: how many of the owner's deals have a complete assessment."""
    return counts.complete_counts(created(source, filters, terms, _COUNTED), "owner_name")


def scorecard_trend(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per quarter of creation: quarter_on, and as counts.complete_counts; is_unfinished (the quarter is not over)."""
    rows = created(source, filters, terms, _COUNTED)
    rows = rows[rows["created_on"].notna()]
    made = counts.complete_counts(rows.assign(quarter_on=rows["created_on"].dt.to_period("Q").dt.start_time), "quarter_on")
    end = pd.to_datetime(made["quarter_on"]) + pd.DateOffset(months=3)
    return made.assign(is_unfinished=end > last_day(source, filters) + pd.Timedelta(days=1))


# ── the model ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Learned(NamedTuple):
    """What was asked once for all tables of the model. rows: the landmarks; days: see landmarks.days_to_close."""

    rows: pd.DataFrame
    days: float
    split: model.Split | None
    fit: model.Fit | None


def learned(source: Source, filters: Filters, terms: DealTerms) -> _Learned:
    """Return the landmarks of the deals and the model learned from them."""
    return source.remember(_learn, whatever_period(filters), terms)


def _learn(source: Source, filters: Filters, terms: DealTerms) -> _Learned:
    on, today = asked_day(source, filters), last_day(source, filters)
    rows = source(deal_query.deal_rows(filters, terms, on, landmarks.OF_DEALS))
    changes = source(deal_query.change_rows(filters, terms, on, landmarks.OF_CHANGES))
    customers, done = (source(ask(filters, terms, on)) for ask in (query.earlier_customers, query.deal_activities))
    seen = landmarks.landmarks(landmarks.Deals(rows, changes, customers, done, today))
    days = landmarks.days_to_close(rows, today)
    halves = model.split(seen, today, days)
    return _Learned(seen, days, halves, model.fit(halves.learned) if halves else None)


def win_model(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row, whether or not a model can be learned: how well it tells won deals from lost ones.

    days_to_close (a deal is old enough after so many), closed_deals (of any age, open at the first age), learned_deals,
    learned_won, tested_deals, split_on (last day on which it learned), base_rate (won of those learned from), brier, base_brier, skill,
    low, high, auc (see model.Skill; NaN where too few deals are known), strength (of the prior, chosen), is_better (low above 0: better
    than the usual rate beyond chance).
    """
    found = learned(source, filters, terms)
    closed = found.rows[found.rows["outcome"] != deal_query.OPEN]
    row: dict[str, Any] = {"days_to_close": found.days, "closed_deals": closed["deal_number"].nunique()}
    names = ("learned_deals", "learned_won", "tested_deals", "split_on", "base_rate", *model.Skill._fields, "strength")
    if found.split is None or found.fit is None:
        return pd.DataFrame([{**row, **dict.fromkeys(names, math.nan), "split_on": pd.NaT, "is_better": False}])
    deals = found.split.learned.drop_duplicates("deal_number")
    tested = found.split.tested
    skill = model.skill(tested, model.predicted(found.fit, tested), model.base_rates(found.fit, tested))
    values = (len(deals), int(deals["is_won"].sum()), tested["deal_number"].nunique(), found.split.split_on, deals["is_won"].mean())
    return pd.DataFrame([{**row, **dict(zip(names, (*values, *skill, found.fit.strength), strict=True)), "is_better": skill.low > 0}])


def reliability(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per tenth of the landmarks that the model is checked on: see model.reliability; empty without a model."""
    found = learned(source, filters, terms)
    if found.split is None or found.fit is None:
        return model.reliability(found.rows.head(0), np.empty(0))
    return model.reliability(found.split.tested, model.predicted(found.fit, found.split.tested))


def factors(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per thing known 14 days after creation and value: see factors.win_factors. Of closed deals that are old enough."""
    found = learned(source, filters, terms)
    rows = model.grown(found.rows, last_day(source, filters), found.days)
    return win_factors(rows[rows["age"] == str(landmarks.AGES[0])])


def open_scores(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per open deal that has passed the first age, the largest expected value first; none unless the model is better than
    the usual rate.

    opportunity_id, opportunity_name, customer_id, owner_name, stage_name, created_on, age_days, known_at_days (the last age passed, on
    which it is scored), win_probability, deal_amount, expected_value (value times probability; NaN where the value is unknown). The model
    is learned anew from all deals that are old enough.
    """
    found, today = learned(source, filters, terms), last_day(source, filters)
    is_better = bool(win_model(source, filters, terms)["is_better"].iloc[0])
    rows = found.rows[found.rows["outcome"] == deal_query.OPEN].drop_duplicates("deal_number", keep="last")
    rows = rows if is_better else rows.head(0)
    probability = model.predicted(source.remember(_learned_from_all, whatever_period(filters), terms), rows) if is_better else np.empty(0)
    scored = rows[["deal_number", "age"]].assign(win_probability=probability)
    every = source(deal_query.deal_rows(filters, terms, asked_day(source, filters)))
    made = every.merge(scored, on="deal_number")
    made = made.assign(
        age_days=(today - made["created_on"]).dt.days,
        known_at_days=made["age"].astype(int),
        expected_value=made["deal_amount"] * made["win_probability"],
    )
    columns = ["opportunity_id", "opportunity_name", "customer_id", "owner_name", "stage_name", "created_on", "age_days", "known_at_days"]
    order = made.sort_values(["expected_value", "opportunity_id"], ascending=[False, True], ignore_index=True)
    return order[[*columns, "win_probability", "deal_amount", "expected_value"]]


def _learned_from_all(source: Source, filters: Filters, terms: DealTerms) -> model.Fit:
    found = learned(source, filters, terms)
    rows = model.grown(found.rows, last_day(source, filters), found.days)
    return model.fit(rows, (found.fit.strength,) if found.fit else model.STRENGTHS)


# ── moves ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def activities_before_moves(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per kind of activity and stage, and over all stages: see moves.rates. Empty without a history of stages."""
    on, today = asked_day(source, filters), last_day(source, filters)
    stays = moves.spells(source(deal_query.change_rows(filters, terms, on, moves.NEEDED)), today)
    done = source(query.deal_activities(filters, terms, on))
    names = source(deal_query.stage_rows()).set_index("stage")["stage_name"]
    rows = moves.rates(stays, done if len(stays) else done.head(0))
    rows.insert(2, "stage_name", rows["stage"].map(names).astype("str").fillna(rows["stage"]))
    return rows


TABLES: dict[str, Table] = {
    "win_tiles": win_tiles,
    "lost_reasons": lost_reasons,
    "lost_stages": lost_stages,
    "lost_trend": lost_trend,
    "competitors": competitors,
    "scorecard": scorecard,
    "scorecard_owners": scorecard_owners,
    "scorecard_trend": scorecard_trend,
    "win_model": win_model,
    "reliability": reliability,
    "factors": factors,
    "open_scores": open_scores,
    "activities_before_moves": activities_before_moves,
}

"""The tables of this part, and the queries behind them.

Reasons, competitors and assessments are of the deals created in the period. The model and the activities before moves look at every deal
within the other choices, whatever the period, up to today.
"""

import math
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Select

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.metric import tile
from crm_metrics.pipeline.deals import query as deal_query
from crm_metrics.pipeline.deals.days import asked_day, last_day, whatever_period
from crm_metrics.pipeline.deals.metrics import WIN_RATE_OF_CLOSED, WON_CYCLE_DAYS, WON_VALUE
from crm_metrics.pipeline.deals.pipelines import stages_seen
from crm_metrics.pipeline.deals.tables import basis, created, rate_tile
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms
from crm_metrics.pipeline.winning import counts, landmarks, metrics, model, moves, query
from crm_metrics.pipeline.winning.factors import win_differences, win_factors
from crm_metrics.rooms import Table

_COUNTED = (
    *("deal_number", "created_on", "closed_on", "outcome", "deal_amount", "owner_name"),
    *("lost_reason", "competitor", "has_scorecard"),
)


def queries(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> tuple[Select, ...]:
    """Return the queries that the deals come from, to be shown."""
    on = asked_day(source, filters)
    counted = query.closed_counts(filters, terms, on)
    return (deal_query.deal_rows(filters, terms, on, _COUNTED), counted, deal_query.change_rows(filters, terms, on, moves.NEEDED))


def deal_basis(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row: what limits the deals, and how many of them have a history: see pipeline.deals.tables.basis."""
    return basis(source, filters, terms)


# ── tiles ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def win_tiles(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return the tiles of the page: metric, value, low, high (Wilson, 95%), unit, n (deals it is about)."""
    rows, reasons = created(source, filters, terms, _COUNTED), lost_reasons(source, filters, terms)
    closed = rows[rows["outcome"] != deal_query.OPEN]
    against = closed[closed["competitor"].notna()]
    won_against = against[against["outcome"] == deal_query.WON]
    value, known = won_against["deal_amount"].dropna(), rows["has_scorecard"].dropna().astype(bool)
    won = closed["outcome"] == deal_query.WON
    won_value, days = closed.loc[won, "deal_amount"].dropna(), (closed["closed_on"] - closed["created_on"]).dt.days.clip(lower=0)
    won_days, lost_days = days[won].dropna(), days[~won].dropna()
    main = reasons[reasons["reason"] != ""].head(1)
    first: Any = main.iloc[0] if len(main) else None
    return pd.DataFrame(
        [
            rate_tile(WIN_RATE_OF_CLOSED, int(won.sum()), len(closed)),
            tile(metrics.MAIN_REASON_SHARE, first["share"], int(first["of"]), low=first["low"], high=first["high"])
            if first is not None
            else tile(metrics.MAIN_REASON_SHARE, math.nan, 0),
            rate_tile(metrics.WIN_RATE_AGAINST_COMPETITORS, len(won_against), len(against)),
            tile(metrics.COMPETITIVE_WON_VALUE, value.sum() if len(value) else math.nan, len(value)),
            rate_tile(metrics.SCORECARD_COMPLETENESS, int(known.sum()), len(known)),
            tile(WON_VALUE, won_value.sum() if len(won_value) else math.nan, len(won_value)),
            tile(metrics.MEDIAN_WON_VALUE, won_value.median(), len(won_value)),
            *[
                tile(metric, days.median(), len(days))
                for metric, days in ((WON_CYCLE_DAYS, won_days), (metrics.LOST_CYCLE_DAYS, lost_days))
            ],
        ]
    )


# ── where deals are won ─────────────────────────────────────────────────────────────────────────────────────────────────


def differences(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per thing that deals have and its value, of those created in the period: see factors.win_differences."""
    return win_differences(source(query.closed_counts(filters, terms, asked_day(source, filters))))


# ── reasons and competitors ─────────────────────────────────────────────────────────────────────────────────────────────


def lost_reasons(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per reason of the lost deals created in the period: see counts.reason_counts."""
    return counts.reason_counts(_lost(source, filters, terms))


def lost_stages(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per stage that deals were lost in, and reason: stage_order, stage, stage_name, and the columns of `lost_reasons`.

    Shares are of the deals lost in that stage whose reason is known. Of several pipelines it is of one: see deals.pipelines. Empty without
    a history of stages.
    """
    seen = stages_seen(source, filters, terms)
    lost = source(query.lost_in(filters, seen.deals, asked_day(source, filters), seen.others))
    rows = lost.merge(seen.stages[["stage", "stage_name"]], on="stage", how="left")
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
    """What was asked once for all tables of the model. deals: landmarks.OF_DEALS; days: see landmarks.days_to_close; learned, tested: the
    landmarks of these deals; probability: of those tested.
    """

    deals: pd.DataFrame
    days: float
    split: model.Split | None
    learned: pd.DataFrame
    tested: pd.DataFrame
    fit: model.Fit | None
    probability: model.Floats


def _learn(source: Source, filters: Filters, terms: DealTerms) -> _Learned:
    today = last_day(source, filters)
    deals = source(deal_query.deal_rows(filters, terms, asked_day(source, filters), landmarks.OF_DEALS))
    days = landmarks.days_to_close(source(query.closing_days(filters, terms, _seen(source, filters))))
    halves = model.split(deals, today, days)
    numbers = np.concatenate([halves.learned, halves.tested]) if halves else np.empty(0)
    rows = known_early(source, filters, terms, numbers)
    is_learned = np.isin(rows["deal_number"], halves.learned if halves else [])
    learned, tested = rows[is_learned], rows[~is_learned]
    fit = model.fit(learned) if halves else None
    return _Learned(deals, days, halves, learned, tested, fit, model.predicted(fit, tested) if fit else np.empty(0))


def known_early(source: Source, filters: Filters, terms: DealTerms, numbers: npt.NDArray[Any]) -> pd.DataFrame:
    """Return the landmarks of the deals of these numbers: see landmarks.landmarks."""
    return landmarks.landmarks(source(query.landmark_rows(filters, terms, _seen(source, filters), numbers.astype(int).tolist())))


def _seen(source: Source, filters: Filters) -> query.Seen:
    return query.Seen(last_day(source, filters).date(), asked_day(source, filters), landmarks.AGES)


def _learned(source: Source, filters: Filters, terms: DealTerms) -> _Learned:
    return source.remember(_learn, whatever_period(filters), terms)


def win_model(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row, whether or not a model can be learned: how well it tells won deals from lost ones.

    days_to_close (a deal is old enough after so many), closed_deals (of any age, open at the first age), learned_deals,
    learned_won, tested_deals, split_on (last day on which it learned), base_rate (won of those learned from), brier, base_brier, skill,
    low, high, auc (see model.Skill; NaN where too few deals are known), strength (of the prior, chosen), is_better (low above 0: better
    than the usual rate beyond chance).
    """
    found = _learned(source, filters, terms)
    row: dict[str, Any] = {"days_to_close": found.days, "closed_deals": len(landmarks.seen_closed(found.deals))}
    names = ("learned_deals", "learned_won", "tested_deals", "split_on", "base_rate", *model.Skill._fields, "strength")
    if found.split is None or found.fit is None:
        return pd.DataFrame([{**row, **dict.fromkeys(names, math.nan), "split_on": pd.NaT, "is_better": False}])
    deals = found.learned.drop_duplicates("deal_number")
    skill = model.skill(found.tested, found.probability, model.base_rates(found.fit, found.tested))
    tested = found.tested["deal_number"].nunique()
    values = (len(deals), int(deals["is_won"].sum()), tested, found.split.split_on, deals["is_won"].mean())
    return pd.DataFrame([{**row, **dict(zip(names, (*values, *skill, found.fit.strength), strict=True)), "is_better": skill.low > 0}])


def reliability(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per tenth of the landmarks that the model is checked on: see model.reliability; empty without a model."""
    found = _learned(source, filters, terms)
    return model.reliability(found.tested, found.probability)


def factors(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per thing known 14 days after creation and value: see factors.win_factors. Of closed deals that are old enough."""
    chosen, seen = whatever_period(filters), _seen(source, filters)
    days = landmarks.days_to_close(source(query.closing_days(chosen, terms, seen)))
    until = date.min if math.isnan(days) else seen.today - timedelta(days)
    return win_factors(source(query.early_counts(chosen, terms, seen, until)))


def open_scores(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per open deal that has passed the first age, the largest expected value first; none unless the model is better than
    the usual rate.

    opportunity_id, opportunity_name, customer_id, owner_name, stage_name, created_on, age_days, known_at_days (the last age passed, on
    which it is scored), win_probability, deal_amount, expected_value (value times probability; NaN where the value is unknown). The model
    is learned anew from all deals that are old enough.
    """
    columns = ("opportunity_id", "opportunity_name", "customer_id", "owner_name", "stage_name", "created_on", "deal_amount")
    if not win_model(source, filters, terms)["is_better"].iloc[0]:
        return pd.DataFrame(columns=_SCORED)
    scored = source.remember(_scored, whatever_period(filters), terms)
    every = source(deal_query.deal_rows(filters, terms, asked_day(source, filters), ("deal_number", *columns)))
    made = every.merge(scored, on="deal_number")
    made = made.assign(
        age_days=(last_day(source, filters) - made["created_on"]).dt.days,
        known_at_days=made["age"].astype(int),
        expected_value=made["deal_amount"] * made["win_probability"],
    )
    return made.sort_values(["expected_value", "opportunity_id"], ascending=[False, True], ignore_index=True)[_SCORED]


_SCORED = [
    *("opportunity_id", "opportunity_name", "customer_id", "owner_name", "stage_name", "created_on", "age_days", "known_at_days"),
    *("win_probability", "deal_amount", "expected_value"),
]


def _scored(source: Source, filters: Filters, terms: DealTerms) -> pd.DataFrame:
    """Return one row per open deal that has passed the first age: deal_number, age (on which it is scored), win_probability."""
    found, today = _learned(source, filters, terms), last_day(source, filters)
    old = model.part_of(model.grown(found.deals, today, found.days), model.MOST_LEARNED)
    strengths = (found.fit.strength,) if found.fit else model.STRENGTHS
    fit = model.fit(known_early(source, filters, terms, old), strengths)
    is_open = found.deals["outcome"] == deal_query.OPEN
    rows = known_early(source, filters, terms, found.deals.loc[is_open, "deal_number"].to_numpy())
    rows = rows.drop_duplicates("deal_number", keep="last")
    return rows[["deal_number", "age"]].assign(win_probability=model.predicted(fit, rows))


# ── moves ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def activities_before_moves(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per kind of activity and stage, and over all stages: stage_name, and as moves.rates. Empty without any history."""
    on, today = asked_day(source, filters), last_day(source, filters)
    stays = moves.spells(source(deal_query.change_rows(filters, terms, on, moves.NEEDED)), today)
    done = source(query.deal_activities(filters, terms, on))
    names = source(deal_query.stage_rows()).set_index("stage")["stage_name"]
    rows = moves.rates(stays, done if len(stays) else done.head(0))
    rows.insert(2, "stage_name", rows["stage"].map(names).astype("str").fillna(rows["stage"]))
    return rows


TABLES: dict[str, Table] = {
    "win_tiles": win_tiles,
    "win_differences": differences,
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

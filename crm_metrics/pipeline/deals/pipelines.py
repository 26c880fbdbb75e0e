"""Of several pipelines the one that is told by stage: stages of different pipelines are never mixed.

Every table by stage asks `stages_seen`. Which pipeline is looked at does not hang on the period, so that pages and periods agree.
"""

from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Integer, Select, and_, case, cast, func, select, true

from crm_metrics.database import Source
from crm_metrics.filters import Filters, period_conditions
from crm_metrics.pipeline.deals import query
from crm_metrics.pipeline.deals.days import asked_day
from crm_metrics.pipeline.deals.terms import ALL_DEALS, DealTerms

# ── query ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def pipelines(filters: Filters, terms: DealTerms, on: date | None = None) -> Select[Any]:
    """One row per pipeline that deals run through: pipeline (empty: unknown), deals (whenever created), deals_of_period; the largest
    first, the unknown one last.
    """
    rows = query.deals(filters, terms, on)
    is_of_period = and_(true(), *period_conditions(rows.c.created_on, filters))
    count, pipeline = func.count().label("deals"), rows.c.pipeline
    of_period = cast(func.sum(case((is_of_period, 1), else_=0)), Integer).label("deals_of_period")
    return select(pipeline, count, of_period).group_by(pipeline).order_by(pipeline.is_(None), count.desc(), pipeline)


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def deal_pipelines(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> pd.DataFrame:
    """Return one row per pipeline that deals run through, the largest first: pipeline (empty: unknown), deals (whenever created),
    deals_of_period, is_shown (what is told by stage is of it); nothing where the data know of one alone.
    """
    held = source(query.values_of("pipeline", filters.scope))
    if held["value"].notna().sum() <= 1:
        return pd.DataFrame(columns=["pipeline", "deals", "deals_of_period", "is_shown"])
    found = source(pipelines(filters, terms, asked_day(source, filters)))
    are_apart = source(query.stage_rows())["pipeline"].nunique() > 1
    return found.assign(is_shown=(found.index == 0) | (not are_apart))


class StagesSeen(NamedTuple):
    """deals: the choice of deals whose stages stand together. stages: of these, the columns of query.stage_rows. others: stages of other
    pipelines, in which these deals may have been before they came to theirs. pipeline: of several with stages of their own the only one
    that is looked at, the largest; empty where nobody had to choose.
    """

    deals: DealTerms
    stages: pd.DataFrame
    others: tuple[str, ...]
    pipeline: str


def stages_seen(source: Source, filters: Filters, terms: DealTerms = ALL_DEALS) -> StagesSeen:
    """Return which deals and stages are told by stage: of several pipelines with stages of their own the one of most deals."""
    stages = source(query.stage_rows())
    everything = StagesSeen(terms, stages, (), "")
    if stages["pipeline"].nunique() < 2:
        return everything
    found = deal_pipelines(source, filters, terms)["pipeline"].dropna()
    if not len(found):
        return everything
    largest = str(found.iloc[0])
    is_its = stages["pipeline"].isna() | (stages["pipeline"] == largest)
    its = everything._replace(stages=stages[is_its].reset_index(drop=True), others=tuple(stages.loc[~is_its, "stage"]))
    return its._replace(deals=replace(terms, pipeline=(largest,)), pipeline=largest) if len(found) > 1 else its

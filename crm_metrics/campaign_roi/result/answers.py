"""What answers each question of the page: the table it takes, and the sentences, rows and picture made of that."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd
import plotly.graph_objects as go

from crm_metrics.campaign_roi.result import adjusted_words, more_words, tables, words
from crm_metrics.campaign_roi.result.figure import (
    adjusted_dots,
    looks_band,
    money_bars,
    ranking_dots,
    segment_forest,
    shown_lifts,
    uplift_dots,
)
from crm_metrics.campaign_roi.result.labels import of
from crm_metrics.campaign_roi.result.terms import ResultTerms

Rows = pd.DataFrame


class Chosen(NamedTuple):
    """What the reader looks at.

    so_far: how much of an unfinished campaign there is, in words. credited: money that orders credit the campaign with, None where it is
    not known. by: how segments are told apart. sees_all: not some regions only. is_recorded: the campaign's own
    file says what people spent.
    """

    terms: ResultTerms
    so_far: str
    currency: str
    credited: float | None = None
    by: str = ""
    sees_all: bool = True
    is_recorded: bool = False


class Answer(NamedTuple):
    """One answer. note, below: under the finding and under the figure. draw, options: the figure, drawn of the table. rows: shown below.

    has_tiles: the tiles of the campaign stand under the finding.
    """

    finding: str
    note: str
    rows: pd.DataFrame
    draw: Callable[..., go.Figure]
    options: dict[str, Any]
    warning: str = ""
    below: str = ""
    has_tiles: bool = False

    @property
    def has_figure(self) -> bool:
        """Whether there is something to draw."""
        return len(self.rows) > 0


def worked(uplift: pd.DataFrame, chosen: Chosen) -> Answer:
    """Return whether the campaign changed the chosen outcome."""
    shown = of(uplift, outcome=chosen.terms.outcome)
    row, said = of(shown, arm=chosen.terms.arm), {"progress": chosen.so_far, "currency": chosen.currency}
    return Answer(
        words.finding(row, arms=len(shown), **said),
        words.trust_note(row, **said),
        uplift if row["low"].notna().any() else uplift.head(0),
        uplift_dots,
        {"outcome": chosen.terms.outcome, "currency": chosen.currency},
        has_tiles=True,
    )


def paid(returns: pd.DataFrame, chosen: Chosen) -> Answer:
    """Return whether it brought more than it cost."""
    return Answer(
        words.paid_finding(returns, progress=chosen.so_far, currency=chosen.currency),
        words.cost_note(returns, sees_all=chosen.sees_all),
        returns,
        money_bars,
        {"attributed": chosen.credited, "currency": chosen.currency},
        below=words.credited_note(returns, chosen.credited, currency=chosen.currency),
    )


def whom(segments: pd.DataFrame, chosen: Chosen) -> Answer:
    """Return in which segments it is proven."""
    rows = of(segments, arm=chosen.terms.arm, by=chosen.by)
    return Answer(
        words.segments_finding(rows, progress=chosen.so_far, currency=chosen.currency),
        words.differ_note(rows),
        rows,
        segment_forest,
        {"arm": chosen.terms.arm, "by": chosen.by, "currency": chosen.currency},
        warning=words.reversal_note(rows, currency=chosen.currency),
        below=words.holm_note(rows),
    )


def enough(uplift: pd.DataFrame, chosen: Chosen) -> Answer:
    """Return what so many people can show."""
    rows = of(uplift, arm=chosen.terms.arm)
    row = of(rows, outcome=chosen.terms.outcome)
    return Answer(
        words.enough_finding(row, progress=chosen.so_far),
        words.power_note(row, lift=chosen.terms.lift),
        rows.dropna(subset=["smallest_lift"]),
        shown_lifts,
        {"arm": chosen.terms.arm},
        below=words.cuped_note(row, days=None if chosen.is_recorded else chosen.terms.covariate_days),
    )


def known_since(looks: pd.DataFrame, chosen: Chosen) -> Answer:
    """Return since which day it is shown, however often one looked."""
    return Answer(
        more_words.looks_finding(looks, progress=chosen.so_far, currency=chosen.currency),
        more_words.looks_note(looks),
        looks,
        looks_band,
        {"currency": chosen.currency},
    )


def ranked(ranking: pd.DataFrame, chosen: Chosen) -> Answer:
    """Return where the campaign stands among the others."""
    money = {"currency": chosen.currency}
    options = {"campaign": chosen.terms.campaign, "arm": chosen.terms.arm, **money}
    return Answer(
        more_words.ranking_finding(ranking, **options),
        more_words.ranking_note(ranking, **money),
        ranking.assign(shown_name=more_words.ranked_names(ranking)),
        ranking_dots,
        options,
    )


def compared(adjusted: pd.DataFrame, *, outcome: str, currency: str) -> Answer:
    """Return how chosen people differ from like ones. adjusted: rows of one campaign without a control group; see credit."""
    rows = of(adjusted, outcome=outcome)
    is_known = len(rows) and rows["difference"].notna().any()
    return Answer(
        adjusted_words.finding(rows, currency=currency),
        "",
        adjusted if is_known else adjusted.head(0),
        adjusted_dots,
        {"outcome": outcome, "currency": currency},
    )


class Question(NamedTuple):
    """One question: the table it takes, and what makes the answer of it."""

    table: Callable[..., pd.DataFrame]
    answer: Callable[[pd.DataFrame, Chosen], Answer]


QUESTIONS: dict[str, Question] = {  # by the name of the question
    "worked": Question(tables.uplift, worked),
    "paid": Question(tables.returns, paid),
    "whom": Question(tables.segments, whom),
    "enough": Question(tables.uplift, enough),
    "looks": Question(tables.looks, known_since),
    "ranking": Question(tables.ranking, ranked),
}

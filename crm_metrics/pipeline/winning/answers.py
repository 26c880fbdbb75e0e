"""The questions whose answer is a sentence, a figure and tables: what is asked, said and drawn for each."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from crm_metrics.pipeline.winning import figure, words
from crm_metrics.pipeline.winning.tables import (
    activities_before_moves,
    competitors,
    differences,
    factors,
    scorecard,
    scorecard_owners,
    scorecard_trend,
)


@dataclass(frozen=True)
class Answer:
    """table: what the sentence is made of. drawn: what the picture is, and the note above it. tables: what stands under it, by their
    names in labels.COLUMNS.
    """

    table: Callable[..., pd.DataFrame]
    find: Callable[[pd.DataFrame], str]
    drawn: Callable[..., pd.DataFrame]
    draw: Callable[[pd.DataFrame], go.Figure]
    tables: dict[str, Callable[..., pd.DataFrame]]
    is_known: Callable[[pd.DataFrame], bool] = lambda rows: len(rows) > 0
    note: Callable[[pd.DataFrame], str] = words.caution


ANSWERS: dict[str, Answer] = {
    "differences": Answer(
        differences,
        words.differences_finding,
        differences,
        figure.difference_dots,
        {"differences": differences},
        lambda rows: bool(rows["p_value"].notna().any()),
        words.differences_note,
    ),
    "competitors": Answer(
        competitors,
        words.competitor_finding,
        competitors,
        figure.competitor_dots,
        {"competitors": competitors},
        lambda rows: bool((rows["competitor"] != "").any()),
    ),
    "factors": Answer(factors, words.factors_finding, factors, figure.factor_dots, {"factors": factors}),
    "moves": Answer(
        activities_before_moves,
        words.moves_finding,
        activities_before_moves,
        figure.move_dots,
        {"moves": activities_before_moves},
        lambda rows: bool(rows["rate_ratio"].notna().any()),
    ),
    "scorecard": Answer(
        scorecard,
        words.scorecard_finding,
        scorecard_trend,
        figure.scorecard_trend,
        {"scorecard": scorecard, "owners": scorecard_owners, "quarters": scorecard_trend},
    ),
}

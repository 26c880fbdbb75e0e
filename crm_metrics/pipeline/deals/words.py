"""What limits the deals, in words."""

from typing import Any

import pandas as pd

from crm_metrics.export import safe_text
from crm_metrics.language import t


def basis_note(basis: pd.DataFrame, *, has_period: bool = True) -> str:
    """Return which deals stay in without a day of creation, and how many have no value. basis: the table deal_basis."""
    known, texts = basis.iloc[0], []
    values = {"n": f"{known['deals']:,}", "undated": f"{known['undated']:,}", "unvalued": f"{known['unvalued']:,}"}
    if known["undated"] and has_period:
        texts.append(t("{undated} of {n} deals have no day of creation: they stay in, whatever the period.", **values))
    if known["unvalued"]:
        texts.append(t("{unvalued} of {n} deals have no known value: they are counted, and left out of every sum.", **values))
    return t(" ").join(texts)


def history_note(basis: pd.DataFrame) -> str:
    """Return how many deals have no history and what it would add; "" where all have one. basis: the table deal_basis."""
    known = basis.iloc[0]
    missing = int(known["held"] - known["held_with_history"])
    if not missing:
        return ""
    values = {"missing": f"{missing:,}", "n": f"{known['held']:,}"}
    every = t("None of the deals has a stage history: only today's stage and the end are known.")
    some = t("{missing} of {n} deals have no stage history: of them only today's stage and the end are known.", **values)
    adds = t(
        "The history of stages would add in which stage deals are lost, which they skip or go back to, how long each takes, and the "
        "pipeline of any past day."
    )
    return t(" ").join([every if missing == known["held"] else some, adds])


def pipelines_note(pipelines: pd.DataFrame) -> str:
    """Return of which pipeline is told what is told by stage; "" where there is one. pipelines: the table deal_pipelines."""
    known = pipelines[pipelines["pipeline"].notna()]
    if len(known) < 2:
        return ""
    if known["is_shown"].all():
        return t("These deals run through {k} pipelines, whose stages stand together; choose one under Deals.", k=len(known))
    largest: Any = known.iloc[0]
    values = {"n": f"{largest['deals_of_period']:,}", "all": f"{pipelines['deals_of_period'].sum():,}"}
    return t(
        "These deals run through {k} pipelines: all that is told by stage is of {name}, the one of most deals on all dates ({n} of the "
        "{all} of this period). Choose another under Deals.",
        k=len(known),
        name=safe_text(largest["pipeline"]),
        **values,
    )

"""Whether arms are of the sizes that were drawn, what looking every day does, and where a campaign stands among the others, in words."""

from typing import Any

import pandas as pd

from crm_metrics.campaign_roi.result.labels import arm_label, difference_text, of, outcome_label, p_text
from crm_metrics.campaign_roi.result.terms import OUTCOMES
from crm_metrics.export import safe_text
from crm_metrics.language import t
from crm_metrics.metric import is_unknown, value_text

_NEARLY_EQUAL = 0.05  # of the people: arms further off were hardly planned to be of one size


def plan_doubt(arms: pd.DataFrame, equal: pd.DataFrame) -> str:
    """Return that arms of nearly one size are not what a draw of equal ones gives, where no plan is recorded; "" where nothing is odd.

    arms: the campaign's rows of the table; equal: the same held to equal sizes.
    """
    off = (equal["share"] - equal["planned_share"]).abs().max()
    if arms["planned_share"].notna().any() or not equal["is_faulty"].any() or off > _NEARLY_EQUAL:
        return ""
    parts = [f"{safe_text(arm_label(arm))} {value_text(share, 'share')}" for arm, share in zip(equal["arm"], equal["share"], strict=True)]
    return t(
        "Were the arms drawn to be of one size? Then the data are faulty: {parts} ({p}), people have dropped out of one arm. No plan is "
        "recorded; if it was so, choose equal sizes in the settings, and the result is hidden.",
        parts=t(", ").join(parts),
        p=p_text(float(equal["p_value"].iloc[0])),
    )


def looks_finding(looks: pd.DataFrame, *, progress: str, currency: str) -> str:
    """Return since which day it is shown, however often one looked. looks: the table of this name."""
    if looks.empty:
        return t("This campaign's outcomes are not recorded by day, so it can't be said when it was clear.")
    last: Any = list(looks.itertuples())[-1]
    shown = looks[looks["is_shown"].astype(bool)]
    unit = OUTCOMES[last.outcome]
    values = {"low": difference_text(last.low, unit, currency), "high": difference_text(last.high, unit, currency)}
    label, looked = outcome_label(last.outcome), f"{last.looks:,}"
    if shown.empty:
        return progress + t(
            "{outcome}: not proven; at check {looks}, one a day, the bounds that hold at every check still include zero ({low} to {high}).",
            outcome=label,
            looks=looked,
            **values,
        )
    return progress + t(
        "{outcome}: proven since day {day}, however often it was checked; the interval at check {looks} is {low} to {high}.",
        outcome=label,
        day=f"{shown['day'].iloc[0]:,}",
        looks=looked,
        **values,
    )


def looks_note(looks: pd.DataFrame) -> str:
    """Return on how many days a plain interval would have found something."""
    if looks.empty:
        return ""
    found = ((looks["plain_low"] > 0) | (looks["plain_high"] < 0)).sum()
    return t(
        "The plain interval of a single look leaves zero out on {found} of {days} days. Stopping at the first such day would find an "
        "effect in one of four campaigns that do nothing.",
        found=f"{found:,}",
        days=f"{len(looks):,}",
    )


def ranking_finding(ranking: pd.DataFrame, *, campaign: str, arm: str, currency: str) -> str:
    """Return where a campaign stands among all that are about money. ranking: the table of this name."""
    found = of(ranking, campaign=campaign, arm=arm)
    if found.empty:
        return t("Campaigns are ranked by money per person. Choose an outcome in money, of a campaign without faulty data.")
    row: Any = next(found.itertuples())
    return t(
        "Rank {place} of {n}: {shrunk} per person after shrinkage, {measured} as measured; chance to be the best {chance}.",
        place=f"{row.place:,}",
        n=f"{len(ranking):,}",
        shrunk=_money(row.shrunk_uplift, currency),
        measured=_money(row.uplift, currency),
        chance=value_text(row.chance_best, "share"),
    )


def ranking_note(ranking: pd.DataFrame, *, currency: str) -> str:
    """Return what all campaigns have in common; "" of one alone."""
    if len(ranking) <= 1 or is_unknown(ranking["between"].iloc[0]):
        return ""
    row: Any = next(ranking.itertuples())
    return t(
        "On average campaigns bring {mean} per person; what they truly bring differs by {between} (standard deviation).",
        mean=_money(row.mean_uplift, currency),
        between=value_text(row.between, "money_per_customer", currency),
    )


def ranked_names(ranking: pd.DataFrame) -> list[str]:
    """Return the names of the rows of the table ranking: the campaign's, and the arm's where it has several."""
    several = ranking["campaign"].duplicated(keep=False)
    keys = zip(ranking["campaign"], ranking["campaign_name"], strict=True)
    names = [str(key) if is_unknown(name) else str(name) for key, name in keys]
    return [f"{arm_label(arm)} · {name}" if more else name for name, arm, more in zip(names, ranking["arm"], several, strict=True)]


def _money(value: float, currency: str) -> str:
    return difference_text(value, "money_per_customer", currency, signed=True)

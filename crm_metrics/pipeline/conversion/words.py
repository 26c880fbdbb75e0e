"""The findings of this part in words, made from its tables, and what goes with its figures."""

from typing import Any

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import noop, t
from crm_metrics.metric import Metric, is_unknown, value_text
from crm_metrics.pipeline.conversion.figure import END, at_age
from crm_metrics.pipeline.conversion.labels import BYS, basis_name, cohort_name, cohort_names, ending_name
from crm_metrics.pipeline.conversion.metrics import (
    DAYS_TO_WIN,
    LEADS_CONVERTED,
    METRICS,
    SLOWEST_STAGE_DAYS,
    STALLED_DEALS,
    STALLED_VALUE,
    WON_AS_FAR_AS_FOLLOWED,
    WON_WITHIN_90_DAYS,
)
from crm_metrics.pipeline.conversion.statistic import slowest
from crm_metrics.pipeline.conversion.terms import AGES, PERIODS, CohortBy
from crm_metrics.pipeline.deals.words import history_note, pipelines_note

QUESTIONS: dict[str, str] = {
    "cohorts": noop("Conversion by cohort"),
    "cycle": noop("Days to close"),
    "leads": noop("Leads to customers"),
    "stages": noop("Time in stage"),
    "stalled": noop("Stalled deals"),
}
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "cohorts": noop("Rising curves: share of the deals of each cohort that are won, by days since creation; the newest cohort is marked."),
    "naive": noop("Points with intervals by cohort: share won by one age, and beside it in grey the share won so far."),
    "leads": noop("Rising curves: share of the leads of each cohort that became customers, by days since they came."),
    "naive_leads": noop("Points with intervals by cohort of leads: share that became customers by one age; dotted lines at 40 and 60%."),
    "cycle": noop("Stacked areas: shares of deals won, still open and lost, by days since creation."),
    "stages": noop("A range per stage: days by which half and 90% of stays have ended, with the mean of ended stays in grey."),
    "stage_lines": noop("Falling curves: share of stays in each stage that last longer, by days."),
    "stalled": noop("Bars: stalled deals by stage, of how many are open."),
}
_COHORTS = noop(
    "A deal belongs to the cohort of its creation, never of its closing. It counts for as long as it was followed: won and lost rule each "
    "other out, so the share won by an age is estimated by Aalen and Johansen (1978), with its 95% interval (delta method, log -log). "
    "Kaplan-Meier would take a lost deal for one that might still be won, and promise far more. Won so far / all created counts young open "
    "deals as not won, which makes young cohorts look worse. A reopened deal is open again: only its last closing counts. Left out: deals "
    "whose day of creation, or of closing, is unknown. Dashed: known of fewer than half of the cohort's deals, or than 30. Not drawn: "
    "cohorts under 30, and more than the 24 latest or largest; the table holds all."
)
_LEADS = noop(
    "A lead belongs to the cohort of the day it came, not of the day it became a customer. One that has become none counts for as long as "
    "it was followed (Kaplan and Meier, 1958; an unqualified lead counts as not converted). Dotted lines: the 40% and 60% of leads that "
    "Quick & Reilly reported before and after its CRM. Leads that came on an unknown day are left out."
)
_STAGES = noop(
    "Each stay in a stage counts: a deal that comes back to a stage stays there a second time, and a stage that is skipped has none. A "
    "stay that is not over counts for as long as seen, so that slow deals are not left out as in the mean of ended stays. Days by Kaplan "
    "and Meier (1958) until the stay ends in any way; the share passed by Aalen and Johansen (1978) beside lost and gone back. A stay gone "
    "back from is not passed and a skipped stage has no stay to pass, so that fewer stays are passed than deals pass the stage: the share "
    "of deals stands on Pipeline. Of the deals that began in the period. Faded: under 30 stays; dashed: under 30 last so long."
)
NOTES: dict[str, str] = {  # by the name of the figure or table
    "cohorts": _COHORTS,
    "leads": _LEADS,
    "cycle": noop(
        "At each age all deals created in the period are won, lost or open; what will become of young ones is told by those that were "
        "followed longer (Aalen and Johansen, 1978). Means and medians are of the deals that end so, as far as they were followed; of the "
        "closed ones alone they are too short while slow deals are open. Interval of the mean: 95%."
    ),
    "stages": _STAGES,
    "stalled": noop(
        "Open deals, whenever created, that have been in their stage for longer than 90% of all stays in it, of all deals whenever "
        "created: about one stay in ten gets there. Where it is unknown when a deal entered its stage, days since creation "
        "against those by which 90% of deals are closed."
    ),
}
DRAWN: dict[str, tuple[Metric, ...]] = {  # by the name of the figure
    "cohorts": (WON_WITHIN_90_DAYS, WON_AS_FAR_AS_FOLLOWED),
    "cycle": (DAYS_TO_WIN,),
    "leads": (LEADS_CONVERTED,),
    "stages": (SLOWEST_STAGE_DAYS,),
    "stalled": (STALLED_DEALS, STALLED_VALUE),
}
_captions = Captions(ALT_TEXTS, NOTES, DRAWN)
about = _captions.about
NAIVE = {"cohorts": "naive", "leads": "naive_leads"}
"""The second figure of a question, by the first."""
_SPOKEN_OF = 180  # days: an age that most deals are closed by

# ── what can be chosen ──────────────────────────────────────────────────────────────────────────────────────────────────


def questions() -> dict[str, str]:
    """Return the questions of the page."""
    return {name: t(label) for name, label in QUESTIONS.items()}


def bys(basis: pd.DataFrame) -> dict[str, str]:
    """Return by what cohorts can be made: periods, and what is known of these deals or leads. basis: conversion_basis or lead_basis."""
    known = basis.iloc[0]
    return {by: t(label) for by, label in BYS.items() if by in PERIODS or known.get(by, 0)}


def ages(rows: pd.DataFrame, by: CohortBy) -> dict[str, str]:
    """Return the ages that can be chosen, first the one that is spoken of. rows: the table `cohorts` or `lead_conversion`."""
    first, _ = _spoken_of(rows, by)
    known = rows[rows[_measure(rows)].notna() & ~rows["is_end"].astype(bool)]["age_days"].unique()
    return {str(age): t("within {n} days", n=age) for age in sorted(known) if age >= first} | {END: t("as far as followed")}


def _measure(rows: pd.DataFrame) -> str:
    return "won_share" if "won_share" in rows else "converted_share"


def shown_metrics(tiles: pd.DataFrame) -> tuple[Metric, ...]:
    """Return whose tiles are shown: those that are known; the value stands under the stalled deals. tiles: conversion_tiles."""
    known = set(tiles.loc[tiles["value"].notna(), "metric"]) - {STALLED_VALUE.name}
    return tuple(metric for metric in METRICS if metric.name in known)


def tile_notes(tiles: pd.DataFrame, times: pd.DataFrame, cycle: pd.DataFrame, *, currency: str) -> dict[str, str]:
    """Return the small lines under tiles. tiles, times, cycle: the tables conversion_tiles, stage_times and cycle."""
    rows: dict[str, Any] = {str(row.metric): row for row in tiles.itertuples()}
    value, deals = rows[STALLED_VALUE.name].value, rows[STALLED_DEALS.name].n
    worth = "" if is_unknown(value) or not value else value_text(value, "money", currency)
    return {
        WON_AS_FAR_AS_FOLLOWED.name: t("{share} still open then", share=value_text(1 - cycle["share"].sum(), "share")),
        DAYS_TO_WIN.name: t("open ones counted"),
        SLOWEST_STAGE_DAYS.name: str(slowest(times)["stage_name"]),
        STALLED_DEALS.name: t("of {n} open; worth {value}", n=f"{deals:,}", value=worth) if worth else t("of {n} open", n=f"{deals:,}"),
    }


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(tiles: pd.DataFrame) -> str:
    """Return the page's finding. tiles: the table conversion_tiles."""
    rows: dict[str, Any] = {str(row.metric): row for row in tiles.itertuples()}
    end, soon, half = (rows[metric.name] for metric in (WON_AS_FAR_AS_FOLLOWED, WON_WITHIN_90_DAYS, DAYS_TO_WIN))
    if not end.n:
        return t("No deal created in the period on a known day matches the filters.")
    if end.n < FEW_CUSTOMERS:
        return t("Deals created in the period on a known day: {n}, too few for a share.", n=f"{end.n:,}")
    values = {"n": f"{end.n:,}", "end": value_text(end.value, "share"), "soon": value_text(soon.value, "share")}
    with_soon = noop("Of {n} deals created, {end} are won as far as they were followed, {soon} within 90 days.")
    alone = noop("Of {n} deals created, {end} are won as far as they were followed.")
    parts = [t(alone if is_unknown(soon.value) else with_soon, **values)]
    if not is_unknown(half.value):
        parts.append(t("Half of the wins take {days} or less.", days=value_text(half.value, "days")))
    return t(" ").join(parts)


def basis_note(basis: pd.DataFrame, pipelines: pd.DataFrame) -> str:
    """Return which deals are in no cohort, through how many pipelines they run, and which have no history and what it would add.

    basis, pipelines: the tables conversion_basis and deal_pipelines.
    """
    state, texts = basis.iloc[0], []
    if state["undated"]:
        texts.append(t("Deals without a day of creation, which are in no cohort: {n}.", n=f"{state['undated']:,}"))
    if state["unclosed"]:
        texts.append(t("Deals closed on an unknown day, which are left out: {n}.", n=f"{state['unclosed']:,}"))
    if state["backwards"]:
        texts.append(t("Deals closed before the day of their creation, which count as closed on it: {n}.", n=f"{state['backwards']:,}"))
    return t(" ").join(text for text in (*texts, pipelines_note(pipelines), history_note(basis)) if text)


def cohort_finding(rows: pd.DataFrame, by: CohortBy) -> str:
    """Return how the newest cohort does beside the one before, of groups the best and the worst. rows: cohorts or lead_conversion."""
    share, of_deals = _measure(rows), "won_share" in rows
    if not len(rows):
        return t("No deal created in the period on a known day matches the filters.") if of_deals else _no_leads()
    age, known = _spoken_of(rows, by)
    if len(known) < 2:
        return t("No two cohorts of 30 or more were followed long enough to be compared.")
    first, other = (known.iloc[-1], known.iloc[-2]) if by in PERIODS else _extremes(known, share)
    text = {
        (True, True): noop("Within {age} days {share} of the deals of {name} are won (95%: {low} to {high}); of {other} {before}."),
        (True, False): noop(
            "Within {age} days {share} of the leads of {name} became customers (95%: {low} to {high}); of {other} {before}."
        ),
        (False, True): noop("Within {age} days most are won of {name}: {share} (95%: {low} to {high}); fewest of {other}: {before}."),
        (False, False): noop(
            "Within {age} days most leads of {name} became customers: {share} (95%: {low} to {high}); fewest of {other}: {before}."
        ),
    }[by in PERIODS, of_deals]
    low, high = value_text(first["low"], "share"), value_text(first["high"], "share")
    return t(
        text, age=age, share=value_text(first[share], "share"), name=_name(first, by), low=low, high=high, other=_name(other, by),
        before=value_text(other[share], "share"),
    )  # fmt: skip


def _no_leads() -> str:
    return t("No lead that came in the period on a known day matches the filters, or of none a conversion is recorded.")


def _spoken_of(rows: pd.DataFrame, by: CohortBy) -> tuple[int, pd.DataFrame]:
    """Return an age that large cohorts can be compared at, and these cohorts: up to _SPOKEN_OF, of periods the last that the newest was
    followed to, of groups the last that most were.
    """
    is_read = ~rows["is_small"].astype(bool) & ~rows["is_end"].astype(bool) & (rows["age_days"] <= _SPOKEN_OF)
    large = rows[is_read & rows[_measure(rows)].notna()]
    if not len(large):
        return AGES[0], large
    number = large["age_days"].value_counts()
    of_newest = large.loc[large["cohort"] == large["cohort"].iloc[-1], "age_days"]
    age = int(of_newest.max() if by in PERIODS else number.index[number == number.max()].max())
    return age, large[large["age_days"] == age]


def _extremes(known: pd.DataFrame, share: str) -> tuple[Any, Any]:
    ranked = known.sort_values(share, kind="stable")
    return ranked.iloc[-1], ranked.iloc[0]


def _name(row: Any, by: CohortBy) -> str:
    return safe_text(cohort_name(row["cohort"], row["cohort_name"], by))


def naive_finding(rows: pd.DataFrame, by: CohortBy, age: str) -> str:
    """Return how much worse the newest cohort looks when young ones are counted as not won. rows: cohorts or lead_conversion."""
    share = _measure(rows)
    known = at_age(rows, age)
    known = known[known[share].notna() & ~known["is_small"].astype(bool)]
    if not len(known):
        return t("No cohort of 30 or more was followed so long.")
    gaps = known[share] - known["naive_share"]
    worst = known.iloc[int(gaps.argmax())]
    if gaps.max() < _GAP:
        return t("Counting open ones that are younger as none changes no cohort by half a point at this age.")
    return t(
        "{name} looks like {naive} when its open ones count as none; counted for as long as followed it is {share}.",
        name=_name(worst, by), naive=value_text(worst["naive_share"], "share"), share=value_text(worst[share], "share"),
    )  # fmt: skip


_GAP = 0.005


def cycle_finding(cycle: pd.DataFrame) -> str:
    """Return how long a win and a loss take. cycle: the table of this name."""
    won, lost = cycle.iloc[0], cycle.iloc[1]
    if not won["deals"] and not lost["deals"]:
        return t("No deal created in the period has been closed.")
    if not won["deals"]:
        return t(
            "No deal created in the period is won yet; half of the losses take {lost} or less.",
            lost=value_text(lost["median_days"], "days"),
        )
    return t(
        "Half of the wins take {won} or less, on average {mean}; half of the losses {lost}. Of the deals closed so far alone a win would "
        "seem to take {naive} on average.",
        won=value_text(won["median_days"], "days"), mean=value_text(won["mean_days"], "days"), lost=value_text(lost["median_days"], "days"),
        naive=value_text(won["ended_mean_days"], "days"),
    )  # fmt: skip


def stage_finding(times: pd.DataFrame) -> str:
    """Return which stage is the slowest and which passes the fewest. times: the table stage_times."""
    if not len(times):
        return t("When deals entered their stages is not known here.")
    slow, large = slowest(times), times[~times["is_small"].astype(bool)]
    if not slow["stays"]:
        return t("No stage has 30 stays or more: too few to say how long they take.")
    tight = large.iloc[int(large["passed_share"].astype(float).argmin())]
    return t(
        "{slow} takes longest: half of the stays end within {half}, 90% within {last}. Fewest stays are passed in {tight}: {share}.",
        slow=safe_text(str(slow["stage_name"])), half=value_text(slow["median_days"], "days"), last=value_text(slow["p90_days"], "days"),
        tight=safe_text(str(tight["stage_name"])), share=value_text(tight["passed_share"], "share"),
    )  # fmt: skip


def slowest_name(times: pd.DataFrame) -> str:
    """Return the name of the slowest stage. times: the table stage_times."""
    return str(slowest(times)["stage_name"])


def stalled_finding(stages: pd.DataFrame, *, currency: str) -> str:
    """Return how many deals have stalled, where, and what they are worth. stages: the table stalled_stages."""
    deals, late = int(stages["deals"].sum()), int(stages["stalled"].sum())
    if not deals:
        return t("No deal is open.")
    if stages["limit_days"].isna().all():
        return t("Too many deals stay open to say how long is too long: all {n} open deals, the longest first.", n=f"{deals:,}")
    if not late:
        return t("None of {n} open deals has stalled.", n=f"{deals:,}")
    worst, without = stages.iloc[int(stages["stalled"].argmax())], int(stages["stalled_without_value"].sum())
    if without == late:
        return t(
            "{late} of {n} open deals have stalled, of unknown value; most in {stage}: {most}.",
            late=f"{late:,}", n=f"{deals:,}", stage=safe_text(str(worst["stage_name"])), most=f"{worst['stalled']:,}",
        )  # fmt: skip
    text = t(
        "{late} of {n} open deals have stalled, worth {value}; most in {stage}: {most}.",
        late=f"{late:,}", n=f"{deals:,}", value=value_text(stages["stalled_value"].sum(), "money", currency),
        stage=safe_text(str(worst["stage_name"])), most=f"{worst['stalled']:,}",
    )  # fmt: skip
    return text + t(" ") + t("The value of {n} of them is unknown.", n=f"{without:,}") if without else text


# ── what is shown in tables, and what was clicked ───────────────────────────────────────────────────────────────────────


def in_words(rows: pd.DataFrame, by: CohortBy) -> pd.DataFrame:
    """Return rows of `cohorts` or `lead_conversion` as the page's table shows them: named, with remarks, no share of few."""
    shares = [name for name in ("won_share", "converted_share", "low", "high", "lost_share", "open_share", "naive_share") if name in rows]
    kept = {name: rows[name].mask(rows["is_small"].astype(bool)) for name in shares}
    return rows.assign(name=cohort_names(rows, by), state=[_state(row) for row in rows.itertuples()], **kept)


def _state(row: Any) -> str:
    remarks = [
        t("as far as followed") if row.is_end else "",
        t("some open ones are younger") if row.is_unfinished else "",
        t("too few for a share") if row.is_small else "",
    ]
    return t(", ").join(remark for remark in remarks if remark)


def cycle_in_words(cycle: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `cycle` with how the deals ended in words."""
    return cycle.assign(name=[ending_name(ending) for ending in cycle["ending"]])


def stalled_in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `stalled` with what their days count."""
    return rows.assign(counted=[basis_name(basis) for basis in rows["basis"]])

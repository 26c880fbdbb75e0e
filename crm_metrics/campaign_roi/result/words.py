"""A campaign's result in words, made from the tables."""

from datetime import date
from typing import Any, cast

import pandas as pd

from crm_metrics.campaign_roi.result.labels import (
    PROVEN_BELOW,
    arm_label,
    difference_text,
    level_text,
    measure_label,
    of,
    outcome_label,
    p_text,
    segment_label,
)
from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.language import noop, t
from crm_metrics.metric import Unit, is_unknown, value_text

QUESTIONS = {
    "worked": noop("Did it work?"),
    "paid": noop("Did it pay?"),
    "whom": noop("For whom did it work?"),
    "enough": noop("Was it big enough?"),
    "looks": noop("When was it clear?"),
    "ranking": noop("Compared with other campaigns"),
}
NAMED_SEGMENTS = 3
_NOTHING_GAINED = 0.005  # of the variance
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "worked": noop("Points with intervals: what the campaign changed per person, by arm and method, with a line at zero."),
    "paid": noop("Bars: money the campaign brought with its interval, what it cost, and what orders credit it with."),
    "whom": noop("Points with intervals: what the campaign changed per person in each segment, all together on top."),
    "enough": noop("Points over bands: the lift found of each outcome, and the lifts too small to detect."),
    "looks": noop("Line with a band: the difference by day, with the bounds that hold at every look and dashed those of one look."),
    "ranking": noop("Points with intervals: what every campaign changed per person after shrinkage, hollow as measured, the best first."),
    "compared": noop("Points: how chosen people differ from like people who were not chosen, unadjusted and adjusted."),
}
NOTES: dict[str, str] = {  # by the name of the figure
    "worked": noop(
        "Members drawn for the treated arm less members drawn for the control group, whether reached or not; who bought nothing counts "
        "0. Unadjusted: Welch's t (1947). Stratified: the difference within each stratum, by its share of members (Imbens and Rubin "
        "2015, chapter 9). Adjusted for earlier spend: CUPED (Deng, Xu, Kohavi and Walker 2013). Bootstrap: 95%, for skewed amounts. "
        "Hollow: the interval holds zero. Faded: intervals of so small an arm hold the truth too seldom. Choose the outcome before you "
        "look: of several, one may look proven by chance."
    ),
    "paid": noop(
        "Extra: the uplift per person times the people treated, so what would not have come without the campaign. Return: extra less "
        "cost, divided by cost. The chance of profit takes the cost as known and the extra from its t distribution. Part of what "
        "orders credit the campaign with would have come anyway."
    ),
    "whom": noop(
        "Segments use only what was known before the start. Filled: proven at 5%, adjusted for all segments (Holm 1979). Faded: few "
        "people. Dotted: all together. Whether the segments differ at all: Cochran's Q (1954)."
    ),
    "enough": noop(
        "Band: lifts that a test of these people detects with a chance of less than 80%, at a 5% chance of a false alarm, two-sided "
        "(Chow, Shao and Wang 2008). A lift inside it is no proof that the campaign did nothing."
    ),
    "looks": noop(
        "Band: bounds that hold at every look together, 95%, whenever one stops (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021; "
        "Waudby-Smith and others 2024). Dashed: the interval of one look alone. Each day counts what came by then."
    ),
    "ranking": noop(
        "The best of many was partly lucky: each is shrunk towards the mean of all (dotted), the more the less its test knows "
        "(empirical Bayes: DerSimonian and Laird 1986; Efron and Morris 1975). Hollow: as measured."
    ),
    "compared": noop(
        "The members were chosen, not drawn by lot. They are compared with people who could have been chosen, made alike in what is "
        "known from before the campaign. Whatever else led to the choice still differs, so this shows what goes with the campaign, not "
        "what it caused."
    ),
}
about = Captions(ALT_TEXTS, NOTES).about


def nothing() -> str:
    """Return what to bring in where no campaign is recorded."""
    return t(
        "No campaign with members has begun by this day. Import the campaigns and their members: one row per person, with the arm, and "
        "the customer or what the person spent."
    )


# ── did it work? ────────────────────────────────────────────────────────────────────────────────────────────────────────


def fault(arms: pd.DataFrame) -> str:
    """Return why nothing is shown of a campaign whose arms have not the sizes that were drawn. arms: its rows of the table."""
    parts = [
        t(
            "{arm} {share} in place of {planned}",
            arm=safe_text(arm_label(row.arm)),
            share=_share(row.share),
            planned=_share(row.planned_share),
        )
        for row in _each(arms)
    ]
    return t(
        "Data faulty: {parts}. By chance arms are so far off in fewer than one of a thousand campaigns ({p}). People have dropped out "
        "of one arm and not of the other, so a comparison would say who dropped out, not what the campaign did. No result is shown. "
        "Find out who is missing, and import the whole list.",
        parts=t("; ").join(parts),
        p=p_text(float(arms["p_value"].iloc[0])),
    )


def progress(campaign: pd.DataFrame, today: date | None) -> str:
    """Return how much of an unfinished campaign there is; "" of a finished one. campaign: its row of chosen_campaigns."""
    row = _first(campaign)
    if row.is_finished or today is None or is_unknown(row.started_on):
        return ""
    day = (pd.Timestamp(today) - pd.Timestamp(row.started_on)).days + 1
    if is_unknown(row.ends_on):
        return t("So far, day {day}: ", day=f"{day:,}")
    days = (pd.Timestamp(row.ends_on) - pd.Timestamp(row.started_on)).days + 1
    return t("So far, day {day} of {days}: ", day=f"{day:,}", days=f"{days:,}")


def finding(uplift: pd.DataFrame, *, progress: str, arms: int, currency: str) -> str:
    """Return whether the campaign worked. uplift: the row of one arm and outcome. arms: how many were treated."""
    row = _first(uplift)
    if is_unknown(row.uplift):
        return t("{outcome} is not known for both arms, so nothing can be compared.", outcome=outcome_label(row.outcome))
    unit = cast("Unit", row.unit)
    is_proven = row.p_value < PROVEN_BELOW
    values = {
        "outcome": outcome_label(row.outcome),
        "size": difference_text(abs(row.uplift) if is_proven else row.uplift, unit, currency, signed=not is_proven),
        "before": level_text(row.control_mean, unit, currency),
    }
    bounds = {"low": difference_text(row.low, unit, currency), "high": difference_text(row.high, unit, currency), "p": p_text(row.p_value)}
    if is_unknown(row.low):
        text = t("{outcome}: {size} against the control's {before}; too few data for an interval.", **values)
    elif not is_proven:
        text = t(
            "No effect is proven. {outcome}: {size} against the control's {before} (95%: {low} to {high}; {p}).",
            **values,
            **bounds,
        )
    elif row.uplift > 0:
        text = t("It worked. {outcome}: {size} more than the control's {before} (95%: {low} to {high}; {p}).", **values, **bounds)
    else:
        text = t("It did harm. {outcome}: {size} less than the control's {before} (95%: {low} to {high}; {p}).", **values, **bounds)
    arm = t("{arm}: ", arm=safe_text(arm_label(row.arm))) if arms > 1 else ""
    return progress + arm + text


def trust_note(uplift: pd.DataFrame, *, progress: str, currency: str) -> str:
    """Return what limits the result of one arm and outcome; "" where nothing does."""
    row = _first(uplift)
    parts = []
    if not is_unknown(row.p_value) and row.p_value >= PROVEN_BELOW and not is_unknown(row.smallest_uplift):
        least = difference_text(row.smallest_uplift, cast("Unit", row.unit), currency)
        parts.append(t("A change of {least} or more would have been detected with a chance of 80%; a smaller one may exist.", least=least))
    if row.p_value < PROVEN_BELOW and row.p_adjusted > row.p_value:
        parts.append(t("Adjusted for all arms: {p} (Holm 1979).", p=p_text(row.p_adjusted)))
    if progress:
        parts.append(t("Checking every day and stopping when it looks good finds effects that are not there: wait for the last day."))
    if row.is_rough or row.is_unreliable:
        parts.append(
            t(
                "Rough: with {n} in the smaller arm and amounts as uneven as these, 95% intervals hold the truth in {coverage} of trials.",
                n=f"{min(row.n, row.control_n):,.0f}",
                coverage=_share(row.coverage),
            )
        )
    if is_unknown(row.sample_ratio_p_value):
        parts.append(t("The planned sizes of the arms are not recorded, so it can't be checked whether people dropped out of one."))
    return t(" ").join(parts)


# ── did it pay? ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def paid_finding(returns: pd.DataFrame, *, progress: str, currency: str) -> str:
    """Return whether the campaign paid, one sentence for each treated arm. returns: its rows of the table."""
    if returns.empty:
        return t("This campaign records no money, only who visited or bought, so there is nothing to set against its cost.")
    several = len(returns) > 1
    sentences = []
    for row in _each(returns):
        text = _paid_sentence(row, currency)
        sentences.append(t("{arm}: ", arm=safe_text(arm_label(row.arm))) + text if several else text)
    return progress + t(" ").join(sentences)


def _paid_sentence(row: Any, currency: str) -> str:
    money = {name: value_text(getattr(row, name), "money", currency) for name in ("extra", "low", "high", "cost")}
    money["measure"] = measure_label(row.measure)
    if is_unknown(row.extra):
        return t("What it brought is not known.")
    if is_unknown(row.cost):
        return t(
            "It brought {extra} of extra {measure} (95%: {low} to {high}). Without a cost there is no return.",
            **_costless(money),
        )
    values = money | {"roi": _share(row.roi), "chance": _share(row.chance_of_profit)}
    if row.profit_low > 0:
        return t(
            "It paid: {extra} of extra {measure} (95%: {low} to {high}) for {cost}, a return of {roi}; chance of profit {chance}.",
            **values,
        )
    if row.profit_high < 0:
        return t(
            "It did not pay: {extra} of extra {measure} (95%: {low} to {high}) for {cost}, a return of {roi}; chance of profit {chance}.",
            **values,
        )
    return t(
        "Whether it paid is not proven: {extra} of extra {measure} (95%: {low} to {high}) for {cost}, a return of {roi}; chance of "
        "profit {chance}.",
        **values,
    )


def _costless(money: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in money.items() if name != "cost"}


def cost_note(returns: pd.DataFrame, *, sees_all: bool) -> str:
    """Return why there is no return on cost, and in which money it is counted where costs of goods are not known."""
    parts = []
    if len(returns) and returns["cost"].isna().all():
        parts.append(
            t("No cost is recorded, and dividing by no cost gives no return: import the spend.")
            if sees_all
            else t("You see some regions only, and a campaign's cost is not recorded by region: there is no return on cost.")
        )
    if len(returns) and returns["measure"].iloc[0] != "gross_margin":
        parts.append(t("Costs of goods are not known: the extra is {measure}, not margin, which would be less.", measure=_measure(returns)))
    return t(" ").join(parts)


def _measure(returns: pd.DataFrame) -> str:
    return measure_label(returns["measure"].iloc[0])


def credited_note(returns: pd.DataFrame, credited: float | None, *, currency: str) -> str:
    """Return the money between what orders credit a campaign with and what it brought; "" where one is unknown."""
    extra = returns["extra"].sum(min_count=len(returns)) if len(returns) else float("nan")
    if credited is None or is_unknown(credited) or is_unknown(extra):
        return ""
    values = {
        "credited": value_text(credited, "money", currency),
        "extra": value_text(extra, "money", currency),
        "between": value_text(abs(credited - extra), "money", currency),
        "measure": _measure(returns),
    }
    if credited > extra:
        return t(
            "Attributed to it: {credited} of {measure}. Incremental: {extra}. The {between} between them would have come without it.",
            **values,
        )
    return t("Attributed to it: {credited} of {measure}. Incremental: {extra}, {between} more than orders say.", **values)


def credited(campaigns: pd.DataFrame, campaign: str) -> float | None:
    """Return what orders credit a campaign with, in the money of its return; None where it is not known. campaigns: see credit."""
    found = of(campaigns, campaign=campaign)
    if found.empty:
        return None
    return float(found["attributed_margin" if found["measure"].iloc[0] == "gross_margin" else "attributed_revenue"].iloc[0])


# ── for whom? ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def segments_finding(segments: pd.DataFrame, *, progress: str, currency: str) -> str:
    """Return in which segments it is proven. segments: rows of one arm and way to tell segments."""
    if segments.empty:
        return t("Nothing is known about these people from before the campaign, so there are no segments.")
    unit, count = cast("Unit", segments["unit"].iloc[0]), f"{len(segments):,}"
    proven = segments[segments["is_proven"].astype(bool)]
    parts = [
        t(
            "{segment} {uplift}",
            segment=safe_text(segment_label(row.by, row.segment)),
            uplift=difference_text(row.uplift, unit, currency, signed=True),
        )
        for row in _each(proven.head(NAMED_SEGMENTS))
    ]
    if parts:
        text = t("Proven in {proven} of {n} segments: {parts} per person.", proven=f"{len(proven):,}", n=count, parts=t(", ").join(parts))
    else:
        text = t("Not proven in any segment (of {n}).", n=count)
    return progress + text


def differ_note(segments: pd.DataFrame) -> str:
    """Return whether the segments differ at all; "" where it can't be told."""
    if segments.empty:
        return ""
    p_value = float(segments["differ_p_value"].iloc[0])
    if is_unknown(p_value):
        return ""
    if p_value < PROVEN_BELOW:
        return t("A difference between the segments is proven ({p}).", p=p_text(p_value))
    return t("A difference between the segments is not proven ({p}): don't target by them.", p=p_text(p_value))


def holm_note(segments: pd.DataFrame) -> str:
    """Return how false findings among many segments are held back; "" of one segment."""
    if len(segments) <= 1:
        return ""
    return t(
        "{n} segments were tested. Even if the campaign did nothing, the chance that one of them looks proven would be {chance}; p is "
        "therefore adjusted for all of them (Holm 1979), so the chance of any false finding is at most 5%.",
        n=f"{len(segments):,}",
        chance=_share(1 - (1 - PROVEN_BELOW) ** len(segments)),
    )


def reversal_note(segments: pd.DataFrame, *, currency: str) -> str:
    """Return the warning of Simpson's paradox; "" where there is none."""
    if segments.empty or not segments["is_reversed"].astype(bool).any():
        return ""
    unit = cast("Unit", segments["unit"].iloc[0])
    return t(
        "Simpson's paradox: over all people the difference is {total} per person, within the segments it is {within}. The arms differ "
        "in their mix of segments; trust the figure within segments.",
        total=difference_text(float(segments["total_uplift"].iloc[0]), unit, currency, signed=True),
        within=difference_text(float(segments["weighted_uplift"].iloc[0]), unit, currency, signed=True),
    )


# ── big enough? ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def enough_finding(uplift: pd.DataFrame, *, progress: str) -> str:
    """Return what these people can show of one outcome and how many it would have taken. uplift: the row of one arm and outcome."""
    row = _first(uplift)
    if is_unknown(row.smallest_lift):
        return t("{outcome}: too few people or outcomes to say what lift could be detected.", outcome=outcome_label(row.outcome))
    people = f"{row.n + row.control_n:,.0f}"
    values = {"outcome": outcome_label(row.outcome), "n": people, "least": _share(row.smallest_lift), "lift": _share(row.lift)}
    text = t("{outcome}: a test of {n} people detects a lift of {least} or more; {lift} was found.", **values)
    if is_unknown(row.customers_needed) or row.customers_needed <= row.n + row.control_n:
        return progress + text
    needed = t("Detecting a lift of that size takes {needed} people.", needed=f"{row.customers_needed:,.0f}")
    return progress + text + t(" ") + needed


def power_note(uplift: pd.DataFrame, *, lift: float) -> str:
    """Return the chance that these people show a lift worth having. uplift: the row of one arm and outcome."""
    power = float(uplift["power"].iloc[0])
    if is_unknown(power):
        return ""
    return t("If a lift of {lift} is worth having: the chance to detect it was {power}.", lift=_share(lift), power=_share(power))


def cuped_note(uplift: pd.DataFrame, *, days: int | None) -> str:
    """Return what allowing for earlier spend gains. uplift: the row of one arm and outcome. days: None: it stands in a file."""
    reduction = float(uplift["variance_reduction"].iloc[0])
    if is_unknown(reduction):
        return t("Earlier spend of these people is not known, so it can't be adjusted for.")
    spent = t("What people spent before") if days is None else t("What people spent in the {days} days before", days=f"{days:,}")
    if reduction < _NOTHING_GAINED or reduction >= 1:
        return t("{spent} explains {share} of the variance: adjusting for it gains nothing.", spent=spent, share=_share(reduction))
    return t(
        "{spent} explains {share} of the variance: adjusting for it makes the interval {narrower} narrower, as {more} more people would.",
        spent=spent,
        share=_share(reduction),
        narrower=_share(1 - (1 - reduction) ** 0.5),
        more=_share(1 / (1 - reduction) - 1),
    )


def _first(frame: pd.DataFrame) -> Any:
    return next(frame.itertuples())


def _each(frame: pd.DataFrame) -> Any:
    return frame.itertuples()


def _share(share: float) -> str:
    return value_text(share, "share")

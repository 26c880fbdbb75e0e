"""The findings of this part in words, made from its tables, the reader's terms, and what was clicked."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import date_text, noop, t, translated
from crm_metrics.metric import is_unknown, value_text
from crm_metrics.retention.cohort.labels import BYS, MEASURES, MODES, MONEY_MODES, OF_COHORT, RELATIVES, age_text, cohort_name
from crm_metrics.retention.cohort.metrics import BACK_IN_MONTH_1, BACK_WITHIN_3_MONTHS, CUSTOMERS_WHO_CAME, METRICS
from crm_metrics.retention.cohort.terms import CohortCell, CohortGrain, CohortTerms

QUESTIONS: dict[str, str] = {
    "cohorts": noop("Cohorts"),
    "average": noop("Retention curve"),
    "trend": noop("Trend over cohorts"),
    "test": noop("Does a cohort differ?"),
}
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "cohorts": noop("Heat map: a row per cohort, a column per age; the darker, the higher. Unfinished cells are hatched."),
    "average": noop("Curve with its band: the rate of all cohorts together by age; the cohorts chosen beside it."),
    "trend": noop("Points with intervals: the rate at one age, cohort by cohort; a dotted line for all together."),
    "test": noop("Points with intervals: how far each cohort's rate lies from that of all others."),
}
_OLD_ENOUGH = noop(
    "All together: the sum over the cohorts whose period of that age is over, divided by the customers of these, not the mean of their "
    "rates. Each age is of other cohorts, so the curve can go up. Band: 95% (Wilson 1927). No rate is given for fewer than 30 "
    "customers."
)
NOTES: dict[str, str] = {  # by the name of the figure
    "cohorts": noop(
        "In the cells: % of the customers of the cohort, or what else is chosen; beside each name: its customers. Hatched: the period "
        "is not over, and is in no average. Faded: fewer than 30 customers, no rate is given. A click shows the customers. Drawn: the "
        "latest 24 periods or the 24 largest groups; the table holds all. All together, and groups: at each age only the customers old "
        "enough for it, so that even a cumulative rate can fall.\n\nA customer belongs to the period of the first purchase ever, and "
        "is in if that day lies in the period of the filters; purchases are followed up to the as-of date. Under a region, channel or "
        "category only purchases within it count, and a customer is in if one of them lies in the period of the first purchase, as "
        "with the new customers of Executive KPIs. Acquisition channel: as recorded of the customer. First category, product and "
        "campaign: those of the first purchase; of several in it the one that brought most. Sales without a customer are left out."
    ),
    "average": _OLD_ENOUGH,
    "trend": noop(
        "The same age of each cohort, with its 95% interval (Wilson 1927). Hollow: the period is not over, and is compared with none. "
        "Faded: fewer than 30 customers. Of groups the 24 largest are drawn."
    ),
    "test": noop(
        "The cohort's share of customers against that of all others together: Pearson's chi-square test, adjusted for as many tests as "
        "there are cohorts (Holm 1979), so that the chance of even one false finding is at most 5%. Interval of the difference: "
        "Newcombe (1998), for one cohort by itself. Filled: beyond chance. Hollow: may be chance. A difference says nothing about its "
        "cause: cohorts of different seasons differ by season too."
    ),
}
_FAR: dict[CohortGrain, int] = {"day": 30, "week": 12, "month": 12, "quarter": 4}
_NAMED = 3  # cohorts in a sentence

# ── the reader's terms ──────────────────────────────────────────────────────────────────────────────────────────────────


def questions() -> dict[str, str]:
    """Return the questions of the page."""
    return translated(QUESTIONS)


def bys(basis: pd.DataFrame) -> dict[str, str]:
    """Return by what cohorts can be made. basis: the table cohort_basis."""
    known = basis.iloc[0]
    return {name: t(label) for name, label in BYS.items() if known.get(name, name == "first_purchase")}


def measures(basis: pd.DataFrame) -> dict[str, str]:
    """Return what can be counted or added up."""
    return {name: t(label) for name, label in MEASURES.items() if name != "gross_margin" or basis.iloc[0].has_margin}


def modes(measure: str) -> dict[str, str]:
    """Return when what happened counts."""
    return translated(MODES if measure == "customers" else MONEY_MODES)


def relatives(measure: str) -> dict[str, str]:
    """Return what a rate can be relative to."""
    if measure == "customers":
        return translated({"first": OF_COHORT, "previous": RELATIVES["previous"]})
    return translated({name: RELATIVES[name] for name in ("customer", "first", "previous")})


def ages(average: pd.DataFrame, terms: CohortTerms) -> dict[int, str]:
    """Return the ages that can be chosen, by number: all that anybody is old enough for; the first only where it is no matter of course.

    average: the table cohort_average.
    """
    known = [int(age) for age in average["age"].to_list() if age or terms.mode == "on_or_before" or terms.measure != "customers"]
    return {age: age_text(age, terms) for age in sorted(known, key=lambda age: (age == 0, age))} or {1: age_text(1, terms)}


def names(rows: pd.DataFrame, terms: CohortTerms) -> dict[str, str]:
    """Return the cohorts by key, the latest period or the largest group first."""
    found = [str(cohort) for cohort in rows["cohort"].drop_duplicates()]
    return {cohort: cohort_name(cohort, terms) for cohort in (found[::-1] if terms.is_of_periods else found)}


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(tiles: pd.DataFrame) -> str:
    """Return the room's finding. tiles: the table of this name."""
    rows: dict[str, Any] = {str(row.metric): row for row in tiles.itertuples()}
    came, soon, again = (rows[metric.name] for metric in (CUSTOMERS_WHO_CAME, BACK_IN_MONTH_1, BACK_WITHIN_3_MONTHS))
    if not came.n:
        return t("No customer's first purchase lies in the period and matches the filters.")
    if not soon.n:
        return t("{n} new customers; the month after their first purchase is not over yet for any of them.", n=_n(came))
    values = {"soon": value_text(soon.value, "share"), "n": _n(soon)}
    if soon.n < FEW_CUSTOMERS:
        return t("The month after the first purchase is over for only {n} new customers: too few for a rate.", n=values["n"])
    if again.n < FEW_CUSTOMERS:
        return t("{soon} of {n} new customers bought again in the month after their first purchase.", **values)
    return t(
        "{again} of {old} new customers bought again by month 3; {soon} of {n} bought in month 1.",
        again=value_text(again.value, "share"),
        old=_n(again),
        **values,
    )


def customers_who_came(tiles: pd.DataFrame) -> int:
    """Return of how many customers the cohorts are. tiles: the table of this name."""
    return int(tiles.loc[tiles["metric"] == CUSTOMERS_WHO_CAME.name, "n"].iloc[0])


def _n(row: Any) -> str:
    return f"{row.n:,.0f}"


def basis_note(basis: pd.DataFrame) -> str:
    """Return what limits the cohorts of these filters. basis: the table cohort_basis."""
    state, texts = basis.iloc[0], []
    if is_unknown(state.first_on):
        return ""
    if state.from_on == state.first_on:
        day = date_text(state.first_on)
        texts.append(t("The data begin on {day}: earlier customers look new in the first cohort.", day=day))
    if not state.is_whole_history:
        texts.append(
            t("New customers made their first purchase ever in the period; purchases outside these filters do not count as coming back.")
        )
    return t(" ").join(texts)


def cohorts_finding(average: pd.DataFrame, terms: CohortTerms, *, currency: str) -> str:
    """Return what all cohorts together say: the rate soon and late. average: the table cohort_average."""
    readable = average[~average["is_small"] & average["rate"].notna() & (average["age"] > 0)]
    later = readable["age"].to_list()
    if not later:
        return t("No cohort is old enough yet, or it has too few customers.")
    chosen = dict.fromkeys((later[0], next((age for age in reversed(later) if age <= _FAR[terms.grain]), later[0])))
    texts = [_age_finding(readable[readable["age"] == age].iloc[0], terms, currency) for age in chosen]
    text = _sentence(t("; ").join(texts) + t("."))
    return text + t(" ") + t("It falls towards the end, where little time is left to come back.") if terms.mode == "on_or_after" else text


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _age_finding(row: Any, terms: CohortTerms, currency: str) -> str:
    of = row["base"] if terms.measure == "customers" else row["customers"]
    values = {"age": age_text(int(row["age"]), terms), "rate": value_text(row["rate"], terms.unit, currency), "n": f"{of:,.0f}"}
    if terms.measure != "customers":
        return t("{age}: {rate} ({n} customers old enough)", **values)
    if terms.relative_to == "previous":
        return t("{age}: {rate} of the {n} counted the period before", **values)
    return t("{age}: {rate} of the {n} customers old enough", **values)


def trend_finding(trend: pd.DataFrame, terms: CohortTerms, *, currency: str) -> str:
    """Return how the latest cohort did at one age beside all; of groups the best and the worst. trend: the table cohort_trend."""
    kept = trend[~trend["is_unfinished"] & ~trend["is_small"] & trend["rate"].notna()]
    if not len(kept):
        return t("No cohort is old enough yet, or it has too few customers.")
    by_rate, last = kept.sort_values("rate", kind="stable"), kept.iloc[-1]
    worst, best = by_rate.iloc[0], by_rate.iloc[-1]
    values = {"age": age_text(int(last["age"]), terms), "average": value_text(last["average"], terms.unit, currency)}
    if terms.is_of_periods:
        is_latest = last["cohort_on"] == trend.loc[~trend["is_unfinished"], "cohort_on"].max()
        latest = noop("{age}: {rate} in the latest complete cohort, {name}; {average} over all.")
        large = noop("{age}: {rate} in {name}, the latest complete cohort of 30 customers or more; {average} over all.")
        text = t(latest if is_latest else large, **values, **_named(last, terms, currency))
    elif len(kept) == 1:
        text = t("{age}: {rate} in {name}.", **values, **_named(last, terms, currency))
    else:
        high, low = _named(best, terms, currency), _named(worst, terms, currency)
        named = {"best": high["name"], "high": high["rate"], "worst": low["name"], "low": low["rate"]}
        text = t("{age}: highest in {best} ({high}), lowest in {worst} ({low}); {average} over all.", **values, **named)
    more_time = "" if terms.has_equal_time else t(" ") + t("Older cohorts had more time to come back, so they look better.")
    return _sentence(text) + more_time


def _named(row: Any, terms: CohortTerms, currency: str) -> dict[str, str]:
    return {"name": safe_text(cohort_name(row["cohort"], terms)), "rate": value_text(row["rate"], terms.unit, currency)}


def difference_finding(test: pd.DataFrame, terms: CohortTerms) -> str:
    """Return which cohorts differ from the others by more than luck explains. test: the table cohort_test."""
    if not terms.has_equal_time:
        return t("“Bought in it or later” can't be tested: older cohorts had more time to come back. Choose another way of counting.")
    tested = test[test["p_value"].notna()]
    if not len(tested):
        return t("No cohort can be tested: it takes two that are old enough, with enough customers who came back and who did not.")
    age, found = age_text(int(tested["age"].iloc[0]), terms), tested[tested["is_different"]].sort_values("p_value", kind="stable")
    values = {"age": age, "n": f"{len(tested):,}", "k": f"{len(found):,}"}
    if not len(found):
        return _sentence(t("{age}: none of the {n} cohorts tested differs from the others beyond chance.", **values))
    named = [
        t("{name} ({points} points)", name=safe_text(cohort_name(str(row.cohort), terms)), points=f"{_points(row):+.1f}")
        for row in found.head(_NAMED).itertuples()
    ]
    text = t("{age}: {k} of {n} cohorts differ from the others beyond chance: {names}.", **values, names=t(", ").join(named))
    return _sentence(text)


def _points(row: Any) -> float:
    return float(row.difference) * 100


# ── what is shown in tables, and what was clicked ───────────────────────────────────────────────────────────────────────


def in_words(rows: pd.DataFrame, terms: CohortTerms) -> pd.DataFrame:
    """Return rows of `cohorts` or `cohort_trend` as the page's table shows them: named, with remarks, no rate of few customers."""
    rates = rows[["rate", "low", "high"]].mask(rows["is_small"])
    return rows.assign(
        **{str(name): rates[name] for name in rates}, name=_names(rows, terms), state=[_state(row) for row in rows.itertuples()]
    )


def differences_in_words(test: pd.DataFrame, terms: CohortTerms) -> pd.DataFrame:
    """Return rows of `cohort_test` as the page's table shows them."""
    return test.assign(name=_names(test, terms), verdict=[_verdict(row) for row in test.itertuples()])


def _names(rows: pd.DataFrame, terms: CohortTerms) -> list[str]:
    known = {cohort: cohort_name(cohort, terms) for cohort in rows["cohort"].unique()}
    return [known[cohort] for cohort in rows["cohort"]]


def _state(row: Any) -> str:
    remarks = [
        t("not over") if row.is_unfinished else "",
        t("few customers") if row.is_small else "",
        t("part of the period only") if row.is_partial else "",
    ]
    return t(", ").join(remark for remark in remarks if remark)


def _verdict(row: Any) -> str:
    if is_unknown(row.p_value):
        return t("too few to test")
    return t("beyond chance") if row.is_different else t("may be chance")


def chosen_cell(rows: pd.DataFrame, picked: Sequence[str], chosen: Sequence[int]) -> CohortCell | None:
    """Return the cell that was clicked in the figure, else in the table; None if none was. rows: those of the table."""
    if picked:
        age, _, cohort = str(picked[0]).partition(" ")
        return CohortCell(cohort, int(age))
    return CohortCell(str(rows["cohort"].iloc[chosen[0]]), int(rows["age"].iloc[chosen[0]])) if chosen else None


def side_of(cell: CohortCell, side: str) -> CohortCell:
    """Return the cell's customers who are counted, or the others. side: a key of `sides`."""
    return replace(cell, is_counted=side == "counted")


def sides() -> dict[str, str]:
    """Return the two sides of a cell."""
    return {"counted": t("counted"), "others": t("not counted")}


def cell_text(cell: CohortCell, terms: CohortTerms) -> str:
    """Return the heading over the customers of a cell."""
    values = {"name": safe_text(cohort_name(cell.cohort, terms)), "age": age_text(cell.age, terms), "mode": t(MODES[terms.mode])}
    return t("Customers: {name}, {age}, {mode}", **values)


_CAPTIONS = Captions(ALT_TEXTS, NOTES, {"cohorts": METRICS[:2]})
about = _CAPTIONS.about

"""The findings of this part in words, made from its tables."""

from datetime import date
from typing import Any

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import date_text, noop, t, translated
from crm_metrics.metric import is_unknown, value_text
from crm_metrics.pipeline.deals import words as deal_words
from crm_metrics.pipeline.deals.query import LOST, WON
from crm_metrics.pipeline.people.figure import factors_text
from crm_metrics.pipeline.people.labels import BETTER, factor_text, in_words, measure_label
from crm_metrics.pipeline.people.metrics import CALLS_PER_PERSON_DAY, HIT_RATE, LEADS_PER_DAY, OVERDUE_TASKS, VELOCITY

QUESTIONS: dict[str, str] = {
    "people": noop("By person"),
    "teams": noop("By team"),
    "before_after": noop("Before and after the CRM"),
    "tasks": noop("Overdue tasks"),
    "velocity": noop("Velocity"),
}
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "people": noop("Dots with intervals: the shrunk win rate of each person, the best first; a ring at the rate itself."),
    "teams": noop("Dots with intervals: the shrunk win rate of each team, the best first; a ring at the rate itself."),
    "before_after": noop("Dots with intervals: each measure after the go-live as a multiple of before; diamonds: published cases."),
    "order_entry": noop("Lines: mean and median minutes to enter an order, by month."),
    "tasks": noop("Bars: overdue tasks of each person, most first."),
    "velocity": noop("Bars with intervals: pipeline velocity of each person in value a day, with its four factors."),
}
_SHRUNK = noop(
    "Win rate of closed deals: won / (won + lost), of the deals created in the period. Ring: the rate itself. Dot: the rate drawn to that "
    "of all by how few deals it rests on (Casella 1985; beta-binomial, the strength of the prior averaged over what the data allow), "
    "with its 95% interval. Rank: by the lower end of that interval, so that 2 won of 2 do not rank before 60 of 100. Green or red: "
    "differs from all others beyond chance (chi-square, Holm 1979); blue: may be chance. Faded: fewer than 30 closed deals. Deals are "
    "taken as independent of each other."
)
NOTES: dict[str, str] = {  # by the name of the figure
    "people": _SHRUNK,
    "teams": _SHRUNK,
    "before_after": noop(
        "All days up to today, whatever the period above; region, team and owner narrow it, and what concerns deals the other choices too. "
        "Calls, hits and leads: per person and day with calls. Leads that became customers: within 90 days of coming in. Deals won: "
        "within 180 days of creation, of all created; days to win: of these wins. Leads and deals not so old yet are in neither side, and "
        "each belongs to the side on which it was created. Won value from calls: by closing day, of deals whose lead belongs to somebody "
        "who calls. Tasks: by due day. Minutes of entry: by order day, from begin to booking, nights included. People who "
        "enter orders: counted, in the last week before and in the week to today, so without an interval; their cost: times the mean "
        "cost of an hour and 173 hours a month. Corrected: of the orders of which it is known. Satisfied: answers of 4 or 5 of 5; who is "
        "silent is not known, and customers have no team or owner here.\n\nIntervals of 95%: shares "
        "Wilson (1927), means Student, the median by its order statistics; factors Donner and Zou (2012). Dot: green, better "
        "beyond chance; red, worse; hollow: may be chance. Diamond: a published case."
    ),
    "order_entry": noop("Orders whose begin and end of entry are known. The last month can be unfinished."),
    "tasks": noop("Due today or earlier, whenever that was, and not done. As tasks stand; people as of today."),
    "velocity": noop(
        "Open deals today × mean value of a won deal × win rate of closed deals ÷ mean days from creation to winning. Value, win rate and "
        "days are of the deals created in the period. Lines: 95% intervals on the scale of logarithms, Student's for value and days "
        "together, Wilson's for the win rate (Zou and Donner 2008); the open deals are counted and certain. Faded, without interval: "
        "fewer than 30 closed deals. Velocities of people do not add up to that of all."
    ),
}
CAUTION = noop("Before and after prove no cause: seasons, the market and the mix of deals and people changed as well.")
_MISSING = {  # metric, what it takes
    CALLS_PER_PERSON_DAY.name: noop("calls"),
    OVERDUE_TASKS.name: noop("tasks"),
}
_NAMED = 3  # people or measures in a sentence


def questions() -> dict[str, str]:
    """Return the questions of the page."""
    return translated(QUESTIONS)


def roles(rows: pd.DataFrame) -> dict[str, str]:
    """Return the roles to choose from, all of them first. rows: the table people_detail."""
    return {"": t("All roles"), **{str(role): str(role) for role in sorted(rows["role"].dropna().unique())}}


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(rows: pd.DataFrame) -> str:
    """Return whether anybody is proven to win more or less than others, and who brought most. rows: people_detail or teams_detail."""
    ranked = in_words(rows[rows["rank"].notna()])
    if not len(ranked):
        return _of_calls(rows)
    closed, found = ranked["won"].sum() + ranked["lost"].sum(), ranked[ranked["is_different"]]
    values = {"all": value_text(float(ranked["won"].sum() / closed), "share"), "n": f"{closed:,.0f}", "k": f"{len(ranked):,}"}
    if len(ranked) == 1:
        text = t("{name}: {all} of {n} closed deals were won.", name=safe_text(ranked["name"].iloc[0]), **values)
    elif len(found):
        names = t(", ").join(safe_text(name) for name in found["name"].head(_NAMED))
        text = t(
            "{all} of {n} closed deals were won; of {k} compared, {found} beyond chance differ from the others: {names}.",
            found=len(found),
            names=names,
            **values,
        )
    else:
        text = t("{all} of {n} closed deals were won, with no proven differences among {k}.", **values)
    return text + _of_value(ranked)


def _of_value(ranked: pd.DataFrame) -> str:
    known = ranked[ranked["contribution"].notna()]
    if len(known) < 2:  # of one alone it is all
        return ""
    best = known.sort_values("contribution", kind="stable").iloc[-1]
    values = {"name": safe_text(best["name"]), "share": value_text(best["contribution"], "share")}
    return t(" ") + t("{name} brought most: {share} of the won value.", **values)


def _of_calls(rows: pd.DataFrame) -> str:
    calls, hits = (rows[name].sum(min_count=1) for name in ("calls", "hits"))
    if is_unknown(calls) or not calls:
        return t("No deal created in the period is closed, and nobody called.")
    return t(
        "No deal created in the period is closed. {calls} calls brought {hits} qualified leads.", calls=f"{calls:,.0f}", hits=f"{hits:,.0f}"
    )


def basis_note(tiles: pd.DataFrame, basis: pd.DataFrame) -> str:
    """Return what the tiles could not be made of, and which deals have no day or value. tiles, basis: people_tiles and deal_basis."""
    values = tiles.set_index("metric")["value"]
    missing = [t(text) for name, text in _MISSING.items() if is_unknown(values[name])]
    texts = [deal_words.basis_note(basis)]
    if missing:
        things = t(" or ").join(missing)
        texts.append(t("There are no {things} in the period or in these data; what rests on them is left empty.", things=things))
    return t(" ").join(text for text in texts if text)


def rank_note(rows: pd.DataFrame) -> str:
    """Return who ranks first, how strongly rates were drawn together, and what a click does. rows: the table people_detail."""
    ranked = in_words(rows[rows["rank"].notna()])
    if len(ranked) < 2:  # one alone has no rank
        return ""
    best = ranked.iloc[0]
    won = {"rate": value_text(best["win_rate_of_closed"], "share"), "n": f"{best['won'] + best['lost']:,.0f}"}
    first = t(
        "First by the lower end of the interval: {name}, at least {low} ({rate} of {n} closed).",
        name=safe_text(best["name"]),
        low=value_text(best["shrunk_low"], "share"),
        **won,
    )
    drawn = t("Drawn to the rate of all as if each had {n} more closed deals of that rate.", n=f"{best['prior_deals']:,.0f}")
    return t(" ").join([first, drawn, t("A click opens the deals of that person.")])


def change_finding(rows: pd.DataFrame, go_live_on: date) -> str:
    """Return what changed most surely since the go-live. rows: the table before_after."""
    day, found = date_text(go_live_on), rows[rows["factor_low"].notna() & ((rows["factor_low"] > 1) | (rows["factor_high"] < 1))]
    known = rows[rows["factor_low"].notna()]
    if not len(known):
        return t("Nothing is known of both sides of {day}.", day=day)
    better = found[[(row["factor"] > 1) == (BETTER[row["measure"]] == "higher") for row in found.to_dict("records")]]
    counts = {"day": day, "k": len(better), "n": len(known)}
    text = t("Since {day}, {k} of {n} measures are better than before, each beyond chance by itself.", **counts)
    named = known[known["measure"] == LEADS_PER_DAY.name]
    row: Any = (named if len(named) else known).iloc[0].to_dict()
    values = {"before": value_text(row["before"], row["unit"]), "after": value_text(row["after"], row["unit"])}
    return (
        text
        + t(" ")
        + t("{measure}: {before} → {after}, {factor}.", measure=measure_label(row["measure"]), factor=factor_text(row), **values)
    )


def tasks_finding(tasks: pd.DataFrame) -> str:
    """Return how many tasks are overdue, and how long. tasks: the table tasks_overdue."""
    if not len(tasks):
        return t("No task is overdue, or these data hold none.")
    days = value_text(float(tasks["days_overdue"].median()), "days")
    people = f"{tasks['employee_id'].nunique():,}"
    text = t(
        "Overdue tasks: {n}; people who have them: {people}; half are overdue for {days} or longer.",
        n=f"{len(tasks):,}",
        people=people,
        days=days,
    )
    closed = int(tasks["deal_outcome"].isin([WON, LOST]).sum())
    return text + t(" ") + t("{n} of them belong to deals that are closed.", n=f"{closed:,}") if closed else text


def task_wins_note(rows: pd.DataFrame) -> str:
    """Return whether deals whose tasks were done in time are won more often. rows: the table task_wins."""
    known = rows[rows["difference_low"].notna()]
    sure = known[(known["difference_low"] > 0) | (known["difference_high"] < 0)]
    of = t(
        "Closed deals created in the period, with a task in the stage that was due before they were closed: those all of whose tasks there"
        " were done by their day, beside the others. That they go together proves no cause."
    )
    if not len(sure):
        return t(" ").join([t("In none of {n} stages are they won at rates that differ beyond chance.", n=f"{len(known):,}"), of])
    names = t(", ").join(f"{safe_text(row['stage'])} ({row['difference'] * 100:+.1f})" for row in sure.to_dict("records"))
    found = t("Won at rates that differ beyond chance, each stage by itself, in points: {names}.", names=names)
    return t(" ").join([found, of])


def velocity_finding(rows: pd.DataFrame, *, currency: str) -> str:
    """Return the velocity of all together and its factors. rows: the table velocity."""
    every = rows.iloc[0]
    if is_unknown(every["velocity"]):
        return t("Velocity takes open deals, and deals created in the period that were won, with their value and both days.")
    value, low, high = (value_text(every[name], "money", currency) for name in ("velocity", "velocity_low", "velocity_high"))
    factors = factors_text(every, currency)
    if is_unknown(every["velocity_low"]):
        return t("The pipeline brings {value} a day, from too few won deals to say how surely: {factors}.", value=value, factors=factors)
    return t("The pipeline brings {value} a day (95%: {low} to {high}): {factors}.", value=value, low=low, high=high, factors=factors)


def entry_finding(rows: pd.DataFrame) -> str:
    """Return how long the entry of an order takes in the last month of enough orders. rows: the table order_entry."""
    last = rows[rows["orders"] >= FEW_CUSTOMERS].tail(1)
    if not len(last):
        return t("Fewer than 30 orders a month tell when their entry began and ended.")
    row = last.iloc[0]
    values = {"mean": f"{row['mean_minutes']:,.0f}", "median": f"{row['median_minutes']:,.0f}", "n": f"{row['orders']:,.0f}"}
    return t(
        "To enter an order took {median} minutes (median; mean {mean}) in the last month with 30 orders or more, over {n} orders.", **values
    )


_CAPTIONS = Captions(
    ALT_TEXTS, NOTES, {"before_after": (CALLS_PER_PERSON_DAY, HIT_RATE, LEADS_PER_DAY), "velocity": (VELOCITY,), "tasks": (OVERDUE_TASKS,)}
)
about = _CAPTIONS.about


def caution() -> str:
    """Return what before and after do not prove."""
    return t(CAUTION)

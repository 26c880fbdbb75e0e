"""What measures are called, and how the columns of the page's tables are headed and printed."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from crm_metrics.captions import known_columns
from crm_metrics.filters import UNKNOWN
from crm_metrics.language import noop, t, translated
from crm_metrics.metric import DASH, Better, Unit, change_text, is_unknown, value_text
from crm_metrics.pipeline.people.metrics import CALLS_PER_PERSON_DAY, HIT_RATE, LEADS_PER_DAY
from crm_metrics.pipeline.people.statistic import READ_FIRST

MEASURE_LABELS: dict[str, str] = {
    "calls_per_person_day": CALLS_PER_PERSON_DAY.label,
    "hit_rate": HIT_RATE.label,
    "leads_per_day": LEADS_PER_DAY.label,
    "lead_conversion": noop("Leads converted in 90 days, of all"),
    "win_rate": noop("Deals won in 180 days, of all"),
    "days_to_win": noop("Days to win, mean"),
    "telesales_share": noop("Won value that came from calls"),
    "tasks_on_time": noop("Tasks done by their day"),
    "order_entry_minutes": noop("Minutes to enter, mean"),
    "order_entry_median": noop("Minutes to enter, median"),
    "order_entry_staff": noop("People who enter orders"),
    "order_entry_cost": noop("Cost of order entry a month"),
    "orders_corrected": noop("Orders corrected after entry"),
    "satisfied_share": noop("Satisfied customers, of answers"),
}
BETTER: dict[str, Better] = {
    **dict.fromkeys(MEASURE_LABELS, "higher"),
    **dict.fromkeys(("days_to_win", "order_entry_minutes", "order_entry_median"), "lower"),
    **dict.fromkeys(("order_entry_staff", "order_entry_cost", "orders_corrected"), "lower"),
}
OUTCOMES: dict[str, str] = {"open": noop("still open"), "won": noop("won"), "lost": noop("lost")}
_PACE: dict[str, tuple[str, Any]] = {
    "value_per_won_deal": (noop("Value per won deal"), "money"),
    "value_low": (noop("value, 95% from"), "money"),
    "value_high": (noop("value, 95% to"), "money"),
    "days_to_win": (noop("Days to win, mean"), "days"),
    "days_low": (noop("days, 95% from"), "days"),
    "days_high": (noop("days, 95% to"), "days"),
    "velocity": (noop("Velocity, value a day"), "money"),
    "velocity_low": (noop("velocity, 95% from"), "money"),
    "velocity_high": (noop("velocity, 95% to"), "money"),
}
_RATES: dict[str, tuple[str, Any]] = {
    "calls": (noop("Calls"), "count"),
    "call_days": (noop("Days with calls"), "count"),
    "calls_per_person_day": (noop("Calls a day"), "ratio"),
    "hits": (noop("Hits"), "count"),
    "hit_rate": (noop("Hits / calls"), "share"),
    "hit_rate_low": (noop("hits / calls, 95% from"), "share"),
    "hit_rate_high": (noop("hits / calls, 95% to"), "share"),
    "leads_per_day": (noop("Hits a day"), "ratio"),
    "leads": (noop("Leads"), "count"),
    "qualified_leads": (noop("Qualified leads"), "count"),
    "activities": (noop("Activities"), "count"),
    "minutes": (noop("Minutes of activities"), "count"),
    "customers_per_day": (noop("Customers served a day"), "ratio"),
    "deals": (noop("Deals created"), "count"),
    "open": (noop("still open"), "count"),
    "open_value": (noop("Open pipeline"), "money"),
    "won_unvalued": (noop("Won, value unknown"), "count"),
    **_PACE,
    "orders": (noop("Orders of own customers"), "count"),
    "tasks_due": (noop("Tasks due"), "count"),
    "overdue_tasks": (noop("Overdue tasks"), "count"),
    "overdue_share": (noop("Overdue / due"), "share"),
}
_WINS: dict[str, tuple[str, Any]] = {
    "rank": (noop("Rank"), "count"),
    "won": (noop("Won deals"), "count"),
    "lost": (noop("Lost deals"), "count"),
    "win_rate_of_closed": (noop("Win rate of closed deals"), "share"),
    "win_rate_low": (noop("win rate, 95% from"), "share"),
    "win_rate_high": (noop("win rate, 95% to"), "share"),
    "win_rate_shrunk": (noop("Win rate, shrunk"), "share"),
    "shrunk_low": (noop("shrunk, 95% from"), "share"),
    "shrunk_high": (noop("shrunk, 95% to"), "share"),
    "p_adjusted": (noop("p, adjusted (Holm)"), "ratio"),
    "won_value": (noop("Won value"), "money"),
    "contribution": (noop("Share of all won value"), "share"),
}
_SCORES = {name: (_WINS | _RATES)[name] for name in dict.fromkeys((*READ_FIRST, *_WINS, *_RATES))}
_WHO: dict[str, tuple[str, Any]] = {"name": (noop("Person"), "text"), "team_name": (noop("Team"), "text")}
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "people": {**_WHO, **_SCORES, "role": (noop("Role"), "text")},
    "teams": {"team_name": (noop("Team"), "text"), "people": (noop("Number of people"), "count"), **_SCORES},
    "before_after": {
        "label": (noop("Measure"), "text"),
        "before_text": (noop("Before"), "text"),
        "before_n": (noop("n before"), "count"),
        "after_text": (noop("After"), "text"),
        "after_n": (noop("n after"), "count"),
        "change_text": (noop("Change"), "text"),
        "relative_text": (noop("Change, relative"), "text"),
        "factor": (noop("Factor"), "ratio"),
        "factor_low": (noop("factor, 95% from"), "ratio"),
        "factor_high": (noop("factor, 95% to"), "ratio"),
    },
    "cases": {
        "company_name": (noop("Published case"), "text"),
        "label": (noop("Measure"), "text"),
        "before_text": (noop("Before"), "text"),
        "after_text": (noop("After"), "text"),
        "change_text": (noop("Change"), "text"),
        "relative_text": (noop("Change, relative"), "text"),
        "factor": (noop("Factor"), "ratio"),
        "own_before_text": (noop("Before, here"), "text"),
        "own_after_text": (noop("After, here"), "text"),
        "own_change_text": (noop("Change, here"), "text"),
        "own_relative_text": (noop("Relative, here"), "text"),
        "own_factor": (noop("Factor, here"), "ratio"),
        "own_factor_low": (noop("here, 95% from"), "ratio"),
        "own_factor_high": (noop("here, 95% to"), "ratio"),
        "remark_text": (noop("Remark"), "long text"),
    },
    "velocity": {
        **_WHO,
        "open_deals": (noop("Open deals today"), "count"),
        **{name: _PACE[name] for name in ("velocity", "velocity_low", "velocity_high")},
        **{name: _WINS[name] for name in ("win_rate_of_closed", "win_rate_low", "win_rate_high")},
        **_PACE,
        "won": _WINS["won"],
        "closed": (noop("Closed deals"), "count"),
    },
    "order_entry": {
        "month_on": (noop("Month"), "day"),
        "orders": (noop("Orders of known entry"), "count"),
        "mean_minutes": (noop("Minutes, mean"), "ratio"),
        "median_minutes": (noop("Minutes, median"), "ratio"),
    },
    "tasks_overdue": {
        **_WHO,
        "subject": (noop("Task"), "text"),
        "stage": (noop("Stage"), "text"),
        "due_on": (noop("Due on"), "day"),
        "days_overdue": (noop("Days overdue"), "count"),
        "customer_id": (noop("Customer number"), "text"),
        "opportunity_id": (noop("Deal number"), "text"),
        "outcome_name": (noop("Deal today"), "text"),
        "task_id": (noop("Task number"), "text"),
    },
    "task_wins": {
        "stage": (noop("Stage"), "text"),
        "done_deals": (noop("Deals, all tasks done in time"), "count"),
        "done_rate": (noop("won of these"), "share"),
        "done_low": (noop("done, 95% from"), "share"),
        "done_high": (noop("done, 95% to"), "share"),
        "late_deals": (noop("Deals, some not"), "count"),
        "late_rate": (noop("won of those"), "share"),
        "late_low": (noop("not, 95% from"), "share"),
        "late_high": (noop("not, 95% to"), "share"),
        "difference": (noop("Difference in points"), "share"),
        "difference_low": (noop("difference, 95% from"), "share"),
        "difference_high": (noop("difference, 95% to"), "share"),
    },
}


def columns(table: str, frame: pd.DataFrame) -> dict[str, tuple[str, Any]]:
    """Return heading and unit of each column of a table as shown (a key of COLUMNS), without those that `frame` knows nothing of."""
    return known_columns(COLUMNS, table, frame)


def in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of people, teams, tasks or velocity with team_name and name (of a team the same): what they are called."""
    team = rows["team"].fillna(t("unknown"))
    name = rows["employee_name"].fillna(t("nobody")) if "employee_name" in rows else team
    if "is_all" in rows:
        team, name = team.mask(rows["is_all"], t("All")), name.mask(rows["is_all"], t("All"))
    outcome = {"outcome_name": rows["deal_outcome"].map(translated(OUTCOMES))} if "deal_outcome" in rows else {}
    return rows.assign(team_name=team, name=name, **outcome)


def person_key(row: Mapping[Any, Any]) -> str:
    """Return the person of a row of the table people_detail as the choices of deals name it; "" for a team."""
    if "employee_id" not in row:
        return ""
    return UNKNOWN if is_unknown(row["employee_id"]) else str(row["employee_id"])


def chosen_person(rows: pd.DataFrame, picked: list[str], chosen: list[int]) -> str:
    """Return the person of a mark that was clicked, else of a chosen row of the table; "" where nothing was. rows: of the table."""
    return picked[0] if picked else person_key(rows.iloc[chosen[0]].to_dict()) if chosen else ""


def changes_in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of before_after with label, before_text, after_text (both with their interval), change_text and relative_text."""
    return rows.assign(label=rows["measure"].map(measure_label), **_texts(rows, ""))


def cases_in_words(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of cases with company_name, label, remark_text, and texts as of changes_in_words for the case and one's own."""
    remarks = [t(remark) if remark else "" for remark in rows["remark"]]
    named = rows.assign(company_name=rows["company"].map(t), label=rows["measure"].map(measure_label), remark_text=remarks)
    return named.assign(**_texts(rows, ""), **_texts(rows, "own_"))


def measure_label(measure: str) -> str:
    """Return what a measure is called; a dash for none."""
    return t(MEASURE_LABELS[measure]) if measure else DASH


def _texts(rows: pd.DataFrame, prefix: str) -> dict[str, list[str]]:
    found: list[Any] = rows.to_dict("records")
    return {
        f"{prefix}before_text": [side_text(row, f"{prefix}before") for row in found],
        f"{prefix}after_text": [side_text(row, f"{prefix}after") for row in found],
        f"{prefix}change_text": [difference_text(row[f"{prefix}change"], row["unit"]) for row in found],
        f"{prefix}relative_text": [change_text(row[f"{prefix}relative"]) for row in found],
    }


def side_text(row: Mapping[str, Any], side: str) -> str:
    """Return the value of one side, with its interval where there is one."""
    unit: Unit = row["unit"]
    value = value_text(row[side], unit)
    low, high = (row.get(f"{side}_{bound}", float("nan")) for bound in ("low", "high"))
    if is_unknown(low) or is_unknown(high):
        return value
    return t("{rate} (95%: {low} to {high})", rate=value, low=value_text(low, unit), high=value_text(high, unit))


def difference_text(change: float, unit: Unit) -> str:
    """Return a difference with its sign: shares in percentage points."""
    if is_unknown(change):
        return DASH
    if unit == "share":
        return t("{points} points", points=f"{change * 100:+.1f}")
    return f"{change:+,.2f}" if unit == "ratio" else f"{'+' if change > 0 else ''}{value_text(change, unit)}"


def factor_text(row: Mapping[str, Any]) -> str:
    """Return the factor with its interval.

    >>> factor_text({"factor": 2.101, "factor_low": 1.8, "factor_high": float("nan")})
    '×2.10'
    """
    if is_unknown(row["factor"]):
        return DASH
    value = f"×{row['factor']:.2f}"
    if is_unknown(row["factor_low"]) or is_unknown(row["factor_high"]):
        return value
    return t("{rate} (95%: {low} to {high})", rate=value, low=f"{row['factor_low']:.2f}", high=f"{row['factor_high']:.2f}")

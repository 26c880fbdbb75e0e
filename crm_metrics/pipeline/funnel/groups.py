"""From cells of deals, leads and calls to groups: how far those of each get, and which win more than others."""

from typing import Any

import numpy as np
import pandas as pd

from crm_metrics.filters import UNKNOWN
from crm_metrics.pipeline.funnel.statistic import (
    CALLS,
    FEW_DEALS,
    MOST_UNKNOWN,
    Booleans,
    Step,
    before_rates,
    rates,
    steps_before,
    weights,
)
from crm_metrics.pipeline.funnel.terms import CALL_GROUPS, PERIODS, By, FunnelTerms
from crm_metrics.pipeline.winning.counts import compared

_KEYS = ["group", "group_name"]
_GROUP_COLUMNS = [
    *("group", "name", "deals", "won", "lost", "open", "win_rate_of_closed", "closed_low", "closed_high"),
    *("win_rate_of_all", "all_low", "all_high", "won_value", "unvalued_won", "is_small"),
    *("others_rate", "p_value", "p_adjusted", "is_different"),
]

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def named(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with their group and group_name; UNKNOWN where nothing is known of it."""
    return rows.assign(**{key: rows[key].astype("str").fillna(UNKNOWN) for key in _KEYS})


def knows(by: By) -> bool:
    """Return whether calls know groups made of this."""
    return by in CALL_GROUPS or by in PERIODS


def call_rows(calls: pd.DataFrame, by: By) -> pd.DataFrame:
    """Return calls of a person and day with their group and group_name; UNKNOWN where calls don't know it.

    calls: calls, hits, happened_on and the columns of query.callers.
    """
    if by in PERIODS:
        first_on = calls["happened_on"].dt.to_period("M" if by == "month" else "Q").dt.start_time.dt.strftime("%Y-%m-%d")
        return named(calls.assign(group=first_on, group_name=first_on))
    key, name = CALL_GROUPS.get(by, ("", ""))
    return named(calls.assign(group=calls[key] if key else None, group_name=calls[name] if name else None))


def group_rows(sums: pd.DataFrame, terms: FunnelTerms) -> pd.DataFrame:
    """Return one row per group of deals: see tables.funnel_by. sums: the rows of query.group_sums by terms.by."""
    cells = named(sums)
    is_won = cells["outcome"] == "won"
    parts = {name: cells["deals"].where(cells["outcome"] == name, 0) for name in ("won", "lost", "open")}
    parts |= {"unvalued_won": cells["unvalued"].where(is_won, 0), "deals": cells["deals"]}
    grouped = cells[_KEYS].assign(**parts, won_value=cells["deal_amount"].where(is_won)).groupby(_KEYS)
    made = grouped[[*parts]].sum().join(grouped["won_value"].sum(min_count=1)).reset_index().rename(columns={"group_name": "name"})
    made["won_value"] = made["won_value"].round(4).where(made["won_value"].notna() | (made["won"] > 0), 0.0)
    made["closed"] = made["won"] + made["lost"]
    of_closed, of_all = rates("closed", made["won"], made["closed"]), rates("all", made["won"], made["deals"])
    made = made.assign(win_rate_of_closed=of_closed.pop("closed_rate"), win_rate_of_all=of_all.pop("all_rate"), **of_closed, **of_all)
    by_time = terms.by in PERIODS
    made = made.sort_values(["group"] if by_time else ["won_value", "won", "group"], ascending=True if by_time else [False, False, True])
    made = made.assign(is_small=made["closed"] < FEW_DEALS).reset_index(drop=True)
    return compared(made, made[["won", "closed"]].sum() - made[["won", "closed"]])[_GROUP_COLUMNS]


def groups_of(cells: pd.DataFrame, leads: pd.DataFrame, calls: pd.DataFrame, terms: FunnelTerms) -> pd.DataFrame:
    """Return one row per group that deals, leads or calls are of: group, group_name, deals; those of most deals first, periods in order of
    time. All with group and group_name: paths.cells, the rows of query.lead_counts, and call_rows. Leads or calls that know no group
    make none.
    """
    leads, calls = (rows if (rows["group"] != UNKNOWN).any() else rows.head(0) for rows in (leads, calls))
    names = pd.concat([rows[_KEYS] for rows in (cells, leads, calls)]).drop_duplicates("group").set_index("group")
    sums = {name: rows.groupby("group")[name].sum() for name, rows in (("deals", cells), ("leads", leads), ("calls", calls))}
    found = names.assign(**{name: sum_.reindex(names.index).fillna(0).astype("int64") for name, sum_ in sums.items()}).reset_index()
    by_time = terms.by in PERIODS
    order = ["group"] if by_time else ["deals", "leads", "calls", "group"]
    kept = found.sort_values(order, ascending=[True] if by_time else [False, False, False, True], ignore_index=True)
    return kept[[*_KEYS, "deals"]]


def before_rows(groups: pd.DataFrame, calls: pd.DataFrame, leads: pd.DataFrame, by: By) -> pd.DataFrame:
    """Return one row per group and step before the opportunities that there is any of: group, step, count, at_least, is_small and the rates
    of `funnel`; counts and rates empty of steps that don't know the groups, and rates where it is not known of more than MOST_UNKNOWN of
    the leads in which market they are: a lead has one by its customer, and most have a customer once they have become one.
    """
    parts = []
    for name, rows in steps_before(calls, leads).items():
        of = (calls if name == CALLS else leads)["group"]
        if not rows["count"].sum():
            continue
        unknown = rows["count"][of == UNKNOWN].sum() / rows["count"].sum()
        sums = rows.groupby(of).sum().reindex(groups["group"]).fillna(0)
        found = sums.assign(**before_rates(sums), step=name, at_least=sums["count"].astype("int64"))
        found["is_small"] = sums["first" if name != CALLS else "count"] < FEW_DEALS
        shares = [str(column) for column in found if str(column).startswith(("next_step", "cumulative"))]
        if (name == CALLS and not knows(by)) or unknown == 1:
            found[["count", *shares]] = np.nan
        elif by == "market" and unknown > MOST_UNKNOWN:
            found[shares] = np.nan
        parts.append(found.drop(columns=["part", "first"]).rename_axis("group").reset_index())
    return pd.concat(parts, ignore_index=True) if parts else groups.head(0)[["group"]].assign(step="", at_least=0, is_small=False)


def group_step_rows(cells: pd.DataFrame, steps: dict[str, Step], groups: pd.DataFrame, terms: FunnelTerms) -> pd.DataFrame:
    """Return one row per group and step from the opportunities on: group, step, count, at_least, value, is_small and the rates of `funnel`.

    cells: with their group. groups: see groups_of.
    """
    code, every = pd.Index(groups["group"]).get_indexer(pd.Index(cells["group"])), weights(cells)

    def per_group(chosen: list[Booleans], of: Any) -> Any:
        return np.column_stack([np.bincount(code[one], weights=of[one], minlength=len(groups)) for one in chosen])

    got_there, size = [step.reached for step in steps.values()], groups[["deals"]].to_numpy()
    reached, unvalued = (per_group(got_there, of) for of in (every.deals, every.unvalued))
    is_known = per_group([step.unknown for step in steps.values()], every.deals) <= MOST_UNKNOWN * size
    value = np.where(is_known & ((unvalued < reached) | (reached == 0)), per_group(got_there, every.value).round(4), np.nan)
    count, by_value = np.where(is_known, reached, np.nan), np.where(unvalued <= MOST_UNKNOWN * reached, value, np.nan)
    base, is_count = (count, True) if terms.measure == "count" else (by_value, False)
    nexts, firsts = np.column_stack([base[:, 1:], np.full(len(base), np.nan)]), np.repeat(base[:, 0], len(steps))
    found = rates("next_step", nexts.ravel(), base.ravel(), has_interval=False)
    found |= rates("cumulative", base.ravel(), firsts, has_interval=is_count)
    made = pd.DataFrame({"group": np.repeat(groups["group"], len(steps)), "step": list(steps) * len(groups), "count": count.ravel()})
    is_small = np.repeat(groups["deals"] < FEW_DEALS, len(steps))
    return made.assign(value=value.ravel(), at_least=reached.ravel().astype("int64"), is_small=is_small, **found).reset_index(drop=True)

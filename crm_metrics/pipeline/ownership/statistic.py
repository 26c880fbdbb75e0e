"""Owners, blind spots, completeness, deals handed on, and how long a hand-over takes."""

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from crm_metrics.intervals import CONFIDENCE, FEW_CUSTOMERS
from crm_metrics.pipeline.deals.query import OPEN
from crm_metrics.pipeline.winning.counts import rated

KEY_FIELDS = ("deal_amount", "expected_close_on", "customer_id", "contact_people")
FLAGS = ("no_contact", "no_next_step", "no_owner", "is_overdue", *(f"no_{name}" for name in KEY_FIELDS))
OF_CHANGES = ("deal_number", "changed_on", "owner_id")
_HOURS_PER_DAY = 24.0


def owner_rows(rows: pd.DataFrame, customers: pd.DataFrame, employees: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """Return one row per owner of a customer or open deal, the largest open value first, those of nobody (owner_id "") last: see
    tables.owners. rows: deals; customers: owner_id, customers; employees: see query.employee_rows.
    """
    still_open = rows[rows["outcome"] == OPEN]
    grouped = still_open.assign(owner_id=still_open["owner_id"].fillna(""), unvalued=still_open["deal_amount"].isna()).groupby("owner_id")
    of_deals = grouped.agg(open_deals=("deal_number", "size"), unvalued=("unvalued", "sum"))
    of_deals["open_value"] = grouped["deal_amount"].sum(min_count=1)
    made = of_deals.join(customers.assign(owner_id=customers["owner_id"].fillna("")).set_index("owner_id")["customers"], how="outer")
    made = made.join(employees.set_index("owner_id"), how="left").rename_axis("owner_id").reset_index()
    counts = {name: made[name].fillna(0).astype(int) for name in ("open_deals", "unvalued")}
    counts["customers"] = made["customers"] if customers["customers"].isna().any() else made["customers"].fillna(0)
    made = made.assign(
        **counts,
        owner_name=made["owner_name"].fillna(made["owner_id"]),
        has_left=(made["left_on"] <= today),
        share_of_customers=made["customers"] / made["customers"].sum() if made["customers"].sum() else math.nan,
        share_of_value=made["open_value"] / made["open_value"].sum() if made["open_value"].sum() else math.nan,
        is_nobody=made["owner_id"] == "",
    )
    made = made[(made["open_deals"] > 0) | (made["customers"] > 0)]
    keys = ["is_nobody", "open_value", "open_deals", "customers", "owner_id"]
    order = made.sort_values(keys, ascending=[True, False, False, False, True], ignore_index=True)
    deals = ["open_deals", "open_value", "share_of_value", "unvalued"]
    return order[["owner_id", "owner_name", "team", "role", "has_left", "left_on", "customers", "share_of_customers", *deals]]


# ── statistic: blind spots ──────────────────────────────────────────────────────────────────────────────────────────────


def open_deals(rows: pd.DataFrame, contacts: pd.DataFrame, gone: set[str], today: pd.Timestamp, *, days: int) -> pd.DataFrame:
    """Return one row per open deal with FLAGS, blind_spots (how many of them) and what they are told by: see tables.blind_spots.

    gone: owners who have left. A flag is raised only where the field is recorded of some deal: what no deal has is not kept in these data.
    """
    found = rows[rows["outcome"] == OPEN].merge(contacts, on="deal_number", how="left")
    last = found[["of_deal_on", "of_customer_on", "asked_on"]].max(axis=1)
    waited = (today - last.where(last.notna(), found["created_on"])).dt.days
    is_contacted = bool(last.notna().any())
    missing = {f"no_{name}": found[name].isna() & is_recorded(found, name) for name in KEY_FIELDS}
    made = found.assign(
        last_contact_on=last,
        days_without_contact=waited,
        no_contact=(waited > days) & is_contacted,
        no_next_step=found["next_step"].isna() & is_recorded(found, "next_step"),
        no_owner=(found["owner_id"].isna() & is_recorded(found, "owner_id")) | found["owner_id"].isin(gone),
        is_overdue=found["expected_close_on"] < today,
        **missing,
    )
    return made.assign(blind_spots=made[list(FLAGS)].sum(axis=1)).sort_values(
        ["blind_spots", "deal_amount", "opportunity_id"], ascending=[False, False, True], ignore_index=True
    )


def is_recorded(rows: pd.DataFrame, name: str) -> bool:
    """Return whether some deal has the field."""
    return bool(rows[name].notna().any())


def completeness(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row per key field of open deals: field, deals, filled, share, low, high (Wilson), is_recorded; the emptiest first."""
    fields = ("owner_id", "next_step", *KEY_FIELDS)
    rows = [(name, len(found), int(found[name].notna().sum())) for name in fields]
    made = pd.DataFrame(rows, columns=["field", "deals", "filled"])
    made = rated(made, "filled", "deals", "share").assign(is_recorded=made["filled"] > 0)
    return made.sort_values(["is_recorded", "share", "field"], ascending=[False, True, True], ignore_index=True)


# ── statistic: handed on ────────────────────────────────────────────────────────────────────────────────────────────────


def owner_changes(changes: pd.DataFrame) -> pd.DataFrame:
    """Return one row per change of owner: deal_number, changed_on, owner_id (who got it), earlier_owner_id.

    changes: OF_CHANGES of pipeline.deals.query.change_rows.
    """
    known = changes[changes["owner_id"].notna()]
    earlier = known["owner_id"].shift(1).where(known["deal_number"] == known["deal_number"].shift(1))
    made = known[["deal_number", "changed_on", "owner_id"]].assign(earlier_owner_id=earlier)
    return made[earlier.notna() & (earlier != known["owner_id"])].reset_index(drop=True)


def hours_to(tickets: pd.DataFrame) -> pd.DataFrame:
    """Return `tickets` with to_deal, to_action: hours from the service contact to the deal, and to the first activity for it.

    Where only the day of the deal is known, 24 hours for each day between; NaN where it did not happen yet.
    """
    moments = (tickets["created_at"] - tickets["opened_at"]).dt.total_seconds() / 3600
    by_day = (tickets["created_on"] - tickets["opened_at"].dt.normalize()).dt.days * _HOURS_PER_DAY
    to_deal = moments.where(moments.notna(), by_day)
    to_action = (tickets["acted_at"] - tickets["opened_at"]).dt.total_seconds() / 3600
    return tickets.assign(to_deal=to_deal.where(to_deal >= 0), to_action=to_action)


def duration_row(hours: pd.Series) -> dict[str, float]:
    """Return mean, median and p90 of the known hours, each with its 95 % interval, and how many are known.

    known, mean_hours, mean_low, mean_high (normal), median_hours, median_low, median_high, p90_hours, p90_low, p90_high (order statistics:
    Hahn and Meeker 1991, Statistical Intervals, section 5.2; NaN where too few are known for a bound); nothing of fewer than two.
    """
    values, z = np.sort(hours.dropna().to_numpy(dtype=float)), NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    n = len(values)
    error = float(values.std(ddof=1)) / math.sqrt(n) * z if n > 1 else math.nan
    mean = float(values.mean()) if n else math.nan
    made: dict[str, float] = {
        "known": n,
        "mean_hours": mean,
        "mean_low": max(mean - error, 0.0) if n > 1 else math.nan,
        "mean_high": mean + error,
    }
    for name, share in (("median", 0.5), ("p90", 0.9)):
        spread = z * math.sqrt(n * share * (1 - share))
        low, high = math.floor(n * share - spread), math.ceil(n * share + spread)
        made[f"{name}_hours"] = float(np.quantile(values, share)) if n else math.nan
        made[f"{name}_low"] = float(values[low - 1]) if low >= 1 else math.nan
        made[f"{name}_high"] = float(values[high]) if n and high < n else math.nan
    return made


def durations(tickets: pd.DataFrame, column: str, by: str) -> pd.DataFrame:
    """Return one row per value of `by`: by, tickets, and as duration_row; is_small (fewer than FEW_CUSTOMERS known)."""
    rows: list[dict[str, Any]] = [
        {by: value, "tickets": len(group), **duration_row(group[column])} for value, group in tickets.groupby(by, sort=True)
    ]
    columns = [by, "tickets", *duration_row(pd.Series(dtype=float))]
    made = pd.DataFrame(rows, columns=columns)
    return made.assign(is_small=made["known"] < FEW_CUSTOMERS)

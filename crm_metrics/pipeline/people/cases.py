"""Published cases of companies before and after their CRM, to be read beside one's own."""

import math
from typing import NamedTuple

import pandas as pd

from crm_metrics.language import noop
from crm_metrics.pipeline.people.statistic import Side, compared, leads_per_day
from crm_metrics.pipeline.people.terms import MEASURES

NOT_PUBLISHED = math.nan


class Case(NamedTuple):
    """case: its number in the list of the sources. measure: as in the table before_after, or another. remark: what else the source says."""

    case: str
    company: str
    measure: str
    before: float
    after: float
    remark: str = ""


_CALLS, _HIT_RATES = (60.0, 80.0), (1 / 52, 1 / 33)
_LEADS = leads_per_day(_CALLS[0], _HIT_RATES[0]), leads_per_day(_CALLS[1], _HIT_RATES[1])
_PHONE_ORDER = noop("An order by phone took 8 hours, then 45 minutes; the entry of all orders became 50% to 80% shorter.")
CASES: tuple[Case, ...] = (
    Case("A13", noop("A high-tech firm, telemarketing"), "calls_per_person_day", *_CALLS),
    Case("A13", noop("A high-tech firm, telemarketing"), "hit_rate", *_HIT_RATES),
    Case("A13", noop("A high-tech firm, telemarketing"), "leads_per_day", *_LEADS),
    Case(
        "A13",
        noop("A high-tech firm, telemarketing"),
        "telesales_share",
        NOT_PUBLISHED,
        NOT_PUBLISHED,
        noop("The source says “about doubled”; calls times hit rate agree with it."),
    ),
    Case("A14", noop("WilTel Communications"), "order_entry_minutes", 480.0, 45.0, _PHONE_ORDER),
    Case("A14", noop("WilTel Communications"), "order_entry_staff", 22.0, 10.0, noop("Some 500,000 dollars a year were saved.")),
    Case("A14", noop("WilTel Communications"), "satisfied_share", 0.56, 0.89, noop("10,000 dollars a month were saved on administration.")),
    Case("A17", noop("Quick & Reilly"), "lead_conversion", 0.40, 0.60),
    Case("B13", noop("Wyeth-Whitehall"), "", NOT_PUBLISHED, NOT_PUBLISHED, noop("No data in the source.")),
)
_CHANGES = ["before", "after", "change", "relative", "factor"]
_OWN = [*_CHANGES, "factor_low", "factor_high"]

# ── statistic ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def beside_own(own: pd.DataFrame) -> pd.DataFrame:
    """Return one row per case and measure, one's own beside it. own: the table before_after.

    case, company, measure, unit, before, after, change (after - before), relative (after / before - 1), factor (after / before), all
    empty where not published; own_before … own_factor, own_factor_low, own_factor_high, empty where not known; remark.
    """
    found = own.set_index("measure").reindex([case.measure for case in CASES]).reset_index(drop=True)
    changes = [compared(Side(case.before), Side(case.after)) for case in CASES]
    rows = pd.DataFrame([{"case": case.case, "company": case.company, "measure": case.measure} for case in CASES])
    units = [MEASURES.get(case.measure, "ratio") for case in CASES]
    rows = rows.assign(unit=units, **{name: [change[name] for change in changes] for name in _CHANGES})
    return rows.assign(**{f"own_{name}": found[name].to_numpy(dtype=float) for name in _OWN}, remark=[case.remark for case in CASES])

"""Is there enough data for a purchase model?"""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from crm_metrics.language import noop, t

Verdict = Literal["none", "rough", "full"]

# Measured on data simulated from CDNOW's parameters: 36 of 200 fits do not converge at 100 customers, 6 at 300, 0 at 1,000;
# nominal 95% intervals of a and b cover 76% at 100 customers, 84 to 87% at 300, 92 to 93% at 3,000.
CUSTOMERS_NEEDED = 300
REPEATERS_NEEDED = 100
CUSTOMERS_FOR_FULL = 1_000

_TEXTS: dict[Verdict, str] = {
    "none": noop(
        "No purchase model: {customers:,} customers, {repeaters:,} of them with a second purchase day, over {history_days:,} days. "
        "It needs {customers_needed:,} customers and {repeaters_needed:,} repeaters: with fewer, the fit often fails or its "
        "intervals are wrong."
    ),
    "rough": noop(
        "A rough model: {customers:,} customers, {repeaters:,} of them with a second purchase day, over {history_days:,} days. "
        "Under {customers_for_full:,} customers the parameters are uncertain: read the interval, not the figure."
    ),
    "full": noop(
        "{customers:,} customers, {repeaters:,} of them with a second purchase day, over {history_days:,} days: enough for the model."
    ),
}


@dataclass(frozen=True)
class Gate:
    """What the data hold and what a model may be built on them. history_days: age of the oldest customer, 0 without any."""

    customers: int
    repeaters: int
    history_days: int
    verdict: Verdict

    def sentence(self) -> str:
        """Return what there is and what is needed, in the reader's language."""
        return t(
            _TEXTS[self.verdict],
            customers=self.customers,
            repeaters=self.repeaters,
            history_days=self.history_days,
            customers_needed=CUSTOMERS_NEEDED,
            repeaters_needed=REPEATERS_NEEDED,
            customers_for_full=CUSTOMERS_FOR_FULL,
        )


def data_gate(summary: pd.DataFrame) -> Gate:
    """Return whether `summary` (one row per customer: frequency, age_days) carries no, a rough or a full model.

    >>> data_gate(pd.DataFrame({"frequency": [0, 1], "age_days": [30, 40]})).verdict
    'none'
    """
    customers = len(summary)
    repeaters = int((summary["frequency"] > 0).sum())
    history_days = int(summary["age_days"].max()) if customers else 0
    return Gate(customers=customers, repeaters=repeaters, history_days=history_days, verdict=_verdict(customers, repeaters))


def _verdict(customers: int, repeaters: int) -> Verdict:
    if customers < CUSTOMERS_NEEDED or repeaters < REPEATERS_NEEDED:
        return "none"
    return "rough" if customers < CUSTOMERS_FOR_FULL else "full"

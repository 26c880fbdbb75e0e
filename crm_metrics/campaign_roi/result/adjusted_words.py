"""What is said of a campaign without a control group: its members were chosen, so nothing here says what came of it."""

from typing import Any, cast

import pandas as pd

from crm_metrics.campaign_roi.result.labels import difference_text, outcome_label
from crm_metrics.language import t
from crm_metrics.metric import Unit


def finding(adjusted: pd.DataFrame, *, currency: str) -> str:
    """Return how chosen people differ from like ones, adjusted. adjusted: rows of one campaign and outcome."""
    if adjusted.empty or adjusted["difference"].isna().all():
        return t("There are too few like people outside the campaign to compare its members with.")
    row: Any = next(adjusted.itertuples())
    unit = cast("Unit", row.unit)
    return ("" if row.is_finished else t("So far: ")) + t(
        "{outcome}: {difference} for the people chosen, beside like people who were not, adjusted for what was known before (95%: {low} to "
        "{high}); unadjusted it is {crude}.",
        difference=difference_text(row.difference, unit, currency, signed=True),
        low=difference_text(row.low, unit, currency),
        high=difference_text(row.high, unit, currency),
        crude=difference_text(row.crude_difference, unit, currency, signed=True),
        outcome=outcome_label(row.outcome),
    )

"""The tables of contracts."""

from datetime import date

import pandas as pd

from crm_metrics.database import Source
from crm_metrics.filters import Filters
from crm_metrics.retention.leaving import contract, query
from crm_metrics.retention.leaving.asked import choice, contracts_day


def contracts(source: Source, filters: Filters, today: date | None) -> pd.DataFrame:
    """Return the contracts and how they stand: see contract.states; ask by source.remember."""
    return contract.states(source(query.contract_counts(filters, today)), today)


def _contracts(source: Source, filters: Filters) -> pd.DataFrame:
    return source.remember(contracts, choice(filters), contracts_day(source, filters))


def contract_churn(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row for all contracts begun up to the as-of day and one per kind, those with most contracts first.

    contract_kind (empty: all or unknown), is_all, contracts (of which it is known), churned (ended by the customer), ended_otherwise,
    running, rate (churned / contracts), low, high (Wilson), is_few (under 30). Nothing on data without contracts.
    """
    held = _contracts(source, filters)
    return contract.churn_rows(held) if len(held) else contract.churn_rows(held).head(0)


def contract_curve(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the share of contracts that last longer than each number of whole months, of all and by kind (Kaplan-Meier).

    contract_kind (empty: all), is_all, tenure_months, at_risk, churned (ended by the customer after so long), survival, low, high (95%),
    is_few (under 30 at risk). One that runs, or ended otherwise, counts for as long as it was seen.
    """
    held = _contracts(source, filters)
    return contract.curve_rows(held) if len(held) else contract.curve_rows(held).head(0)


def contract_fit(source: Source, filters: Filters) -> pd.DataFrame:
    """Return one row per kind of contract: the shifted beta-geometric model of its first renewals, and how it did on the later ones.

    contract_kind (empty: all), is_all, period_months (between renewals), contracts, lost, fitted_months (it saw no more), seen_months
    (to which at least 30 were followed), verdict ('fitted', or 'too_few', 'not_falling', 'not_converged'), alpha, beta, mean_error (mean
    absolute difference of projected and actual share over the renewals it did not see), last_error (projected less actual at the last
    of them), inside_share (of them, how often the projection lies within the 95% band of what came).
    """
    return source.remember(_projections, choice(filters), contracts_day(source, filters))[0]


def contract_projection(source: Source, filters: Filters) -> pd.DataFrame:
    """Return the share of contracts that last longer, projected from the first renewals, beside what came.

    contract_kind (empty: all), is_all, tenure_months, at_risk, actual, actual_low, actual_high (Kaplan-Meier by renewals; NaN where under
    30 were followed), projected, projected_low, projected_high (95%, profile likelihood), is_held_out (the model did not see it), is_ahead
    (under 30 were followed so long).
    """
    return source.remember(_projections, choice(filters), contracts_day(source, filters))[1]


def _projections(source: Source, filters: Filters, today: date | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    held = source.remember(contracts, filters, today)
    fits, curves = contract.projections(held)
    return (fits, curves) if len(held) else (fits.head(0), curves.head(0))

"""Clocks of the purchase models: histories, fit, bootstrap refits, scoring, and the fit of lifetimes on the same customers."""

import warnings
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import pandas as pd
from simulated_customers import simulated

from benchmarks.shop import LAST_ON
from crm_metrics.customer_forecast import forecast, query, statistic
from crm_metrics.database import DataSet, open_source
from crm_metrics.purchase_model.bootstrap import RESAMPLES, refitted
from crm_metrics.purchase_model.fit import fit_bg_nbd, fit_gamma_gamma
from crm_metrics.purchase_model.model import DAYS_PER_WEEK
from crm_metrics.scope import Scope

FITTED, COMPARED, RESAMPLED = 3_000_000, 1_000_000, 100_000  # customers
ATTEMPTS = 3  # of what takes a few seconds; the median counts


class Step(NamedTuple):
    """How many customers, and how many seconds."""

    customers: int
    seconds: float


class ModelTimes(NamedTuple):
    """What the models take: the first three on the shop, the others on simulated customers.

    histories: purchase histories in SQL, to the summary. first: that and all models of the room. scored: three P(alive) and what each
    customer is expected to bring. fitted, compared: BG/NBD from summary to parameters. in_lifetimes: the same customers as compared,
    not grouped. refitted: BG/NBD and Gamma-Gamma on 200 resamples.
    """

    histories: Step
    first: Step
    scored: Step
    fitted: Step
    compared: Step
    in_lifetimes: Step
    refitted: Step

    @property
    def times_faster(self) -> float:
        """How many times the time of our fit lifetimes takes."""
        return self.in_lifetimes.seconds / self.compared.seconds


def measured_models(data_set: DataSet, *, fitted: int = FITTED, compared: int = COMPARED, resampled: int = RESAMPLED) -> ModelTimes:
    """Return what the models take; fitted, compared, resampled: numbers of simulated customers."""
    source = open_source(data_set)
    histories = _seconds(lambda: statistic.purchase_summary(source(query.customer_histories(Scope(), LAST_ON))))
    first = _seconds(lambda: source.remember(forecast.fitted, Scope(), LAST_ON))
    scored = _seconds(lambda: forecast.valued(source, Scope(), LAST_ON, forecast.Terms()))
    known = source.remember(forecast.fitted, Scope(), LAST_ON).gate.customers
    every = simulated(max(fitted, compared, resampled))
    few, some = every.head(resampled), every.head(compared)
    models = (fit_bg_nbd(few), fit_gamma_gamma(few))
    return ModelTimes(
        histories=Step(known, histories),
        first=Step(known, first),
        scored=Step(known, scored),
        fitted=Step(fitted, _middle(lambda: fit_bg_nbd(every.head(fitted)))),
        compared=Step(compared, _middle(lambda: fit_bg_nbd(some))),
        in_lifetimes=Step(compared, _seconds(lambda: _fit_in_lifetimes(some))),
        refitted=Step(resampled, _seconds(lambda: refitted(few, models, resamples=RESAMPLES))),
    )


def _fit_in_lifetimes(summary: pd.DataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import BetaGeoFitter

        BetaGeoFitter().fit(summary["frequency"], summary["recency_days"] / DAYS_PER_WEEK, summary["age_days"] / DAYS_PER_WEEK)


def _middle(work: Callable[[], Any]) -> float:
    return median(_seconds(work) for _ in range(ATTEMPTS))


def _seconds(work: Callable[[], Any]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun

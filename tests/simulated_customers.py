"""Customers simulated from known parameters, and the models that have them: for the tests of the purchase models."""

import dataclasses

import numpy as np
import pandas as pd

from crm_metrics.purchase_model.bootstrap import RESAMPLES, refitted
from crm_metrics.purchase_model.model import unfitted
from crm_metrics.purchase_model.prediction import drawn_parts, outlook
from crm_metrics.purchase_model.value import expected_value

TRUTH = {"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.5}
SPEND_TRUTH = {"p": 6.0, "q": 4.0, "v": 15.0}


def model(name, **params):
    return dataclasses.replace(unfitted(name, customers=1), params=params)


BG, MBG = model("bg_nbd", **TRUTH), model("mbg_nbd", **TRUTH)
PARETO = model("pareto_nbd", r=0.55, alpha=10.6, s=0.6, beta=11.7)
SPEND = model("gamma_gamma", **SPEND_TRUTH)


def customers(*rows):
    """Frame of (frequency, recency_days, age_days)."""
    return pd.DataFrame(rows, columns=["frequency", "recency_days", "age_days"], dtype=float)


def simulated(size, *, weeks=104, seed=1, days_after=0, truth=TRUTH, spend=SPEND_TRUTH):
    """Customers of a BG/NBD with parameters `truth` and a Gamma-Gamma with `spend`; purchases on whole days, ages spread evenly.

    later_purchases, later_value: what the same customers then do in the next `days_after` days, which no model sees.
    """
    random = np.random.default_rng(seed)
    rate, leaves = random.gamma(truth["r"], 1 / truth["alpha"], size), random.beta(truth["a"], truth["b"], size)
    age = np.ceil(random.uniform(0, weeks * 7, size))
    lasts, clock = random.geometric(np.clip(leaves, 1e-9, 1)), np.zeros(size)
    frequency, last, active = np.zeros(size, dtype=int), np.zeros(size), np.arange(size)
    later, newest = np.zeros(size, dtype=int), np.zeros(size)
    while len(active):
        clock[active] += random.exponential(7 / rate[active])
        active = active[clock[active] <= age[active] + days_after]
        day = np.ceil(clock[active])
        is_new, is_known = day > newest[active], day <= age[active]
        frequency[active] += is_new & is_known
        later[active] += is_new & ~is_known
        newest[active] = day
        last[active] = np.where(is_known, day, last[active])
        lasts[active] -= 1
        active = active[lasts[active] > 0]
    level = random.gamma(spend["q"], 1 / spend["v"], size)
    mean = random.gamma(np.maximum(spend["p"] * frequency, 1e-9)) / (level * np.maximum(frequency, 1))
    return pd.DataFrame(
        {
            "customer_id": np.arange(size),
            "frequency": frequency,
            "recency_days": last.astype(int),
            "age_days": age.astype(int),
            "repeat_value_mean": np.where(frequency > 0, np.maximum(mean, 0.01), np.nan),
            "later_purchases": later,
            "later_value": np.where(later > 0, random.gamma(np.maximum(spend["p"] * later, 1e-9)) / level, 0.0),
        }
    )


def predicted(summary, models, *, horizon, part, resamples=RESAMPLES, seed=1):
    """The refits, what they expect, and what the parts may bring: all steps from the models to the draws."""
    refits = refitted(summary, models, resamples=resamples, seed=seed)
    ahead = outlook(refits, summary, horizon=horizon)
    expected = expected_value(summary, models[0], spend=models[1], horizon=horizon)
    known = {name: expected[name].to_numpy() for name in ("expected_purchases", "expected_spend", "expected_value")}
    return refits, ahead, drawn_parts(ahead, summary.assign(**known), part, seed=seed)

"""From forecasts to tables: who is alive, what the customers will bring, and how good that was."""

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from crm_metrics.language import noop
from crm_metrics.purchase_model.groups import Floats
from crm_metrics.purchase_model.holdout import HIGHEST_BIN, holdout_by_frequency, holdout_forecast, holdout_test
from crm_metrics.purchase_model.model import PARAMETERS, PURCHASE_MODELS, Model, ModelName

NORMAL_95 = 1.959964
_PERCENT_95 = (0.025, 0.975)
LARGEST_CORRELATION = 0.3  # above it the models' assumption that frequency says nothing of spend is visibly wrong
_BOUNDS = (0.0, *(float(digit) * 10.0**power for power in range(9) for digit in (1, 2, 5)), math.inf)

# ── tables of the forecast ──────────────────────────────────────────────────────────────────────────────────────────────


def repeat_counts(summary: pd.DataFrame) -> pd.DataFrame:
    """Return customers by number of repeat purchase days, 0 to 7 (7: 7 or more): frequency, customers."""
    counts = summary["frequency"].clip(upper=HIGHEST_BIN).astype(int).value_counts()
    return counts.reindex(range(HIGHEST_BIN + 1), fill_value=0).rename_axis("frequency").rename("customers").reset_index()


def alive_by_frequency(customers: pd.DataFrame) -> pd.DataFrame:
    """Return P(alive) by number of repeat purchase days and model.

    customers: frequency and alive_<model> per model. Columns: model, frequency (7: 7 or more), customers, alive_mean, alive_lowest,
    alive_highest. NaN where the model assumes it (BG/NBD for one-time buyers) or nobody is there.
    """
    frequency = customers["frequency"].clip(upper=HIGHEST_BIN).astype(int)
    parts = []
    for name in PURCHASE_MODELS:
        grouped = customers[f"alive_{name}"].astype(float).groupby(frequency)
        part = grouped.agg(alive_mean="mean", alive_lowest="min", alive_highest="max").reindex(range(HIGHEST_BIN + 1))
        part.insert(0, "customers", frequency.value_counts().reindex(range(HIGHEST_BIN + 1), fill_value=0))
        part.insert(0, "model", name)
        parts.append(part.rename_axis("frequency").reset_index())
    return pd.concat(parts, ignore_index=True)[["model", "frequency", "customers", "alive_mean", "alive_lowest", "alive_highest"]]


def value_distribution(values: pd.Series) -> pd.DataFrame:
    """Return customers and their value by expected value, in classes that begin at 0, 1, 2, 5, 10 and so on.

    value_from (counted), value_to (not counted), customers, expected_value, customers_share, value_share. Unknown values are left out.

    >>> value_distribution(pd.Series([0.5, 1.5, 1.6])).customers.tolist()
    [1, 2]
    """
    known = values.dropna().clip(lower=0)
    place = np.searchsorted(np.array(_BOUNDS), known.to_numpy(dtype=float), side="right") - 1
    places = range(place.min(initial=0), place.max(initial=-1) + 1)
    sums = known.groupby(place).agg(["size", "sum"]).reindex(places, fill_value=0)
    total = float(known.sum())
    return pd.DataFrame(
        {
            "value_from": [_BOUNDS[at] for at in places],
            "value_to": [_BOUNDS[at + 1] for at in places],
            "customers": sums["size"].to_numpy(dtype=int),
            "expected_value": sums["sum"].to_numpy(dtype=float),
            "customers_share": sums["size"].to_numpy(dtype=float) / max(len(known), 1),
            "value_share": sums["sum"].to_numpy(dtype=float) / total if total else np.full(len(sums), np.nan),
        }
    )


def segment_values(parts: pd.DataFrame, kind: Literal["region", "channel"], *, drawn: Floats) -> pd.DataFrame:
    """Return one row per segment of one kind, the most valuable first.

    parts: region, channel, customers, expected_purchases, expected_value, one row per column of `drawn`, the values of the bootstrap.
    Columns: segment_kind, segment (empty: unknown), customers, expected_purchases, expected_value, low, high (95% prediction interval).
    """
    by_segment = parts.groupby(kind, dropna=False)
    table = by_segment[["customers", "expected_purchases", "expected_value"]].sum()
    code = by_segment.ngroup().to_numpy()
    sums = [interval(drawn[:, code == place].sum(axis=1)) for place in range(len(table))]
    bounds = pd.DataFrame(sums, index=table.index, columns=["low", "high"], dtype=float)
    table = pd.concat([table, bounds], axis=1).rename_axis("segment").reset_index()
    table.insert(0, "segment_kind", kind)
    return table.sort_values("expected_value", ascending=False, ignore_index=True)


def interval(drawn: Floats) -> tuple[float, float]:
    """Return the 2.5 and 97.5% points of `drawn`; unknown without any.

    A new draw falls under the k-th of n with probability k / (n + 1): so the points are placed, and 95% of what comes lies within.

    >>> interval(np.array([]))
    (nan, nan)
    """
    if not len(drawn):
        return math.nan, math.nan
    low, high = np.quantile(drawn, _PERCENT_95, method="weibull").tolist()
    return low, high


def model_records(models: Mapping[ModelName, Model], holdout: pd.DataFrame) -> pd.DataFrame:
    """Return one row per model: parameters and standard errors by their names in the papers (NaN where not its own), and more.

    holdout: model, actual, predicted.

    model, r, alpha, a, b, s, beta, p, q, v, time_unit, log_likelihood, customers, holdout_actual, holdout_predicted, r_se … v_se,
    converged, sampled, fitter, left_out, correlation. Gamma-Gamma forecasts no purchases: its hold-out pair is NaN.
    """
    names = ("r", "alpha", "a", "b", "s", "beta", "p", "q", "v")
    pairs = holdout.set_index("model")[["actual", "predicted"]].reindex(list(models)).astype(float)
    rows = [
        {
            "model": model.name,
            **{name: model.params.get(name, math.nan) for name in names},
            "time_unit": model.time_unit,
            "log_likelihood": model.log_likelihood,
            "customers": model.customers,
            "holdout_actual": pairs["actual"][model.name],
            "holdout_predicted": pairs["predicted"][model.name],
            **{f"{name}_se": model.standard_errors.get(name, math.nan) for name in names},
            "converged": model.converged,
            "sampled": model.sampled,
            "fitter": model.fitter,
            "left_out": model.left_out,
            "correlation": model.correlation,
        }
        for model in models.values()
    ]
    return pd.DataFrame(rows)


PARAMETER_MEANS: dict[tuple[ModelName, str], str] = {
    ("bg_nbd", "r"): noop("The smaller, the more customers differ in how often they buy."),
    ("bg_nbd", "alpha"): noop("Weeks. r / alpha: mean purchases a week while active."),
    ("bg_nbd", "a"): noop("a / (a + b): mean chance of leaving after a repeat purchase."),
    ("bg_nbd", "b"): noop("The larger a and b, the more alike customers leave."),
    ("mbg_nbd", "r"): noop("The smaller, the more customers differ in how often they buy."),
    ("mbg_nbd", "alpha"): noop("Weeks. r / alpha: mean purchases a week while active."),
    ("mbg_nbd", "a"): noop("a / (a + b): mean chance of leaving after any purchase."),
    ("mbg_nbd", "b"): noop("The larger a and b, the more alike customers leave."),
    ("pareto_nbd", "r"): noop("The smaller, the more customers differ in how often they buy."),
    ("pareto_nbd", "alpha"): noop("Weeks. r / alpha: mean purchases a week while active."),
    ("pareto_nbd", "s"): noop("The smaller, the more customers differ in how soon they leave."),
    ("pareto_nbd", "beta"): noop("Weeks. s / beta: mean rate of leaving, a week."),
    ("gamma_gamma", "p"): noop("The larger, the steadier one customer's spend."),
    ("gamma_gamma", "q"): noop("The smaller, the more customers differ; 1 or less: no finite mean."),
    ("gamma_gamma", "v"): noop("Money. p v / (q - 1): mean spend per purchase of all customers."),
}


def parameter_table(models: Mapping[ModelName, Model], resampled: pd.DataFrame) -> pd.DataFrame:
    """Return one row per parameter: model, parameter, value, standard_error, low, high, interval, customers (fitted on), sampled
    (drawn at random from more), means (an English text).

    resampled: model, parameter, low, high of the bootstrap. Where it has none, the interval is value x exp(+-1.96 error / value): the
    likelihood is regular in the logarithm, and a parameter is never negative.
    """
    known = resampled.dropna(subset="low").set_index(["model", "parameter"])
    bootstrap = dict(zip(known.index, known[["low", "high"]].to_numpy().tolist(), strict=True))
    rows = []
    for name, model in models.items():
        for parameter in PARAMETERS[name]:
            value, error = model.params[parameter], model.standard_errors[parameter]
            width = math.exp(min(NORMAL_95 * error / value, 700.0)) if value > 0 and not math.isnan(error) else math.nan
            low, high = bootstrap.get((name, parameter), (value / width, value * width))
            rows.append(
                {
                    "model": name,
                    "parameter": parameter,
                    "value": value,
                    "standard_error": error,
                    "low": low,
                    "high": high,
                    "interval": "bootstrap" if (name, parameter) in bootstrap else "likelihood",
                    "customers": model.customers,
                    "sampled": model.sampled,
                    "means": PARAMETER_MEANS[name, parameter],
                }
            )
    return pd.DataFrame(rows)


# ── the hold-out ────────────────────────────────────────────────────────────────────────────────────────────────────────


def holdout_customers(summary: pd.DataFrame, later: pd.DataFrame, *, days: int) -> pd.DataFrame:
    """Return `summary` with holdout_purchases (0 where `later` has none) and holdout_days. later: customer_id, purchases."""
    purchases = later.set_index("customer_id")["purchases"].reindex(summary["customer_id"]).fillna(0).to_numpy(dtype=float)
    return summary.assign(holdout_purchases=purchases, holdout_days=float(days))


def holdout_totals(models: Mapping[ModelName, Model], holdout: pd.DataFrame) -> pd.DataFrame:
    """Return one row per purchase model and one for the baseline: what was forecast in the hold-out and what came.

    model, customers, days, actual, predicted, error ((predicted - actual) / actual), error_low, error_high (95%, from the customers'
    own errors), mean_absolute_error, found (share of actual purchases made by the 20% ranked highest), grade (empty for the baseline).
    """
    rows = []
    for name in PURCHASE_MODELS:
        if models[name].converged:
            test = holdout_test(models[name], holdout)
            forecast = holdout_forecast(models[name], holdout)
            own = (test.predicted, test.predicted_error, test.predicted_mean_absolute_error, test.predicted_found, test.grade)
            rows.append(_total_row(name, forecast, "predicted", own))
    if rows:
        base = (test.baseline, test.baseline_error, test.baseline_mean_absolute_error, test.baseline_found, None)
        rows.append(_total_row("baseline", forecast, "baseline", base))
    columns = ["model", "customers", "actual", "predicted", "error", "error_low", "error_high", "mean_absolute_error", "found", "grade"]
    days = holdout["holdout_days"].max() if len(holdout) else math.nan
    return pd.DataFrame(rows, columns=columns).assign(days=days)


def _total_row(name: str, forecast: pd.DataFrame, column: str, found: tuple[float, float, float, float, str | None]) -> dict[str, object]:
    predicted, error, absolute, share, grade = found
    actual, each = float(forecast["actual"].sum()), forecast[column] - forecast["actual"]
    half = NORMAL_95 * float(each.std()) * math.sqrt(len(each)) / actual if actual else math.nan
    return {
        "model": name,
        "customers": len(forecast),
        "actual": actual,
        "predicted": predicted,
        "error": error,
        "error_low": error - half,
        "error_high": error + half,
        "mean_absolute_error": absolute,
        "found": share,
        "grade": grade,
    }


def holdout_frequencies(models: Mapping[ModelName, Model], holdout: pd.DataFrame) -> pd.DataFrame:
    """Return one row per frequency in the calibration, 0 to 7 (7: 7 or more), means per customer in the hold-out.

    frequency, customers, actual, actual_low, actual_high (95% of the mean), baseline, and one column per purchase model. Empty
    without a converged BG/NBD.
    """
    columns = ["frequency", "customers", "actual", "actual_low", "actual_high", "baseline", *PURCHASE_MODELS]
    if not models["bg_nbd"].converged or holdout.empty:
        return pd.DataFrame(columns=columns, dtype=float)
    table = holdout_by_frequency(models["bg_nbd"], holdout).rename(columns={"predicted": "bg_nbd"})
    spread = holdout.groupby(holdout["frequency"].clip(upper=HIGHEST_BIN).astype(int))["holdout_purchases"].sem()
    half = NORMAL_95 * spread.reindex(table["frequency"]).to_numpy(dtype=float)
    table = table.assign(actual_low=np.maximum(table["actual"] - half, 0), actual_high=table["actual"] + half)
    for name in PURCHASE_MODELS[1:]:
        known = models[name].converged
        table[name] = holdout_by_frequency(models[name], holdout)["predicted"] if known else math.nan
    return table[columns]


def one_time_alive(customers: pd.DataFrame) -> pd.DataFrame:
    """Return P(alive) of one-time buyers: model, customers, lowest, highest (NaN: assumed, not found); one row per purchase model."""
    once = customers[customers["frequency"] == 0]
    rows = [
        {"model": name, "customers": len(once), "lowest": once[f"alive_{name}"].min(), "highest": once[f"alive_{name}"].max()}
        for name in PURCHASE_MODELS
    ]
    return pd.DataFrame(rows)

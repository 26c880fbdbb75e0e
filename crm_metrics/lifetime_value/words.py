"""The findings of the room in words, made from its tables."""

from functools import partial
from typing import Any

import pandas as pd

from crm_metrics.captions import CUSTOMER, Captions, known_columns
from crm_metrics.customer_forecast.forecast import Terms
from crm_metrics.language import date_text, noop, t
from crm_metrics.lifetime_value.figure import MODEL_LABELS
from crm_metrics.lifetime_value.metrics import (
    CUSTOMER_BASE_VALUE,
    EXPECTED_PURCHASES,
    HOLDOUT_ERROR,
    METRICS,
    NEW_CUSTOMER_VALUE,
    VALUE_PER_CUSTOMER,
)
from crm_metrics.lifetime_value.statistic import LARGEST_CORRELATION
from crm_metrics.metric import DASH, Metric, is_unknown, value_text
from crm_metrics.purchase_model.gate import Gate
from crm_metrics.purchase_model.holdout import TOP_SHARE, Grade, grade_sentence

LEFT_OUT = noop("{n} repeaters without a positive value are left out of the model of spend.")
_BASES = {"margin": noop("gross margin"), "revenue": noop("net revenue")}

QUESTIONS: dict[str, str] = {
    "worth": noop("What are they worth?"),
    "trust": noop("Can we trust it?"),
    "alive": noop("Who is alive?"),
    "model": noop("What does the model say?"),
    "customers": noop("Which customers?"),
}
_SEGMENTS_ALT = noop("Bars with prediction intervals: expected value by segment, small segments faded.")
_SEGMENTS_NOTE = noop(
    "Each customer counts in the region and channel of the latest purchase, so the parts add up to the total. Lines: 95% prediction "
    "interval of what these customers will in fact bring. Faded, with their number: under 30 customers."
)
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "repeat_counts": noop("Bars: customers by number of repeat purchases."),
    "distribution": noop("Bars: share of customers and share of value by the expected value of a customer."),
    "region": _SEGMENTS_ALT,
    "channel": _SEGMENTS_ALT,
    "holdout": noop("Purchases in the hold-out by earlier purchases: actual, model, baseline."),
    "tracking": noop("Lines: cumulative repeat purchases, actual, model and baseline, with the day the forecast begins."),
    "alive": noop("Points with ranges: P(alive) by number of repeat purchases, by three models."),
}
NOTES: dict[str, str] = {  # by the name of the figure or table
    "distribution": noop(
        "Expected purchases by the BG/NBD x expected value per purchase by the Gamma-Gamma model, month by month, discounted from the "
        "middle of each month. 95% prediction interval: parameters refitted on 200 resamples of customers, and what customers buy and "
        "spend drawn from the model, above 2,000 of a weighted sample; the model's own error is not in it: see the hold-out. Left out: "
        "sales without a customer."
    ),
    "region": _SEGMENTS_NOTE,
    "channel": _SEGMENTS_NOTE,
    "holdout": noop(
        "Customers are grouped by their repeat purchases before the split, diamonds are what they then did, with 95% intervals, faded "
        "under 30 customers. Naive baseline: every customer keeps the rate so far. Expected by Fader, Hardie and Lee (2005), equation 10."
    ),
    "alive": noop(
        "P(alive) is the chance that a customer has not left for good; the models differ in when one can leave: after a repeat purchase "
        "(BG/NBD), after any purchase (MBG/NBD), at any moment (Pareto/NBD). The range is from the lowest to the highest customer. The "
        "BG/NBD has no point for one-time buyers: it assumes them alive."
    ),
    "customers": noop(
        "Expected purchases and values are by the BG/NBD; lowest and highest are by the three models. An empty cell under BG/NBD: the "
        "model only assumes that a one-time buyer is alive. A click opens the customer."
    ),
    "parameters": noop(
        "Parameters by their names in the papers. Intervals by the bootstrap for the BG/NBD and Gamma-Gamma, from the standard errors on a "
        "logarithmic scale for the others."
    ),
}
DRAWN: dict[str, tuple[Metric, ...]] = {"distribution": METRICS[:4], "holdout": (HOLDOUT_ERROR,)}  # by the name of the figure
COLUMNS: dict[str, dict[str, tuple[str, Any]]] = {  # table, column: heading and unit
    "customers": {
        **CUSTOMER,
        "expected_value": (noop("Expected value"), "money"),
        "expected_value_lowest": (noop("Lowest of three models"), "money"),
        "expected_value_highest": (noop("Highest of three models"), "money"),
        "alive_bg_nbd": (noop("P(alive) BG/NBD"), "share"),
        "alive_mbg_nbd": (noop("P(alive) MBG/NBD"), "share"),
        "alive_pareto_nbd": (noop("P(alive) Pareto/NBD"), "share"),
        "expected_purchases": (noop("Expected purchases"), "ratio"),
        "expected_spend": (noop("Expected per purchase"), "money"),
        "frequency": (noop("Repeat purchases"), "count"),
        "last_on": (noop("Last purchase"), "day"),
        "region": (noop("Region"), "text"),
        "channel": (noop("Channel"), "text"),
    },
    "parameters": {
        "parameter": (noop("Parameter"), "text"),
        "value": (noop("Estimate"), "ratio"),
        "standard_error": (noop("Standard error"), "ratio"),
        "low": (noop("95% from"), "ratio"),
        "high": (noop("95% to"), "ratio"),
        "means": (noop("What it means"), "text"),
    },
    "holdout": {
        "model": (noop("Model"), "text"),
        "predicted": (noop("Predicted"), "count"),
        "actual": (noop("Actual"), "count"),
        "error": (noop("Error of the total"), "share"),
        "error_low": (noop("95% from"), "share"),
        "error_high": (noop("95% to"), "share"),
        "mean_absolute_error": (noop("Mean error per customer"), "ratio"),
        "found": (noop("Found in the top 20%"), "share"),
        "grade": (noop("Grade"), "text"),
    },
}
columns = partial(known_columns, COLUMNS)


def segment_kinds(segments: pd.DataFrame) -> dict[str, str]:
    """Return the kinds of segments there are at least two of, with their headings. segments: the table value_by_segment."""
    kinds = {"region": t("Where does it come from: regions"), "channel": t("Where does it come from: channels")}
    return {kind: heading for kind, heading in kinds.items() if (segments["segment_kind"] == kind).sum() > 1}


def has_forecast(gate: pd.DataFrame) -> bool:
    """Return whether there is a forecast to show."""
    return bool(gate.iloc[0].has_forecast)


def finding(tiles: pd.DataFrame, gate: pd.DataFrame, terms: Terms, *, currency: str) -> str:
    """Return the room's finding, or what is missing for one. tiles, gate: the tables of these names."""
    state = gate.iloc[0]
    if not state.has_forecast:
        return _refusal(state)
    if not state.shown:
        return t("No customer with a purchase up to {day} matches the filters.", day=_day(state.as_of))
    rows = tiles.set_index("metric")
    if not state.has_value:
        bought = _with_interval(rows.loc[EXPECTED_PURCHASES.name], currency)
        return t(
            "Over the next {months} months the {customers} customers are expected to buy on {purchases} days; what they will be worth "
            "can't be told, because the model of their spend does not settle.",
            months=terms.horizon_months,
            customers=f"{state.shown:,}",
            purchases=bought,
        )
    text = t(
        "Over the next {months} months the {customers} customers are expected to bring {value} in {basis}; a new customer {new}.",
        months=terms.horizon_months,
        customers=f"{state.shown:,}",
        value=_with_interval(rows.loc[CUSTOMER_BASE_VALUE.name], currency),
        basis=t(_BASES[state.basis]),
        new=_with_interval(rows.loc[NEW_CUSTOMER_VALUE.name], currency),
    )
    rough = [t("A rough figure: there are under 1,000 customers.")] if state.verdict == "rough" else []
    narrowed = [t("A new customer and the test are of all customers, whatever the filters.")] if state.shown < state.customers else []
    return _joined([text, *_tested(rows.loc[[HOLDOUT_ERROR.name]].iloc[0]), *narrowed, *rough])


def _tested(row: pd.Series) -> list[str]:
    """Return how far the forecast was off where it was tested, when that is more than chance."""
    if is_unknown(row["value"]) or row["low"] <= 0 <= row["high"]:
        return []
    return [t("Tested on days it had not seen, it was off by {error}.", error=_signed(row["value"]))]


def basis_note(gate: pd.DataFrame, terms: Terms) -> str:
    """Return on what the values stand: fitted on whom, up to when, in what, discounted how."""
    state = gate.iloc[0]
    if not state.has_forecast:
        return ""
    parts = [t("Fitted on all {customers} customers up to {day}.", customers=f"{state.customers:,}", day=_day(state.as_of))]
    if state.shown < state.customers:
        parts.append(t("The filters show {n} of them.", n=f"{state.shown:,}"))
    parts.append(t("Discounted at {rate} a year.", rate=value_text(terms.discount_rate_per_year, "share")))
    if state.basis == "margin":
        parts.append(t("Net revenue less returns and cost of goods."))
    elif state.cost_coverage > 0:
        parts.append(
            t("Net revenue less returns: costs are known for only {share}.", share=value_text(float(state.cost_coverage), "share"))
        )
    else:
        parts.append(t("Net revenue less returns: no costs known."))
    if not state.finds_leaving:
        parts.append(t("These data show nobody leaving for good, so the forecast lets everybody stay."))
    return _joined(parts)


def worth_finding(value_held: float) -> str:
    """Return how much of the value a few customers hold. value_held: see tables.value_held."""
    if is_unknown(value_held):
        return t("There are no values to show: the model of spend does not settle, or nobody matches the filters.")
    return t("The {top} of customers worth most hold {share} of the value.", top=f"{TOP_SHARE:.0%}", share=value_text(value_held, "share"))


_CAPTIONS = Captions(ALT_TEXTS, NOTES, DRAWN)
about, remark = _CAPTIONS.about, _CAPTIONS.remark


def tile_notes(gate: pd.DataFrame, terms: Terms) -> dict[str, str]:
    """Return the small line under each tile that says in what the value is counted, and what its interval is of."""
    if not has_forecast(gate):
        return {}
    basis, months = t(_BASES[gate.iloc[0].basis]), terms.horizon_months
    predicted = t("{basis}, {months} months; prediction interval", basis=basis, months=months)
    return {
        CUSTOMER_BASE_VALUE.name: predicted,
        EXPECTED_PURCHASES.name: t("{months} months; prediction interval", months=months),
        VALUE_PER_CUSTOMER.name: predicted,
        NEW_CUSTOMER_VALUE.name: t("{basis}, {months} months; interval of the mean", basis=basis, months=months),
    }


def shown_metrics(tiles: pd.DataFrame) -> tuple[Metric, ...]:
    """Return the metrics that `tiles` has a row for."""
    return tuple(metric for metric in METRICS if metric.name in set(tiles["metric"]))


def trust_finding(holdout: pd.DataFrame, gate: pd.DataFrame) -> str:
    """Return how the forecast did against what happened, or why that can't be told."""
    state, rows = gate.iloc[0], holdout.set_index("model")
    if "bg_nbd" not in rows.index:
        if state.test_has_customers:
            return t("No test: fitted up to {day}, the model does not settle on one answer.", day=_day(state.split_on))
        return t("No test: up to {day} there are too few customers for a model.", day=_day(state.split_on))
    own: Any = rows.loc["bg_nbd"]
    base: Any = rows.loc["baseline"]
    return t(
        "From {start} to {end} customers made {actual} repeat purchases; the model, which saw nothing after {start}, expected {predicted} "
        "({error}), the naive baseline {baseline} ({baseline_error}).",
        start=_day(state.split_on),
        end=_day(state.holdout_until),
        actual=f"{own.actual:,.0f}",
        predicted=f"{own.predicted:,.0f}",
        error=_signed(own.error),
        baseline=f"{base.predicted:,.0f}",
        baseline_error=_signed(base.error),
    )


def grade_note(holdout: pd.DataFrame) -> str:
    """Return the grade of the forecast in words."""
    grades = holdout.loc[holdout["model"] == "bg_nbd", "grade"].dropna()
    if not len(grades):
        return t("No grade: nobody bought in the hold-out, or there was no model for it.")
    grade: Grade = grades.iloc[0]
    return t("Grade {meaning}", meaning=grade_sentence(grade))


def alive_finding(one_time_buyers: pd.DataFrame, gate: pd.DataFrame) -> str:
    """Return the honest sentence about one-time buyers. one_time_buyers, gate: the tables of these names."""
    if not gate.iloc[0].finds_leaving:
        return t(
            "These data show nobody leaving for good: that one-time buyers are alive is an assumption of all three models, no finding."
        )
    rows = one_time_buyers.set_index("model")
    count = int(rows["customers"].iloc[0])
    if not count:
        return t("No one-time buyers here: the models agree more on customers who came back.")
    return t(
        "BG/NBD takes all {n} one-time buyers for alive with certainty: its assumption, no finding. P(alive) is {mbg} by MBG/NBD, "
        "{pareto} by Pareto/NBD.",
        n=f"{count:,}",
        mbg=_range(rows.loc["mbg_nbd"]),
        pareto=_range(rows.loc["pareto_nbd"]),
    )


def correlation_note(gate: pd.DataFrame) -> str:
    """Return whether spend depends on frequency, which the models take not to be so."""
    correlation, left_out = gate.iloc[0].correlation, int(gate.iloc[0].left_out)
    return _joined([_correlation_text(correlation), *([t(LEFT_OUT, n=f"{left_out:,}")] if left_out else [])])


def _correlation_text(correlation: float) -> str:
    if pd.isna(correlation):
        return t("Whether frequent buyers spend more per purchase can't be told here.")
    number = value_text(correlation, "ratio")
    if abs(correlation) > LARGEST_CORRELATION:
        return t(
            "Warning: frequency and spend per purchase correlate at {number}. The models take them to be independent; over 0.30 the values "
            "of frequent buyers are off.",
            number=number,
        )
    return t(
        "Frequency and spend per purchase correlate at {number}; the models take it to be 0, and under 0.30 it does little harm.",
        number=number,
    )


def parameters_note(parameters: pd.DataFrame) -> str:
    """Return what the parameter table stands on, and which model was fitted on a sample. parameters: the table of this name."""
    drawn = parameters[parameters["sampled"].astype(bool)].drop_duplicates("model")
    texts = [
        t("{model} is fitted on {n} customers drawn at random.", model=MODEL_LABELS[model], n=f"{customers:,}")
        for model, customers in zip(drawn["model"], drawn["customers"], strict=True)
    ]
    return _joined([remark("parameters"), *texts])


def parameters_in_words(parameters: pd.DataFrame) -> pd.DataFrame:
    """Return the parameter table with the models' names and the meanings in the reader's language."""
    named = parameters["model"].map(MODEL_LABELS) + " " + parameters["parameter"]
    return parameters.assign(parameter=named, means=parameters["means"].map(t))


def holdout_in_words(holdout: pd.DataFrame) -> pd.DataFrame:
    """Return the hold-out totals with the models' names in the reader's language, purchases rounded, a dash for no grade."""
    names = holdout["model"].map(lambda name: t(MODEL_LABELS[name]))
    return holdout.assign(model=names, predicted=holdout["predicted"].round(), grade=holdout["grade"].fillna(DASH))


def _refusal(state: Any) -> str:
    if state.verdict == "none":
        return Gate(int(state.customers), int(state.repeaters), int(state.history_days), state.verdict).sentence()
    return t(
        "No forecast: the model of {customers} customers does not settle on one answer. More history may help.",
        customers=f"{state.customers:,}",
    )


def _with_interval(row: Any, currency: str) -> str:
    value = value_text(row.value, row.unit, currency)
    if pd.isna(row.low):
        return t("{value} (interval unknown)", value=value)
    low, high = value_text(row.low, row.unit, currency), value_text(row.high, row.unit, currency)
    if row.name == NEW_CUSTOMER_VALUE.name:  # a mean over any number of new customers, whose own scatter is not in it
        return t("{value} on average (95% interval of the average {low} to {high})", value=value, low=low, high=high)
    return t("{value} (95% prediction interval {low} to {high})", value=value, low=low, high=high)


def _range(row: Any) -> str:
    if pd.isna(row.lowest):
        return t("no answer")
    return t("{low} to {high}", low=value_text(row.lowest, "share"), high=value_text(row.highest, "share"))


def _joined(sentences: list[str]) -> str:
    return t(" ").join(sentences)


def _day(day: Any) -> str:
    return date_text(None if pd.isna(day) else day)


def _signed(error: float) -> str:
    return value_text(error, "share") if pd.isna(error) or error < 0 else "+" + value_text(error, "share")

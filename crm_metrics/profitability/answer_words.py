"""The findings of the questions about profit that take one table, in words made from that table."""

import math

import pandas as pd

from crm_metrics.export import safe_text
from crm_metrics.language import noop, t
from crm_metrics.metric import is_unknown, value_text
from crm_metrics.profitability.labels import CUSTOMER_PARTS, PARTS, REASONS, RESOURCES, TIERS
from crm_metrics.profitability.words import few_note


def steps_finding(summary: pd.DataFrame, *, currency: str) -> str:
    """Return what is left of net revenue. summary: the table of this name."""
    amounts = dict(zip(summary["part"], summary["amount"].astype(float), strict=True))
    net, profit = amounts["net_revenue"], amounts["profit"]
    if math.isnan(profit):
        return t("Net revenue is {net}; what is left of it is not known.", net=value_text(net, "money", currency))
    return t(
        "Of {net} net revenue {profit} is left ({share}).",
        net=value_text(net, "money", currency),
        profit=value_text(profit, "money", currency),
        share=value_text(profit / net if net > 0 else math.nan, "share"),
    )


def losing_finding(reasons: pd.DataFrame, *, currency: str) -> str:
    """Return what is lost, and to what most. reasons: the table losing_reasons."""
    known = reasons[reasons["customers"] > 0]
    if known.empty:
        return t("No customer loses money.")
    largest = known.nlargest(1, "lost").iloc[0]
    values = {
        "reason": t(REASONS[largest["reason"]]),
        "lost": value_text(largest["lost"], "money", currency),
        "n": f"{largest['customers']:,}",
        "total": f"{known['customers'].sum():,}",
        "without": value_text(largest["profit_without"], "money", currency),
    }
    if largest["reason"] in _NO_ANSWER:
        return t("Most is lost to “{reason}”: {lost} ({n} of {total} losing customers).", **values)
    return t("Most is lost to “{reason}”: {lost} ({n} of {total} losing customers); without it they would earn {without}.", **values)


_NO_ANSWER = ("goods", "several")  # what they would earn without says nothing: goods at list price earn nothing, several stay


def resources_finding(deciles: pd.DataFrame) -> str:
    """Return what the least profitable tenth takes and gives. deciles: the table of this name."""
    last = deciles.iloc[-1]
    taken = [
        t("{share} ({resource})", share=value_text(last[name], "share"), resource=label)
        for name, label in resources(deciles).items()
        if name != "cost_to_serve_share"
    ]
    text = t(
        "The least profitable tenth of customers gives {given} of profit and takes, of all we spend: {taken}.",
        given=value_text(last["profit_share"], "share"),
        taken=t(", ").join(taken),
    )
    return text + few_note(deciles["customers"].sum())


def rewards_finding(tiers: pd.DataFrame, *, currency: str) -> str:
    """Return what each tier gets back. tiers: the table reinvestment."""
    if tiers.empty:
        return t("No customer with a purchase matches the filters.")
    rates = [
        t(
            "{tier} {rate} ({each} each)",
            tier=t(TIERS[tier]),
            rate=value_text(rate, "share"),
            each=value_text(each, "money_per_customer", currency),
        )
        for tier, rate, each in zip(tiers["tier"], tiers["reinvestment_rate"], tiers["reward_per_customer"], strict=True)
    ]
    return t("Given back in rewards, of profit before rewards: {rates}.", rates=t(", ").join(rates))


def stability_finding(stability: pd.DataFrame) -> str:
    """Return how many of the best stayed in the last two years, and how much of the change is chance. stability: the table."""
    if stability.empty:
        return t("To see who stays at the top, the data must hold two years.")
    last = stability.iloc[-1]
    if is_unknown(last.stayed_share):
        return t("Of the customers that match the filters nobody bought in the first of the last two years.")
    values = {
        "stayed": value_text(last.stayed_share, "share"),
        "by_chance": value_text(last.by_chance, "share"),
        "unchanged": value_text(last.unchanged, "share"),
        "explained": value_text(min((1 - last.unchanged) / (1 - last.stayed_share), 1.0) if last.stayed_share < 1 else math.nan, "share"),
    }
    if is_unknown(last.unchanged):
        return t("{stayed} of the best 20% are among the best 20% again a year later; by lot it would be {by_chance}.", **values)
    if last.stayed_share >= last.unchanged_low:
        return t(
            "{stayed} of the best 20% are among them again a year later: no more change than chance makes ({unchanged} if nobody changed).",
            **values,
        )
    return t(
        "{stayed} of the best 20% are among them again a year later; if nobody changed {unchanged} would: chance explains {explained} of "
        "the change.",
        **values,
    )


def customers_finding(customers: pd.DataFrame, *, currency: str) -> str:
    """Return who brings most. customers: the table of this name."""
    if customers.empty:
        return t("No customer with a purchase matches the filters.")
    best = customers.iloc[0]
    name = safe_text(str(best["customer_id"] if is_unknown(best["customer_name"]) else best["customer_name"]))
    if is_unknown(best["profit"]):
        return t("The largest customer is {name} with {revenue}.", name=name, revenue=value_text(best["net_revenue"], "money", currency))
    return t("The most profitable customer is {name} with {profit}.", name=name, profit=value_text(best["profit"], "money", currency))


def resources(deciles: pd.DataFrame) -> dict[str, str]:
    """Return the resources that are recorded. deciles: the table of this name."""
    known = [name for name in RESOURCES if deciles[name].notna().any()]
    return {name: t(RESOURCES[name]) for name in known if not (name == "visit_cost_share" and "visit_minutes_share" in known)}


def note(question: str, summary: pd.DataFrame, basis: pd.DataFrame) -> str:
    """Return what the reader should know before the figure of a question. summary, basis: the tables of these names."""
    if question == "steps":
        return _not_recorded(summary, has_customer_costs=bool(basis["has_customer_costs"].iloc[0]))
    if question == "losing":
        has_discounts = bool(summary.set_index("part")["is_known"]["discount"])
        cut = (
            [] if has_discounts else [t("Discounts are not recorded apart from the price: where it was cut, the reason is cost of goods.")]
        )
        return t(" ").join([*cut, t("Choose a bar to see its customers; a click on a row opens the customer.")])
    return ""


def _not_recorded(summary: pd.DataFrame, *, has_customer_costs: bool) -> str:
    """Return which parts are not taken off. has_customer_costs: else it is said elsewhere that those of customers are left out."""
    missing = summary[~summary["is_known"].astype(bool) & ~summary["is_total"].astype(bool)]
    if not has_customer_costs:
        missing = missing[~missing["part"].isin(CUSTOMER_PARTS)]
    is_elsewhere = missing["known_anywhere"].astype(bool)
    texts = (
        (missing.loc[~is_elsewhere, "part"], noop("Not recorded, and so not taken off: {parts}.")),
        (missing.loc[is_elsewhere, "part"], noop("None booked in this period, and so not taken off: {parts}.")),
    )
    return t(" ").join(t(text, parts=t(", ").join(t(PARTS[part]) for part in parts)) for parts, text in texts if len(parts))

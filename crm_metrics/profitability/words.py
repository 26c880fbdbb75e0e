"""The findings of the room and of its curves in words, made from its tables; those of the other questions: see answer_words."""

from typing import Any

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import noop, t, translated
from crm_metrics.metric import Metric, is_unknown, value_text
from crm_metrics.profitability.concentration import TOP_PERCENTS, top_count
from crm_metrics.profitability.labels import CUSTOMER_PARTS, ENTITIES, MEASURES, is_few, measured, shown_name
from crm_metrics.profitability.metrics import (
    CUSTOMERS_FOR_80_PERCENT,
    GINI_OF_REVENUE,
    LOSING_CUSTOMERS,
    LOST_TO_LOSING_CUSTOMERS,
    METRICS,
    PEAK_SHARE,
    PROFIT,
    PROFIT_OF_TOP_FIFTH,
    REVENUE_OF_TOP_FIFTH,
)

QUESTIONS: dict[str, str] = {
    "curve": noop("Who earns it?"),
    "steps": noop("Where does it go?"),
    "losing": noop("Who loses, and why?"),
    "what_if": noop("What if?"),
    "resources": noop("Our efforts"),
    "rewards": noop("Rewards"),
    "stability": noop("Year to year"),
    "customers": noop("Customers"),
}
_NEED_PROFIT = {"losing", "what_if", "resources", "rewards"}
ALT_TEXTS: dict[str, str] = {  # by the name of the figure
    "curve": noop("Curve: cumulative share of the total by share of those who bring it, those who bring most first; above 100% some lose."),
    "lorenz": noop("Lorenz curve of net revenue with the line of all alike."),
    "steps": noop("Bars, each beginning where the one above ends: from list revenue to profit."),
    "losing": noop("Bars: what is lost to customers, by reason."),
    "what_if": noop("Two curves of cumulative profit over the share of customers: today and then."),
    "resources": noop("Bars: share of a resource beside share of profit, by tenth of customers."),
    "rewards": noop("Bars: rewards as a share of profit before rewards, by tier."),
    "stability": noop("Points with intervals: share of the top fifth that is in it again a year later, beside what chance explains."),
}
NOTES: dict[str, str] = {  # by the name of the figure or table
    "curve": noop(
        "Those who bring most come first, so the curve climbs fast and then flattens; where it goes down again, each one loses money. "
        "Grey marks: what is told of other companies, be it of calls, rentals or profit; they are no targets. Sales without a customer, "
        "and costs that nobody caused, are not in the curve of customers."
    ),
    "lorenz": noop(
        "The more the curve hangs below the line, the more unequal. Gini: twice the area between them, 0 where all bring the same; who "
        "gave back more than was bought counts 0. For profit a Gini means nothing, because some are below zero."
    ),
    "steps": noop(
        "Returns: goods given back, at the price they were sold for. Discounts: those given off the list price. Nobody's: costs that no "
        "one customer caused, such as the spend of a campaign without members."
    ),
    "losing": noop(
        "The reason is the largest part that, brought to zero, would alone make the customer earn; “several together” where none would. "
        "“Cost of goods”: the goods cost more than they would bring at list price."
    ),
    "what_if": noop(
        "Cheaper service takes the share off every customer's cost to serve. Discounts are capped order by order, at a share of the "
        "order's list price; the customer buys all the same, and goods given back in an order of their own are paid back at what they "
        "would then have cost. Purchases below the minimum are not placed: their revenue and cost of goods go, and the customer's cost of "
        "delivery in proportion to the orders. What was given back of them in an order of its own stays, because nothing says which "
        "purchase it was of. Nobody buys anything else because of it: this is arithmetic, no forecast."
    ),
    "resources": noop(
        "Tenths of the customers by profit. A resource is shown where it is recorded. What it costs is taken off profit, so those who "
        "take much of it stand lower because of it."
    ),
    "rewards": noop("Cost of rewards / profit before rewards, by tier of that profit: the top 5%, the next 15%, the rest."),
    "stability": noop(
        "Of the top 20% of one year's customers, the share that is in the top 20% a year later, with its 95% Wilson interval. “If nobody "
        "changed”: the orders of both years dealt out to the years by lot, 200 times; what is missing to 100% there is chance alone."
    ),
}
DRAWN: dict[str, tuple[Metric, ...]] = {  # by the name of the figure
    "curve": (PROFIT_OF_TOP_FIFTH, CUSTOMERS_FOR_80_PERCENT, PEAK_SHARE),
    "lorenz": (GINI_OF_REVENUE,),
    "steps": (PROFIT,),
    "losing": (LOSING_CUSTOMERS, LOST_TO_LOSING_CUSTOMERS),
    "what_if": (PROFIT,),
}


def questions(basis: pd.DataFrame, summary: pd.DataFrame) -> dict[str, str]:
    """Return the questions that these data can answer. basis, summary: the tables of these names."""
    state, parts = basis.iloc[0], summary.set_index("part")
    missing = set() if state.has_profit else set(_NEED_PROFIT)
    if not (parts.loc[list(CUSTOMER_PARTS), "of_customers"] < 0).any():
        missing |= {"resources"}
    if not parts.loc["rewards", "is_known"]:
        missing |= {"rewards"}
    return {name: t(label) for name, label in QUESTIONS.items() if name not in missing}


def groupings() -> dict[str, str]:
    """Return by what can be grouped."""
    return translated(ENTITIES)


def measures(basis: pd.DataFrame) -> dict[str, str]:
    """Return what can be added up: profit where it is known, and revenue."""
    known = {"profit": t("profit"), "net_revenue": t("net revenue")}
    return known if basis.iloc[0].has_profit else {"net_revenue": known["net_revenue"]}


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(tiles: pd.DataFrame, *, currency: str) -> str:
    """Return the room's finding. tiles: the table of this name."""
    rows = {str(row.metric): row for row in tiles.itertuples()}
    if PROFIT.name not in rows:
        return _revenue_finding(rows) + few_note(tiles["n"].iloc[0])
    losing: Any = rows[LOSING_CUSTOMERS.name]
    if not losing.n:
        return t("No customer with a purchase matches the filters.")
    share, lost, profit = (_value(rows, metric) for metric in (PROFIT_OF_TOP_FIFTH, LOST_TO_LOSING_CUSTOMERS, PROFIT))
    values = {
        "share": value_text(share, "share"),
        "profit": value_text(profit, "money", currency),
        "losing": f"{losing.value:,.0f}",
        "n": f"{losing.n:,.0f}",
        "lost": value_text(lost, "money", currency),
    }
    if is_unknown(share):
        text = t("Together the {n} customers earn nothing ({profit}); {losing} of them lose {lost} between them.", **values)
    elif not losing.value:
        text = t("The best 20% of customers earn {share} of profit; none of the {n} loses money.", **values)
    else:
        text = t("The best 20% of customers earn {share} of profit; {losing} of {n} lose {lost} between them.", **values)
    return text + few_note(tiles["n"].iloc[0])


def few_note(customers: float) -> str:
    """Return what is said after a finding about so few customers that its shares say little; else nothing."""
    return t(" ") + t("With so few customers the shares say little.") if 0 < customers < FEW_CUSTOMERS else ""


def _revenue_finding(rows: dict[str, Any]) -> str:
    top = rows[REVENUE_OF_TOP_FIFTH.name]
    if is_unknown(top.value):
        return t("No customer with a purchase matches the filters.")
    return t(
        "The top 20% of {n} customers bring {share} of net revenue; what they earn is not known, because costs are missing.",
        n=f"{top.n:,.0f}",
        share=value_text(top.value, "share"),
    )


def _value(rows: dict[str, Any], metric: Metric) -> float:
    return float(rows[metric.name].value)


def missing_note(basis: pd.DataFrame) -> str:
    """Return what is missing for a profit per customer. basis: the table of this name."""
    state, texts = basis.iloc[0], []
    if not state.has_profit:
        is_none = is_unknown(state.cost_coverage) or state.cost_coverage == 0
        texts.append(
            t("No costs of goods are recorded, so this page is about net revenue.")
            if is_none
            else t(
                "Costs of goods are known for only {share} of net revenue, so this page is about net revenue.",
                share=value_text(state.cost_coverage, "share"),
            )
        )
    elif not state.has_customer_costs:
        texts.append(
            t("Costs to serve and marketing can't be split by region, channel or category: under these filters profit is gross margin.")
        )
    elif not state.has_cost_to_serve and not state.has_marketing:
        texts.append(t("No cost to serve and no marketing is booked in this period: profit is gross margin."))
    elif not state.has_cost_to_serve:
        texts.append(t("No cost to serve is booked in this period: profit is gross margin less marketing."))
    elif not state.has_marketing:
        texts.append(t("No marketing is booked in this period: profit is gross margin less cost to serve."))
    if not state.has_profit and state.without_purchase:
        texts.append(
            t(
                "{idle} of the {n} customers bought nothing in the period but cost something or sent goods back.",
                idle=f"{int(state.without_purchase):,}",
                n=f"{int(state.customers):,}",
            )
        )
    elif state.without_purchase:
        texts.append(
            t(
                "{idle} of the {n} customers bought nothing in the period but cost something or sent goods back; {losing} of those who "
                "lose money are among them.",
                idle=f"{int(state.without_purchase):,}",
                n=f"{int(state.customers):,}",
                losing=f"{int(state.losing_without_purchase):,}",
            )
        )
    if state.undated_costs:
        texts.append(t("{n} costs without a day are counted.", n=f"{int(state.undated_costs):,}"))
    return t(" ").join(texts)


def curve_finding(curve: pd.DataFrame, held: pd.DataFrame, *, by: str, measure: str) -> str:
    """Return how concentrated it is. curve, held: the tables curve and concentration."""
    row, entities, name = held.iloc[0], t(ENTITIES[by]), t(MEASURES[measured(by, measure)])
    if row.entities == 1:
        return t("Among the {entities} there is only one, so there is nothing to share out.", entities=entities)
    if not row.entities or not row.total > 0:
        return t("There is no {measure} to share out among the {entities}.", measure=name, entities=entities)
    values = {
        "k": f"{int(row.entities_for_80):,}",
        "n": f"{int(row.entities):,}",
        "share": value_text(row.share_for_80, "share"),
        "entities": entities,
        "measure": name,
        "erosion": value_text(row.erosion, "share"),
    }
    if is_few(curve):
        first = curve.iloc[0]
        return t(
            "Of {n} {entities} {name} brings most: {share} of {measure}.",
            **values | {"name": safe_text(shown_name(first["name"])), "share": value_text(first["cumulative_share"], "share")},
        )
    if row.losing and measure == "profit":
        text = t(
            "{k} of {n} {entities} ({share}) bring 80% of {measure}; what the losing ones take away again comes to {erosion} of it.",
            **values,
        )
    else:
        text = t("{k} of {n} {entities} ({share}) bring 80% of {measure}.", **values)
    return text if is_unknown(row.gini) else text + t(" ") + t("Gini {gini}.", gini=value_text(row.gini, "ratio"))


# ── what stands beside the figures and in the tables ────────────────────────────────────────────────────────────────────


_CAPTIONS = Captions(ALT_TEXTS, NOTES, DRAWN)
about, remark = _CAPTIONS.about, _CAPTIONS.remark


def shown_metrics(tiles: pd.DataFrame) -> tuple[Metric, ...]:
    """Return the metrics of the rows of `tiles`, in their order."""
    by_name = {metric.name: metric for metric in METRICS}
    return tuple(by_name[name] for name in tiles["metric"])


def concentration_table(curve: pd.DataFrame, held: pd.DataFrame, *, by: str) -> tuple[str, pd.DataFrame]:
    """Return which table stands under the curve (a key of COLUMNS) and its rows: few entities by name, else what the top ones hold.

    curve, held: the tables curve and concentration.
    """
    row = held.iloc[0]
    if is_few(curve):
        return "entities", curve.assign(name=[shown_name(name) for name in curve["name"]])
    counts = [top_count(percent, int(row.entities)) for percent in TOP_PERCENTS]
    names = [
        t("{percent}%: {n} of {total} {entities}", percent=percent, n=f"{n:,}", total=f"{int(row.entities):,}", entities=t(ENTITIES[by]))
        for percent, n in zip(TOP_PERCENTS, counts, strict=True)
    ]
    shares = pd.DataFrame({"top": names, "held": [row[f"top_{percent}"] for percent in TOP_PERCENTS]})
    return "shares", shares.dropna()  # nothing is shared out where there is no profit


def can_compare(held: pd.DataFrame) -> bool:
    """Return whether there is more than one to compare, and what they bring is known. held: the table concentration."""
    return bool(held["entities"].iloc[0] > 1 and held["total"].notna().iloc[0])


def has_lorenz(held: pd.DataFrame) -> bool:
    """Return whether there is a Lorenz curve to show. held: the table concentration."""
    return not is_unknown(held["gini"].iloc[0])

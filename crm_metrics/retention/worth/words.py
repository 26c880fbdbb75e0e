"""The findings in words, made from the tables; what stands beside the figures."""

from typing import Any, cast

import pandas as pd

from crm_metrics.captions import Captions
from crm_metrics.export import safe_text
from crm_metrics.intervals import FEW_CUSTOMERS
from crm_metrics.language import date_text, noop, t
from crm_metrics.metric import Metric, change_text, is_unknown, value_text
from crm_metrics.retention.worth import metrics
from crm_metrics.retention.worth.labels import BYS, MEASURES, TENURE_MEASURES, cohort_name
from crm_metrics.retention.worth.terms import By

QUESTIONS: dict[str, str] = {
    "payback": noop("Payback"),
    "channels": noop("Channels"),
    "retention": noop("What retention is worth"),
    "keeping": noop("Keeping or winning"),
    "tenure": noop("Long-term customers"),
}
ALT_TEXTS: dict[str, str] = {
    "payback": noop("Lines over the months since the first purchase: what a customer has brought, less the acquisition cost."),
    "channels": noop("Points with intervals: what a customer of each channel has earned after twelve months."),
    "retention": noop(
        "Line: rise of the value of the customers by points more retention, beside what the literature tells of five points."
    ),
    "tenure": noop("Points with intervals by years since the first purchase: order value, discount, cost to serve, referrals."),
    "keeping": noop("Two bars: cost of keeping and of winning a customer, with a line at one fifth of winning."),
}
NOTES: dict[str, str] = {
    "payback": noop(
        "Customers whose first purchase matches the filters, whenever up to the last day it was. Only whole months count, and at each "
        "age only customers who came so long ago: each point divides by fewer. Dotted: fewer than 300 customers; under 30 nothing is "
        "drawn. The line starts at minus the acquisition cost and has paid back where it crosses zero. Band: 95% t-interval of the "
        "mean; with skewed amounts it is too narrow (with 100 customers it holds the truth in 78% of cases, with 1,000 in 91%)."
    ),
    "channels": noop(
        "What customers who came at least twelve months ago brought in their first twelve months, less what winning a customer of the "
        "channel costs, whenever it came. Cost to serve is not taken off. The interval is that of what they brought; the cost is taken as "
        "known."
    ),
    "retention": noop(
        "Value of a customer from the next year on: margin a year x r / (1 + d - r), discount d = 10%. r: share of the customers of a year "
        "ago who bought in the last year; the band is its 95% Wilson interval. Five points: r + 0.05; five percent: r x 1.05. The "
        "literature (Reichheld and Schefter 2000) tells of 25 to 95% more profit from “5%” more, points or percent, of firms whose "
        "customers mostly stayed; the higher r is, the more a point brings. Margins and growth of single customers are taken to stay as "
        "they are."
    ),
    "tenure": noop(
        "The source says that customers who stay cost less to serve, spend more per purchase, ask for fewer discounts and refer "
        "others. Here are the customers with an order or a cost in the period, by whole years from their first purchase to its end: "
        "ratios of sums with 95% intervals. Cost to serve and referrals: only of those who were there for the whole period, as others had "
        "less time for them, and bought in it. Those who stayed for years are those who were content: this does not say that staying "
        "made them so. Years of fewer than 30 customers are left out."
    ),
    "keeping": noop(
        "Keeping: spend on campaigns of the kinds retention, win-back and cross-sell, and rewards, in the period, divided by the customers "
        "at its beginning who stayed. Winning: cost of the customers won in the period (without it the spend of acquisition campaigns), "
        "divided by new customers. Rule of thumb: keeping costs one fifth of winning."
    ),
}
DRAWN: dict[str, tuple[Metric, ...]] = {
    "payback": (metrics.PAYBACK_MONTH, metrics.ACQUISITION_COST),
    "channels": (metrics.VALUE_12_MONTHS, metrics.VALUE_TO_COST),
    "retention": (metrics.FIVE_POINTS,),
    "keeping": (metrics.KEEPING_TO_WINNING,),
}
_CAPTIONS = Captions(ALT_TEXTS, NOTES, DRAWN)
about, remark = _CAPTIONS.about, _CAPTIONS.remark


def questions(basis: pd.DataFrame) -> dict[str, str]:
    """Return the questions that these data can answer. basis: the table payback_basis."""
    missing = set() if basis["has_channels"].iloc[0] else {"channels"}
    return {name: t(label) for name, label in QUESTIONS.items() if name not in missing}


def bys(basis: pd.DataFrame) -> dict[str, str]:
    """Return how customers can be put together. basis: the table payback_basis."""
    missing = set() if basis["has_channels"].iloc[0] else {"acquisition_channel"}
    return {name: t(label) for name, label in BYS.items() if name not in missing}


def chosen_by(name: str) -> By:
    """Return the grouping of that name."""
    return cast("By", name)


def measure_name(basis: pd.DataFrame) -> str:
    """Return what is brought, in words. basis: the table payback_basis."""
    return t(MEASURES[basis["measure"].iloc[0]])


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(months: pd.DataFrame, basis: pd.DataFrame, *, currency: str) -> str:
    """Return the page's finding. months, basis: the tables payback_months of all customers and payback_basis."""
    if months.empty:
        return t("No customer with a purchase matches the filters.")
    row = months.iloc[0]
    values = {
        "cost": value_text(row.acquisition_cost, "money_per_customer", currency),
        "value": value_text(row.value_12_months, "money_per_customer", currency),
        "measure": measure_name(basis).lower(),
        "month": f"{row.payback_month:.0f}",
        "n": f"{int(row.customers_12_months):,}",
    }
    if is_unknown(row.value_12_months):
        text = t("Fewer than 30 customers came twelve months ago or earlier, too few to tell what a customer brings in a year.")
    else:
        text = t("In the first 12 months a customer brings {value} of {measure} ({n} customers).", **values)
    if is_unknown(row.acquisition_cost):
        return text + t(" ") + t("There is no payback, because no acquisition cost is recorded.")
    if is_unknown(row.payback_month):
        return text + t(" ") + t("Winning one costs {cost}, which has not come back yet.", **values)
    return text + t(" ") + t("Winning one costs {cost}, which is back by month {month}.", **values)


def basis_note(basis: pd.DataFrame) -> str:
    """Return what payback stands on. basis: the table payback_basis."""
    row, texts = basis.iloc[0], []
    if not row.customers:
        return ""
    texts.append(t("All customers won up to {day}, whenever.", day=date_text(row.today.date())))
    if row.measure == "net_revenue":
        texts.append(t("Costs of goods are not known enough: net revenue stands for margin, so payback looks earlier than it is."))
    if row.cost_from == "campaigns":
        texts.append(t("Acquisition cost: spend of acquisition campaigns divided by all customers won."))
    elif row.cost_from == "customers" and row.costed < row.customers:
        texts.append(t("The acquisition cost is known for {n} of {all} customers.", n=f"{row.costed:,}", all=f"{row.customers:,}"))
    return t(" ").join(texts)


def has_lines(ages: pd.DataFrame) -> bool:
    """Return whether there are customers enough for a line. ages: the table payback."""
    return bool((~ages["is_small"].astype(bool)).any())


def payback_finding(months: pd.DataFrame, *, by: str) -> str:
    """Return which group pays back first and last. months: the table payback_months."""
    if by == "all" or len(months) < 2:
        return ""
    known = months.dropna(subset=["payback_month"])
    if known.empty:
        return t("No group has paid back yet, or its cost is not known.")
    order = known.sort_values("payback_month", kind="stable")
    first, last = order.iloc[0], order.iloc[-1]
    values = {"first": safe_text(cohort_name(first["cohort"], by)), "last": safe_text(cohort_name(last["cohort"], by))}
    if first.payback_month == last.payback_month:
        return t("All groups whose cost is known pay back by month {month}.", month=f"{first.payback_month:.0f}")
    return t(
        "{first} is first to pay back, by month {month}; {last} last, by month {late}.",
        month=f"{first.payback_month:.0f}",
        late=f"{last.payback_month:.0f}",
        **values,
    )


def channels_finding(quality: pd.DataFrame, *, currency: str) -> str:
    """Return which channel's customers earn most and least. quality: the table acquisition_quality."""
    known = quality.dropna(subset=["profit_12_months"]).sort_values("profit_12_months", ascending=False, kind="stable")
    if known.empty:
        return t("No channel has both a known acquisition cost and 30 customers of twelve months.")
    best, worst = known.iloc[0], known.iloc[-1]
    values = {
        "best": safe_text(cohort_name(best["cohort"], "acquisition_channel")),
        "profit": value_text(best.profit_12_months, "money_per_customer", currency),
        "worst": safe_text(cohort_name(worst["cohort"], "acquisition_channel")),
        "least": value_text(worst.profit_12_months, "money_per_customer", currency),
    }
    if len(known) == 1:
        return t("After 12 months a customer won by {best} has earned {profit}.", **values)
    return t("After 12 months a customer won by {best} has earned {profit}, one won by {worst} {least}.", **values)


def lever_finding(levers: pd.DataFrame, *, currency: str) -> str:
    """Return what five points and five percent are worth. levers: the table five_points."""
    rows = levers.set_index("lever")
    points: Any = rows.loc["five_points"]
    if is_unknown(points.change_share):
        return t("Nobody was a customer a year before the last day, so retention is not known.")
    values = {
        "retention": value_text(points.retention, "share"),
        "points": change_text(points.change_share),
        "money": value_text(points.money, "money", currency),
        "percent": change_text(float(rows["change_share"]["five_percent"])),
        "falls": t({"below": noop("less than"), "within": noop("within"), "above": noop("more than")}[points.falls]),
    }
    text = t(
        "{retention} stay a year. Five points more would be worth {points} ({money}), five percent more {percent}; the literature tells of "
        "25 to 95%: ours is {falls} that.",
        **values,
    )
    if points.is_opening_cut:
        text += t(" ") + t(
            "The data begin within the year before, so only some of the customers of a year ago are known: others may stay more or less "
            "often."
        )
    return text + (t(" ") + t("With so few customers the shares say little.") if points.opening < FEW_CUSTOMERS else "")


def keeping_finding(keeping: pd.DataFrame, *, currency: str) -> str:
    """Return what keeping costs beside winning. keeping: the table keeping_cost."""
    row = keeping.iloc[0]
    values = {
        "keeping": value_text(row.keeping_per_customer, "money_per_customer", currency),
        "winning": value_text(row.winning_per_customer, "money_per_customer", currency),
        "ratio": value_text(row.ratio, "ratio"),
    }
    if is_unknown(row.keeping_per_customer) and is_unknown(row.winning_per_customer):
        return t("Neither the cost of keeping a customer nor that of winning one is recorded for this choice.")
    if is_unknown(row.ratio):
        return t("Keeping one customer costs {keeping}, winning one {winning}; a dash is not known.", **values)
    return t(
        "Keeping one customer costs {keeping}, winning one {winning}: a ratio of {ratio}, against 0.20 by the rule of thumb.", **values
    )


def tenure_finding(tenure: pd.DataFrame, *, currency: str) -> str:
    """Return how the longest customers differ from the newest, measure by measure. tenure: the table of this name."""
    told = tenure[~tenure["is_small"].astype(bool)].dropna(subset=["low", "high"])
    texts, years = [], 0
    for measure, (label, unit) in TENURE_MEASURES.items():
        rows = told[told["measure"] == measure]
        if len(rows) > 1:
            first, last = rows.iloc[0], rows.iloc[-1]
            years = int(last.tenure_years)
            is_same = first.low <= last.high and last.low <= first.high
            change = t("no clear difference") if is_same or not first.value else change_text(last.value / first.value - 1)
            name = t(label)
            texts.append(f"{name[:1].lower()}{name[1:]} {value_text(last.value, unit, currency)} ({change})")
    if not texts:
        return t("Customers of different years can't be compared yet: too few have been customers for more than one.")
    return t("In year {year} after the first purchase, beside the newest customers: {changes}.", year=years, changes=t("; ").join(texts))


def has_rows(rows: pd.DataFrame) -> bool:
    """Return whether there is anything to draw: profits of channels, costs of keeping, years; retention where it is known."""
    known = [name for name in ("profit_12_months", "keeping_per_customer", "winning_per_customer", "change_share", "value") if name in rows]
    return bool(len(rows) and rows[known].notna().any(axis=None))


def shown_metrics(tiles: pd.DataFrame) -> tuple[Metric, ...]:
    """Return the metrics of the tiles whose value is known, in their order; the finding says why others are not."""
    by_name = {metric.name: metric for metric in metrics.METRICS}
    return tuple(by_name[name] for name in tiles.loc[tiles["value"].notna(), "metric"])

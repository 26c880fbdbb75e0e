"""Which customers earn the money?

metrics        what each number means
query          products, regions and channels; small orders; customers year by year
statistic      the steps to profit, deciles, who loses and why, rewards by tier
concentration  the whale, Pareto and Lorenz curves and what the top holds
what_if        what a change of terms would do
stability      whether the best customers stay the best
tables         the tables made of them
labels         what parts, reasons, resources and columns are called
figure         the bars
curves         the curves
words          the findings of the room and of its curves in words
answer_words   those of the other questions
what_if_words  the sliders, and what they would change in words
answers        which table, sentence and figure answer which question of the page
"""

from crm_metrics.profitability.metrics import METRICS
from crm_metrics.profitability.tables import (
    basis,
    concentration,
    curve,
    customers,
    deciles,
    headline,
    losing,
    losing_reasons,
    queries,
    references,
    reinvestment,
    stability,
    steepest_discount,
    summary,
    tiles,
    what_if,
    what_if_curve,
)
from crm_metrics.profitability.what_if import WhatIf
from crm_metrics.rooms import Table

TABLES: dict[str, Table] = {
    "tiles": tiles,
    "summary": summary,
    "customers": customers,
    "curve": curve,
    "concentration": concentration,
    "deciles": deciles,
    "losing": losing,
    "losing_reasons": losing_reasons,
    "what_if": what_if,
    "what_if_curve": what_if_curve,
    "steepest_discount": steepest_discount,
    "reinvestment": reinvestment,
    "stability": stability,
    "references": references,
    "basis": basis,
}

__all__ = [
    "METRICS",
    "TABLES",
    "WhatIf",
    "basis",
    "concentration",
    "curve",
    "customers",
    "deciles",
    "headline",
    "losing",
    "losing_reasons",
    "queries",
    "references",
    "reinvestment",
    "stability",
    "steepest_discount",
    "summary",
    "tiles",
    "what_if",
    "what_if_curve",
]

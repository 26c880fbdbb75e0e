"""How customers are put together, and over how long."""

from typing import Literal

By = Literal["all", "year", "quarter", "acquisition_channel"]
"""All together, by the year or quarter of the first purchase, or by how they were won."""
YEAR_MONTHS = 12
MOST_MONTHS = 60
DISCOUNT_RATE = 0.10
"""A year, as in Lifetime value."""
KEEPING_KINDS = ("retention", "win-back", "cross-sell")
WINNING_KIND = "acquisition"
"""Kinds of campaigns: those that keep customers, and the one that wins them."""
LITERATURE = (0.25, 0.95)
"""By how much profit rises with five per cent more retention: Reichheld and Schefter (2000), Harvard Business Review 78(4), 105-113."""
ONE_FIFTH = 0.2
"""What keeping a customer is said to cost of winning one."""

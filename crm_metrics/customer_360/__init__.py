"""Who is this customer? Profile, orders, value, P(alive) over time and the day the next order is due.

This room only gathers. It shows the whole history of one customer up to the as-of date: of the filters it reads `customer`, the as-of
date and the scope. A customer of whom the reader may see no order does not exist for that reader.

query      one customer's profile, orders and lines; the search
statistic  tiles, rhythm, next order, P(alive) over time
habits     usual day, rhythm, basket, prices, channel, category
gather     the tables made of them and of the lifetime value room's models
figure     the picture
words      the finding and every other sentence
"""

from crm_metrics.customer_360.gather import TABLES
from crm_metrics.customer_360.statistic import METRICS, TILES

__all__ = ["METRICS", "TABLES", "TILES"]

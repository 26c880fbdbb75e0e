"""Who is alive, and what is each customer expected to bring? Rooms share it, so that the models are fitted once for all of them.

query      purchase histories
statistic  the value of a purchase, P(alive) where it is a finding
rhythm     who is late against their own rhythm
forecast   the models, fitted once per version, scope and as-of date, and what they expect
"""

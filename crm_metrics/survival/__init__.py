"""How long something lasts when not all of it has ended yet. Rooms share it; counts come in, so that big data never leave the database.

kaplan_meier             the share that lasts, with its band
aalen_johansen           the share that ends in each of several ways, with its band
shifted_beta_geometric   the same beyond what was seen, for contracts that are renewed period by period
"""

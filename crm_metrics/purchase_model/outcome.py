"""What may in fact come? One outcome per customer, drawn from a BG/NBD or MBG/NBD and a Gamma-Gamma model given each history.

An expectation says what customers bring on average; what they then do scatters around it even if every parameter were known. Given
that a customer with x repeats is active at age T, the likelihood is (1 - p)^x lambda^x e^(-lambda T) (Fader, Hardie and Lee 2005,
appendix), so lambda ~ Gamma(r + x, alpha + T) and p ~ Beta(a, b + x), x + 1 in the MBG/NBD, are independent. The customer may leave
after each purchase: at most Geometric(p) more come, 1 at least.
"""

import numpy as np
from numpy.random import Generator

from crm_metrics.purchase_model.groups import Floats
from crm_metrics.purchase_model.model import Model
from crm_metrics.purchase_model.score import Spent, extra_chance

_NEVER_LEAVES = 1e-12  # a smaller chance to leave is drawn as this one: a million million purchases away


def drawn_purchases(model: Model, at: tuple[Floats, Floats], *, alive: Floats, weeks: float, random: Generator) -> Floats:
    """Return how often each customer buys in the next `weeks`, drawn once. at: frequency and age in weeks; alive: P(alive)."""
    r, alpha, a, b = model.values()
    active = np.flatnonzero(random.random(len(alive)) < alive)
    x, age = at[0][active], at[1][active]
    bought = random.poisson(random.gamma(r + x, weeks / (alpha + age)))
    may_leave = np.flatnonzero(bought > 1)  # whoever leaves does so after a purchase: the first always comes
    chance = random.beta(a, b + x[may_leave] + extra_chance(model))
    bought[may_leave] = np.minimum(bought[may_leave], random.geometric(np.clip(chance, _NEVER_LEAVES, 1.0)))
    drawn = np.zeros(len(alive))
    drawn[active] = bought
    return drawn


def drawn_spend(model: Model, spent: Spent, *, purchases: Floats, random: Generator) -> Floats:
    """Return what each customer spends on `purchases`, drawn once; 0 for none.

    Fader and Hardie (2013), notes/025: purchases of one customer are Gamma(p, nu), so n of them Gamma(p n, nu), and nu ~ Gamma(q, v)
    becomes Gamma(q + p x, v + x z) after x purchases of mean z; with none of known value it is that of all customers.
    """
    p, q, v = model.values()
    buyers = np.flatnonzero(purchases > 0)
    level = random.gamma(q + p * spent.purchases[buyers]) / (v + spent.total[buyers])
    drawn = np.zeros(len(purchases))
    drawn[buyers] = random.gamma(p * purchases[buyers]) / level
    return drawn

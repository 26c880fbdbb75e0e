"""How often will they buy again, and what will they spend? BG/NBD, MBG/NBD, Pareto/NBD and Gamma-Gamma.

gate        is there enough data for a model?
groups      customers with one history merged into one weighted row
likelihood  the log-likelihoods, with gradients
fit         point estimates (lifetimes' fitters) with standard errors
score       P(alive), expected purchases, expected spend
value       discounted value over a real horizon of calendar months
bootstrap   both models refitted to resamples of the customers
outcome     what each customer may in fact do, drawn once
prediction  prediction intervals of any choice of customers
holdout     forecast against what happened, beside a naive baseline

Frames in; frozen dataclasses and frames out. The time unit of every parameter is the week: days / 7, never rounded.
This file stays empty, so that importing one part does not load the others.
"""

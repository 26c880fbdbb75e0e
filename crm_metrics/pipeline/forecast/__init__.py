"""What the quarter will bring, and how right earlier forecasts were.

metrics     what each number means
terms       which quarter
query       every change of the deals, and the quotas
history     the deals' visits to their stages, and how they stood on any day
seen        the moves and deal-days of their stages up to any day, and the pace of the months within a quarter
snapshot    what a forecast needs of the deals at the end of a day, today or of many past ones at once
hazards     how fast deals move on from each stage, and what chance of a win follows
simulation  one forecast: won so far, open deals, reopened and new ones, drawn many times
scoring     forecasts of past quarters against what came, and how much more than by chance quarters differ
basis       what the tables rest on: the deals as they stand, the forecast, past ones
kept        the forecasts that were kept, against what came
tables      the tables made of them
figure      the distribution, and past forecasts
labels      what methods, parts and columns are called
words       the findings in words

Empty, so that importing one part loads no other.
"""

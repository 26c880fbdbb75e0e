"""Does it work? Tests that are drawn by lot: how many customers are needed, who is in which arm, and what came of it.

plan      the customers needed for a lift, the smallest lift that customers at hand can show, power
split     a stratified split into treated and control, and how alike its arms are
analyse   the difference, analysed as it was split, and whether the arms are as planned
sums      the same of many tests at once from sums, with what was before taken away (CUPED), and the sizes of several arms
resample  intervals and their coverage by drawing members again
repeated  intervals that hold at every look, and several tests beside each other

Numbers and frames in; frozen dataclasses, NamedTuples and frames out. A lift is relative to the outcome without the campaign.
This file stays empty, so that importing one part does not load the others.
"""

"""Who looks after whom, and where nobody does.

terms      after how many days without contact a deal is a blind spot
query      customers of each owner, last contacts of open deals, what service brought
statistic  owners, blind spots, completeness, deals handed on, hand-over times
tables     the tables of the page; metrics, words, labels, figure, answers: what goes with them
"""

"""Who looks after whom, and where nobody does.

terms       after how many days without contact a deal is a blind spot, and whom to call again
query       customers of each owner, last contacts of open deals, what service brought
statistic   owners, blind spots, completeness, deals handed on, hand-over times
repurchase  which customers should have bought again by now: their purchases, and what is expected of them
due_tables  the tables of it; due_words: its finding
tables      the tables of the page; metrics, words, labels, figure, answers: what goes with them
"""

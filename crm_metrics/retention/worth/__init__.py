"""When has a customer paid back, and what is more retention worth?

metrics    what each number means
terms      how customers are put together, and over how long
query      what customers bring by age, what they cost to win, what is spent on campaigns of each kind
statistic  value by age over those old enough, payback, what retention is worth
tables     the tables made of them
figure     the curves and bars
labels     what groups, levers and columns are called
words      the findings in words
answers    which table, sentence and figure answer which question

Empty, so that importing one part loads no other.
"""

"""When has a customer paid back, and what is more retention worth?

terms      how customers are put together
query      what customers bring by age, what they cost to win, what is spent on keeping them
statistic  value by age over those old enough, payback, what retention is worth
tables     the tables made of them
figure     the curves and bars
labels     what groups, levers and columns are called
words      the findings in words

Empty, so that importing one part loads no other.
"""

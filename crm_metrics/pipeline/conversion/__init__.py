"""How many are won in the end, and how long each stage takes, deals that are still open counted rightly.

metrics    what each number means
terms      how cohorts are made
query      which deals and leads ended after how many days, and which deals are open
statistic  stays in stages, shares by age, times in stages, deals that stall
tables     the tables made of them
figure     the curves and ranges
labels     what cohorts, ages and columns are called
words      the findings in words
"""

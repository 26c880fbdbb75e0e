"""How many are won in the end, and how long each stage takes, deals that are still open counted rightly.

metrics    what each number means
terms      how cohorts are made
query      which deals and leads ended after how many days, and how long each stay in a stage took
statistic  shares by age, times in stages, deals that stall
tables     the tables made of them
figure     the curves and ranges
labels     what cohorts, ages and columns are called
words      the findings in words
"""

"""How many of those who came together are still there?

metrics    what each number means
terms      how cohorts are made and counted
query      who belongs to a cohort, and what they did at which age
statistic  rates by age: cells, pooled curves, whether a cohort differs from the others
tables     the tables made of them
figure     the cohort table and the curves
labels     what terms, cohorts, ages and columns are called
words      the findings in words

Empty, so that importing one part loads no other.
"""

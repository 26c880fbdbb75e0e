"""What did campaigns cost, and what are they credited with?

metrics    what each number means
terms      by which rule an order is credited to campaigns
query      campaigns, their touches and the orders that came after
statistic  what they cost, what orders credit them with, what is left of that beside a control group
weighting  treated against like customers where nobody drew lots
tables     the tables made of them
figure     the pictures
labels     what rules, measures, arms and columns are called
words      the findings in words
answers    which table, sentence and figure answer which question

Empty, so that importing one part loads no other.
"""

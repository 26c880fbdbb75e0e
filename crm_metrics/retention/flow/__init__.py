"""Do we win as many as we lose?

metrics    what each number means
terms      when a customer counts as one, the windows that this means, and the plan of the simulator
query      customers by what became of them; purchases by where the customer's one before lies
statistic  the flows that add up, the life cycle, what must be won
tables     the tables made of them
figure     the bucket, the life cycle and what must be won
labels     what flows and columns are called
words      the findings in words

Empty, so that importing one part loads no other.
"""

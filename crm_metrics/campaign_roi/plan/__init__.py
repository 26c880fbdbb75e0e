"""Will the next campaign pay, and did the last ones do what was expected?

metrics          what each number means
terms            what the reader expects of a campaign
query            what the facts know of planned campaigns
economics        the chance of profit when lift and baseline are both uncertain
past             what to expect from the tests of the last campaigns
tables           what a campaign may bring, before it runs
figure           the pictures
words            the plan in words
verdicts         what came of a planned campaign against what was expected, and how good the planner is
decision_tables  the decision log
log_words        the decision log in words
free_decisions   decisions that readers wrote down

Empty, so that importing one part loads no other.
"""

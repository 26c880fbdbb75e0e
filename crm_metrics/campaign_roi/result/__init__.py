"""Did this campaign change what people did?

metrics         what each number means
terms           what the reader chooses
query           who was in a campaign and what became of them, as sums by campaign, arm and stratum
asked           what several tables ask once
statistic       one row per comparison, made of these sums
tables          the tables made of them
figure          the pictures
labels          what arms, outcomes and columns are called, how a difference is printed
words           the findings in words
more_words      sizes of arms, looks at a running test and several tests in words
adjusted_words  a campaign without a control group in words
answers         which table, sentences and figure answer which question

Empty, so that importing one part loads no other.
"""

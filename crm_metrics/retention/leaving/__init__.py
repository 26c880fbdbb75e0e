"""Who has left, and who is about to?

metrics          what each number means
query            first and second orders, everybody's purchase days, contracts
asked            what several tables ask once
definitions      what it is to have left, without a contract: three definitions side by side
contract         how many contracts ended and how long they last, and what the sBG model says
late_tables      the tables of who is late, and of what it is to have left
second_tables    the tables of the time to the second order
contract_tables  the tables of contracts
tables           these and the tiles
figure           the pictures
labels           what definitions, parts, kinds and columns are called
words            the findings in words
answers          which tables, queries and figure answer which question

Empty, so that importing one part loads no other.
"""

"""A company whose truth is known: what made every number of the demo is stated, stored beside the data and shown.

plan        how many customers, which seed, which effects; a stream of random numbers for each part
world       what the parts hand to each other
clock       the calendar: seasons as a second clock on which purchases keep their rate
channels    how customers are won, and how those of each channel buy (BG/NBD) and spend (Gamma-Gamma)
roster      who was won when; customers who are won come out of leads, companies all of them
customers   what each customer is like
purchases   when they order and for how much
service     tickets and surveys, and who leaves after a bad answer
campaigns   what campaigns truly cause, and what only seems so
baskets     products, discounts, returns and costs: order lines
costs       what it costs to serve each customer
identities  names, contacts, and two source systems that do not agree on who is who
contracts   service contracts and how they end
leads       employees, calls, leads
deals       opportunities through their stages, tasks, quotas
targets     what was planned for each month
truth       the stated parameters as rows and as JSON
build       all of it, customers in chunks, through the staging step of import

Every random draw comes from `plan.generator(part, chunk)`: switching one effect off leaves the draws of the others as they were.
"""

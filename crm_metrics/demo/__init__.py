"""A company whose truth is known: what made every number of the demo is stated, stored beside the data and shown.

plan            how many customers, which seed, which effects; a stream of random numbers for each part
world           what the parts hand to each other, and columns of the database made of it
draws           draws that several parts need
clock           the calendar: seasons as a second clock on which purchases keep their rate; before and after the CRM
channels        how customers are won, and how those of each channel buy (BG/NBD) and spend (Gamma-Gamma)
roster          who was won when; customers who are won come out of leads, companies all of them
customers       what each customer is like
purchases       when they order and for how much
service         tickets, and who leaves after a bad answer; how well it answers is stated in service_levels, what is asked in surveys
campaigns       what campaigns truly cause, and what only seems so
    campaign_catalogue, campaign_audience, campaign_effects, campaign_truth, campaign_records
baskets         order lines, from all that makes them
    goods           what an order holds, and how its amount splits over its lines
    affinities      categories bought together, or never
    products        what is sold, at which prices and costs
    discounts       what the price list says above what is paid
    returns         what is given back
    sales_channels  through which channel and region an order comes, at what hour
    line_table      lines as the import takes them
costs           what it costs to serve each customer
identities      names, contacts, and two source systems that do not agree on who is who
    names, misspelling
contracts       service contracts and how they end
staff           who works there
leads           calls and leads; sales_tables makes rows of them
deals           opportunities through their stages
    deal_stages, deal_sources, deal_changes, deal_tables, tasks, office_hours
targets         what was planned for each month
truth           the stated parameters as rows and as JSON
build           all of it, customers in chunks, through the staging step of import
room, words     the page about the truth: its tables and figures; its texts

Every random draw comes from `plan.generator(part, chunk)`: switching one effect off leaves the draws of the others as they were.

To add
    a parameter     a constant in the module that uses it; its label and unit in that module's PARAMETERS, its value in `stated`. The
                    label's Chinese stands in translations/demo_*.toml; a code as subject needs words in `words.SUBJECTS`.
    an effect       a field of `plan.Effects` with its label. The part asks `plan.effects` and draws from a stream of the effect's own;
                    `stated` leaves out what is off. A model that knows nothing of it: `words._BIASING`.
    a table         a function that returns rows by table (`world.Tables`), columns as schema.py declares them, without batch_id;
                    `build` merges it into a chunk's tables, or into those of the end.
    a part          a module with TOPIC, PARAMETERS and `stated(plan)`, one line in `truth._PARTS`, a call in `build`.
"""

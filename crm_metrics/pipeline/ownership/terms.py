"""After how long a deal without contact is a blind spot, how far back contacts tell who knows a customer, and whom to call again."""

DAYS = (14, 30, 60, 90)
LAST_DAYS = 365  # contacts of the last year tell who knows a customer
USUAL_DAYS = 30  # a month: long enough for a slow customer, too long for a deal that is worked on

SAME_PURCHASE_DAYS = 30  # a deal won within a month of the customer's last order is that order's
HORIZON_DAYS = 30  # chances are told of the next month: so far ahead a seller plans calls
MOST_LISTED = 500  # customers to call: more than a team can in a month
DUE, LOST = "due", "lost"
STILL_FROM = 0.5  # less likely than not a customer: probably lost, and nothing that is merely due

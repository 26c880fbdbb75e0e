"""After how long a deal without contact is a blind spot, and how far back contacts tell who knows a customer."""

DAYS = (14, 30, 60, 90)
LAST_DAYS = 365  # contacts of the last year tell who knows a customer
USUAL_DAYS = 30  # a month: long enough for a slow customer, too long for a deal that is worked on

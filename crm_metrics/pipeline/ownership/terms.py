"""After how long a deal without contact is a blind spot."""

DAYS = (14, 30, 60, 90)
USUAL_DAYS = 30  # a month: long enough for a slow customer, too long for a deal that is worked on

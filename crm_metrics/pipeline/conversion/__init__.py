"""How many are won in the end, and how long each stage takes, deals that are still open counted rightly."""

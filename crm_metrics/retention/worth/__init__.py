"""When has a customer paid back, and what is more retention worth? Empty, so that importing one part loads no other."""

"""What did campaigns cost, and what are they credited with? Empty, so that importing one part loads no other."""

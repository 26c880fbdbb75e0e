"""Who has left, and who is about to? Empty, so that importing one part loads no other."""

"""How many of those who came together are still there? Empty, so that importing one part loads no other."""

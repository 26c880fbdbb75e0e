"""Do we win as many as we lose? Empty, so that importing one part loads no other."""

"""From the call to the win: how many get how far."""

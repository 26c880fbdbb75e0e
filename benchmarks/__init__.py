"""How fast are the rooms? `make bench` builds a synthetic shop of a given size and asks it everything; see run.py."""

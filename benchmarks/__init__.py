"""How fast is it? `make bench` builds a synthetic shop of a given size and asks, fits, loads and clicks everything; see run.py."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))  # the tests know how to serve the dashboard and to simulate customers

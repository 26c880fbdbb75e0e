"""The deals as they stood on any day, their changes, and the reader's choice of them."""

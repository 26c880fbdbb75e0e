"""Who looks after whom, and where nobody does."""

"""Who has left, and who is about to? This file stays empty, so that importing one part does not load the others."""

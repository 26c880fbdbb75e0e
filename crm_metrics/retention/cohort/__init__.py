"""How many of those who came together are still there? This file stays empty, so that importing one part does not load the others."""

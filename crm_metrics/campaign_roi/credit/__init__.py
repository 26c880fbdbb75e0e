"""What did campaigns cost, and what are they credited with? This file stays empty, so that importing one part does not load the others."""

"""When has a customer paid back, and what is more retention worth? This file stays empty, so that importing one part does not load the others."""

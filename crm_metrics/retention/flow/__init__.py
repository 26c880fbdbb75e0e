"""Do we win as many as we lose? This file stays empty, so that importing one part does not load the others."""

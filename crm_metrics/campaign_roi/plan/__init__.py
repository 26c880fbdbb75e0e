"""Will the next campaign pay, and did the last ones do what was expected? This file stays empty, so that importing one part does not load the others."""

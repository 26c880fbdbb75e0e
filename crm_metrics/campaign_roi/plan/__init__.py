"""Will the next campaign pay, and did the last ones do what was expected? Empty, so that importing one part loads no other."""

"""What came into the pipeline and what left it between two days."""

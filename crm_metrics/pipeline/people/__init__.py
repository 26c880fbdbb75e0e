"""Calls, hits and wins by person and team, and what changed when the CRM went live."""

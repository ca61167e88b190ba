"""Cohorts of the Imaging Data Commons."""

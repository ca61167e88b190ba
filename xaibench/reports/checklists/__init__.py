"""Reporting checklists filled in from a run as far as a run can know, and a methods paragraph."""

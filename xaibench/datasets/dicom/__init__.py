"""Cohorts from DICOM files."""

"""Sources of cases, one a file."""

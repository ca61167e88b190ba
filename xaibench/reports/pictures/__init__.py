"""What the reports draw."""

"""What every plugin must do."""

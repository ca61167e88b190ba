"""From records to scores, intervals and ranks."""

"""Tells whether the benchmark itself is right: each metric against maps whose order is known."""

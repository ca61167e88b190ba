"""Is the benchmark itself right? Each metric against maps whose order is known."""

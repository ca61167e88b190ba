"""Speed of xaibench, as ratios to the floor and beside other libraries: `uv run python -m benchmarks`."""

"""PyTorch image classifiers: an exported program as a flat graph of operations, of which parts are run."""

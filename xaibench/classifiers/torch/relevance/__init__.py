"""Backward rules for exported programs: their operations as nodes, and PyTorch's tensors."""

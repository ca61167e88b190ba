"""Backward rules for Keras models: their layers as nodes, and TensorFlow's tensors."""

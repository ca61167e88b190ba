"""Backward rules: how the target's logit is sent back to the input, as tables of small functions."""

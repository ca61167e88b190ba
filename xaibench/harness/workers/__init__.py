"""Cells in processes of their own, which can be killed: one that crashes or hangs takes nothing with it."""

"""The recurrence ResNet: architecture and training."""

"""What runs when a user names nothing."""

METHODS = (
    "stacked-feature-maps,grad-cam,grad-cam++,shap,lime,rise,occlusion,tf-explain-grad-cam,family:control"
)
"""Explainers of the design card, and the controls."""

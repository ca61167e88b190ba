"""Two runs compared: the same explainers on two models or cohorts, or two versions of an explainer."""

"""Whatever answers as a Classifier."""

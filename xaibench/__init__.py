"""xaibench measures whether the heatmaps that explain medical-image classifiers are right."""

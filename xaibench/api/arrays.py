"""Shapes of the arrays that plugins give and take; checked under test.

`*space` is `h w` for a slice and `d h w` for a volume; the channels come last.
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int

Image = Float32[np.ndarray, "*space c"]
Images = Float32[np.ndarray, "n *space c"]
Heatmap = Float32[np.ndarray, "*space"]
Heatmaps = Float32[np.ndarray, "n *space"]
Region = Bool[np.ndarray, "*space"]
Regions = Bool[np.ndarray, "n *space"]
Targets = Int[np.ndarray, "n"]
"""Explained class of each image, 0 .. k - 1."""
Seeds = Int[np.ndarray, "n"]
"""Seed of each image's draws, 0 .. 2**32 - 1."""
Scores = Float32[np.ndarray, "n k"]
Affine = Float64[np.ndarray, "4 4"]
"""From (slice, row, column, 1) to the patient's coordinates in mm (DICOM's, towards left, back and head)."""

AnyImages = Float32[np.ndarray, "*lead_and_space c"]
"""Images with any leading axes."""
AnyScores = Float32[np.ndarray, "*lead k"]
AnyTargets = Int[np.ndarray, "..."]
Features = Float32[np.ndarray, "*lead_and_grid maps"]
"""Feature maps with the leading axes of the images, on the layer's own grid."""
Attention = Float32[np.ndarray, "layers n heads tokens tokens"]

"""MONAI's DenseNet121 (2-D, random weights), explained by every method that PyTorch models serve.

`python -m tests.classifiers.monai_models` prints the table in Markdown; it needs torch and monai.
"""

import sys
import time

import numpy as np
import torch
from monai.networks.nets import DenseNet121

from tests.classifiers.twins import opened
from tests.contract.test_every_plugin import SMALL
from xaibench.api import NotApplicable
from xaibench.harness import registry
from xaibench.harness.contract.trial import put_on_trial

SIZE = 64


def main() -> int:
    """Print a row a method; 1 if a map is missing without a reason, not finite, or constant."""
    torch.manual_seed(0)
    network = DenseNet121(spatial_dims=2, in_channels=1, out_channels=2).eval().requires_grad_(False)
    started = time.perf_counter()
    classifier = opened(network, SIZE)
    print(f"opened in {time.perf_counter() - started:.1f} s, default layer {classifier.default_layer}\n")
    print("| method | seconds | range |\n|---|---|---|")
    wrong = []
    for name in registry.entries("methods"):
        trial = put_on_trial(registry.load("methods", name), classifier, SMALL.get(name))
        started = time.perf_counter()
        try:
            maps = trial.heatmaps(trial.cases[:1])
        except NotApplicable as error:
            print(f"| {name} | | not applicable: {error} |")
            continue
        print(
            f"| {name} | {time.perf_counter() - started:.1f} | {maps.min():.3g} to {maps.max():.3g} |",
            flush=True,
        )
        if not np.isfinite(maps).all() or maps.max() == maps.min():
            wrong.append(name)
    print(f"\nnot finite or constant: {', '.join(wrong) or 'none'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

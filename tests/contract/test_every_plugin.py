"""The contract, kept by everything registered; what `xaibench plugin check` runs for a user."""

from functools import cache

import numpy as np
import pytest

from xaibench.classifiers.keras import KerasClassifier
from xaibench.harness import registry
from xaibench.harness.contract.checks import check
from xaibench.harness.contract.methods import gives_one_finite_heatmap_an_image
from xaibench.harness.contract.metrics import gives_the_same_value_twice
from xaibench.harness.contract.trial import Trial, put_on_trial
from xaibench.harness.registry import Plugin
from xaibench.models.tiny import tiny_classifier

# Small budgets where the smoke preset is still more than a contract needs.
SMALL = {"lime": {"samples": 24}, "shap": {"evaluations": 24}, "rise": {"masks": 24}}

# What is true of each method; a registered method that no set names fails the test below.
NEVER_NEGATIVE = {
    "centre",
    "edges",
    "grad-cam",
    "grad-cam++",
    "mask",
    "random",
    "rise",
    "stacked-feature-maps",
    "stacked-random-maps",
}
SIGNED = {"lime", "occlusion", "shap", "tf-explain-grad-cam"}
DRAWS = {"lime", "random", "rise", "stacked-random-maps"}
SEES_NO_MODEL = {"centre", "edges", "mask", "random"}

# Every metric belongs to exactly one row of what it may change with.
METRICS_OF_THE_HEATMAP_ALONE = {
    "dice",
    "enrichment",
    "iou",
    "pointing-game",
    "relevance-mass",
    "relevance-rank",
}
METRICS_OF_THE_MODEL = {"deletion-auc", "insertion-auc", "sensitivity-norm"}
METRICS_OF_THE_COHORT = {"bootstrap-stability", "class-consistency", "cohort-colocalisation"}
METRICS_OF_COST = {"backward-passes", "forward-passes", "latency", "throughput"}

METHODS = list(registry.entries("methods"))
METRICS = list(registry.entries("metrics"))


@cache
def classifier(channels: int) -> KerasClassifier:
    return KerasClassifier(tiny_classifier(channels=channels))


def plugin_of(name: str) -> Plugin:
    return registry.load("methods" if name in METHODS else "metrics", name)


def trial_of(name: str, channels: int = 1) -> Trial:
    return put_on_trial(plugin_of(name), classifier(channels), SMALL.get(name))


@pytest.mark.parametrize("name", [*METHODS, *METRICS])
def test_every_promise_is_kept(name: str) -> None:
    findings = list(check(trial_of(name)))
    assert findings
    assert [f for f in findings if f.problem] == []


@pytest.mark.parametrize("name", METHODS)
def test_colour_images_are_explained_too(name: str) -> None:
    trial = trial_of(name, channels=3)
    gives_one_finite_heatmap_an_image(trial)


@pytest.mark.parametrize("name", METHODS)
def test_signs_are_as_declared(name: str) -> None:
    maps = trial_of(name).heatmaps(trial_of(name).cases)
    assert (maps.min() < 0) == (name in SIGNED)


@pytest.mark.parametrize("name", sorted(DRAWS))
def test_another_seed_gives_another_map(name: str) -> None:
    trial = trial_of(name)
    small = {**SMALL.get(name, {}), "seed": 1}
    other = put_on_trial(plugin_of(name), classifier(1), small)
    assert np.abs(trial.heatmaps(trial.cases) - other.heatmaps(other.cases)).max() > 0


@pytest.mark.parametrize("name", METHODS)
def test_methods_count_their_passes_and_controls_make_none(name: str) -> None:
    trial = trial_of(name)
    before = trial.classifier.passes.forward
    trial.heatmaps(trial.cases)
    assert (trial.classifier.passes.forward == before) == (name in SEES_NO_MODEL)


def test_no_method_is_forgotten_here() -> None:
    assert {
        name for name in METHODS if plugin_of(name).package.startswith("xaibench")
    } == NEVER_NEGATIVE | SIGNED
    assert not NEVER_NEGATIVE & SIGNED


def test_no_metric_is_forgotten_here() -> None:
    sets = [METRICS_OF_THE_HEATMAP_ALONE, METRICS_OF_THE_MODEL, METRICS_OF_THE_COHORT, METRICS_OF_COST]
    ours = [name for name in METRICS if plugin_of(name).package.startswith("xaibench")]
    assert sorted(name for one in sets for name in one) == sorted(ours)


@pytest.mark.parametrize("name", sorted(METRICS_OF_THE_HEATMAP_ALONE))
def test_metrics_of_the_heatmap_alone_make_no_model_pass(name: str) -> None:
    trial = trial_of(name)
    before = trial.classifier.passes.forward
    gives_the_same_value_twice(trial)
    assert trial.classifier.passes.forward == before

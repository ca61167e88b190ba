"""The contract, kept by everything registered, third-party plugins included; what `xaibench plugin check` runs."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.classifiers.attention_models import attentive_resnet, transformer
from tests.contract.sources import ELSEWHERE, OPTIONS
from xaibench.api import Classifier, Family, Need, Silent
from xaibench.harness import registry
from xaibench.harness.contract.checks import check, check_plugin
from xaibench.harness.contract.datasets import SmallDataset
from xaibench.harness.contract.methods import differ, gives_one_finite_heatmap_an_image
from xaibench.harness.contract.metrics import gives_the_same_value_twice
from xaibench.harness.contract.trial import Trial, put_on_trial
from xaibench.harness.declared import KINDS
from xaibench.harness.explaining import answer, passes_since

# Small budgets where the smoke preset is still more than a contract needs.
SMALL: dict[str, dict[str, Any]] = {
    "expected-gradients": {"references": 12, "steps": 64},
    "hybrid": {"evaluations": 24},
    "lime": {"samples": 24},
    "rise": {"masks": 24},
    "shap": {"evaluations": 24},
    "tcav": {"concept": "bright", "random_concepts": 9},
}

WITH_ATTENTION = {"attention-rollout": transformer, "spatial-attention": attentive_resnet}
"""Methods that say nothing of the tiny model, and a model of the same input for each."""

# What is true of each method; a registered method of ours that no row names fails the test below.
NEVER_NEGATIVE = {
    *(
        "ablation-cam",
        "attention-rollout",
        "centre",
        "counterfactual",
        "deep-taylor",
        "edges",
        "eigen-cam",
        "eigen-grad-cam",
        "grad-cam",
        "grad-cam++",
        "guided-backprop",
        "guided-grad-cam",
        "layer-cam",
    ),
    *(
        "mask",
        "morris",
        "prototypes",
        "random",
        "rise",
        "saliency",
        "score-cam",
        "smoothgrad",
        "spatial-attention",
        "stacked-feature-maps",
    ),
    *("stacked-random-maps", "tf-explain-gradients-inputs", "tf-explain-integrated-gradients"),
    *("tf-explain-occlusion", "tf-explain-smoothgrad", "tf-explain-vanilla-gradients", "xgrad-cam"),
}
SIGNED = {
    *(
        "cam",
        "deeplift",
        "expected-gradients",
        "fastshap",
        "gradient-x-input",
        "hires-cam",
        "hybrid",
        "integrated-gradients",
        "lime",
        "lrp",
        "occlusion",
    ),
    *("permutation-importance", "random-smooth", "shap", "shap-deep", "shap-gradient", "shap-kernel"),
    *("surrogate", "tcav", "tf-explain-grad-cam"),
}
BLIND_TO_THE_CLASS = {
    *("centre", "edges", "eigen-cam", "mask", "random", "random-smooth", "stacked-random-maps"),
    "counterfactual",  # two classes have one boundary
    "spatial-attention",
    "score-cam",  # the tiny model's classes score too much alike under its masks
}
"""Whose map of the tiny model is the same whichever class is explained."""
ASK_NO_MODEL = {"centre", "edges", "mask", "random", "random-smooth"}

# Every metric belongs to exactly one row of what it asks.
OF_THE_HEATMAP_ALONE = {
    *(
        "completeness-gap",
        "dice",
        "effective-area",
        "enrichment",
        "entropy",
        "gini",
        "hausdorff-95",
        "iou",
        "kappa",
    ),
    *("pixel-ap", "pixel-auroc", "pointing-game", "relevance-mass", "relevance-rank", "slice-hit"),
}
OF_THE_MODEL = {
    *("deletion-auc", "destroying-area", "infidelity", "insertion-auc", "irof", "morf-lerf", "mufidelity"),
    "sufficient-area",
}
EXPLAIN_AGAIN = {
    *(
        "adversarial-sensitivity",
        "local-lipschitz",
        "max-sensitivity",
        "mprt",
        "mri-stability",
        "random-logit",
    ),
    *("rerun-consistency", "sensitivity-norm", "stability-cosine"),
}
OF_THE_COHORT = {"bootstrap-stability", "class-consistency", "cohort-colocalisation"}
OF_COST = {"backward-passes", "forward-passes", "latency", "peak-memory", "throughput"}

METHODS = list(registry.entries("methods"))
METRICS = list(registry.entries("metrics"))
SOURCES = [name for kind in ("datasets", "models", "classifiers") for name in registry.entries(kind)]


@cache
def classifier(name: str, channels: int = 1) -> Classifier:
    if name in WITH_ATTENTION:
        return WITH_ATTENTION[name]((32, 40), channels)
    return tiny(channels)


@cache
def tiny(channels: int) -> Classifier:
    model = registry.load("models", "tiny").cls(channels=channels).load(SmallDataset(), Silent())
    found: Classifier = model.classifiers[0]
    return found


def trial_of(name: str, channels: int = 1) -> Trial:
    plugin = registry.find(name, ["methods", "metrics"])
    return put_on_trial(plugin, classifier(name, channels), SMALL.get(name))


def ours(names: list[str]) -> set[str]:
    return {name for name in names if registry.find(name).package.startswith("xaibench ")}


# ---------------------------------------------------------------- every promise


@pytest.mark.parametrize("name", [*METHODS, *METRICS])
def test_every_promise_of_methods_and_metrics_is_kept(name: str) -> None:
    findings = list(check(trial_of(name)))
    assert findings
    assert [f for f in findings if f.problem] == []


@pytest.mark.parametrize("name", [name for name in SOURCES if name not in ELSEWHERE])
def test_every_promise_of_datasets_models_and_classifiers_is_kept(name: str, tmp_path: Path) -> None:
    options = OPTIONS[name](tmp_path) if name in OPTIONS else {}
    findings = list(check_plugin(registry.find(name), options))
    assert findings
    assert [f for f in findings if f.problem] == []


def test_what_is_checked_elsewhere_is_registered() -> None:
    assert {*ELSEWHERE, *OPTIONS} <= set(SOURCES)


def test_every_plugin_can_be_loaded() -> None:
    assert [problem for kind in KINDS for problem in registry.load_all(kind)[1]] == []


# ---------------------------------------------------------------- methods


@pytest.mark.parametrize("name", METHODS)
def test_colour_images_are_explained_too(name: str) -> None:
    if name != "tf-explain-occlusion":  # refuses images that are not square, as the tiny model's are
        gives_one_finite_heatmap_an_image(trial_of(name, channels=3))


@pytest.mark.parametrize("name", sorted({*METHODS} - {"tf-explain-occlusion"}))
def test_a_method_is_what_its_rows_say(name: str) -> None:
    trial = trial_of(name)
    before = trial.classifier.passes
    maps = trial.heatmaps(trial.cases)
    spent = passes_since(before, trial.classifier.passes)
    asked = trial.asked(trial.cases)
    others = answer(trial.tried, replace(asked, targets=1 - asked.targets)).heatmaps
    found = {
        "signed": bool(maps.min() < 0),
        "blind to the class": not differ(maps, others),
        "asks no model": (spent.forward, spent.backward) == (0, 0),
    }
    assert found == {
        "signed": name in SIGNED,
        "blind to the class": name in BLIND_TO_THE_CLASS,
        "asks no model": name in ASK_NO_MODEL,
    }


def test_no_method_is_forgotten_here() -> None:
    assert ours(METHODS) == NEVER_NEGATIVE | SIGNED
    assert not NEVER_NEGATIVE & SIGNED


# ---------------------------------------------------------------- metrics


def test_no_metric_is_forgotten_here() -> None:
    rows = [OF_THE_HEATMAP_ALONE, OF_THE_MODEL, EXPLAIN_AGAIN, OF_THE_COHORT, OF_COST]
    assert sorted(name for row in rows for name in row) == sorted(ours(METRICS))


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_declares_what_its_row_says(name: str) -> None:
    plugin = registry.load("metrics", name)
    assert (Need.EXPLAIN in plugin.facts.needs) == (name in EXPLAIN_AGAIN)
    assert (plugin.facts.family == Family.COST) == (name in OF_COST)
    assert (plugin.facts.family == Family.COHORT) == (name in OF_THE_COHORT)


@pytest.mark.parametrize("name", METRICS)
def test_metrics_of_the_heatmap_alone_make_no_model_pass(name: str) -> None:
    if name in EXPLAIN_AGAIN | OF_THE_COHORT | OF_COST:
        return
    trial = trial_of(name)
    before = trial.classifier.passes
    gives_the_same_value_twice(trial)
    spent = passes_since(before, trial.classifier.passes)
    assert (spent.forward == 0) == (name in OF_THE_HEATMAP_ALONE)

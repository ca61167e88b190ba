"""The sections on accuracy, shuffle test and training curves; alone, they are the page of a training."""

from typing import Any

from xaibench.reports.pages import training
from xaibench.reports.pages.rendering import rendered
from xaibench.reports.pages.training import Training
from xaibench.reports.pictures.study_plots import curve_plots, null_histograms, reliability
from xaibench.reports.verdicts.study import accuracy, other_seeds, shuffle_test


def sections(found: Training) -> dict[str, Any]:
    """Content of validation.html.j2."""
    return {
        "accuracy": training.accuracy_table(found),
        "folds": training.fold_table(found),
        "confusion": training.confusion_tables(found),
        "reliability": reliability(found),
        "shuffles": training.shuffle_table(found),
        "nulls": null_histograms(found),
        "curves": curve_plots(found),
        "seeds": training.seeds_table(found),
    }


def training_page(found: Training) -> str:
    """Render the page of a model folder."""
    verdicts = [accuracy(found), *other_seeds(found), shuffle_test(found)]
    return rendered("training.html.j2", facts=training.facts(found), verdicts=verdicts, **sections(found))

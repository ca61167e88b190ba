"""Trainings over seeds: each is the plain training of that seed, kept, and judged by models of its own."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.made_up import made_samples, tiny_backbone
from xaibench.api import Folds, NotApplicable, Silent, XaibenchError
from xaibench.models import seeds
from xaibench.models.model_folder import ModelFolder
from xaibench.models.seeds import SeedStudy, Training, over_seeds, read_study
from xaibench.models.transfer import Plan, train

PLAN = Plan(folds=3, permutations=9, seed=4)
SAMPLES = made_samples(signal=1.0)  # weak: seeds differ


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    return train(SAMPLES, tiny_backbone(), PLAN, tmp_path / "m", Silent())


def study_of(folder: ModelFolder, **options: Any) -> SeedStudy:
    return over_seeds(SAMPLES, tiny_backbone(), PLAN, folder, Silent(), **options)


def trained(seed: int, out: Path) -> dict[str, float]:
    """Figures of a plain training with a seed."""
    metrics = train(SAMPLES, tiny_backbone(), replace(PLAN, seed=seed), out, Silent()).read("metrics.json")
    names = ("accuracy", "balanced_accuracy", "auc")
    values = {name: metrics["pooled"]["patient"][name]["value"] for name in names}
    return values | {f"p_{name}": metrics["shuffle_test"][name]["p"] for name in names}


def judge_accuracy(folds: Folds) -> Mapping[str, float]:
    """Share of the patients whom the classifier that never saw them gets right."""
    right = [
        (
            folds.classifiers[folds.of[name]].scores(SAMPLES.images[SAMPLES.owners == number])[:, 1].mean()
            > 0.5
        )
        == SAMPLES.patient_labels[number]
        for number, name in enumerate(SAMPLES.names)
    ]
    return {"judged accuracy": float(np.mean(right))}


@pytest.mark.nightly
def test_each_training_is_the_plain_one_of_its_seed(folder: ModelFolder, tmp_path: Path) -> None:
    study = study_of(folder, seeds=3)
    assert [training.seed for training in study.trainings] == [4, 5, 6]
    for training in study.trainings:
        assert training.figures == pytest.approx(trained(training.seed, tmp_path / f"s{training.seed}"))
    assert len({tuple(training.figures.values()) for training in study.trainings}) > 1


def test_a_judge_sees_the_fold_models_and_who_was_held_out(folder: ModelFolder) -> None:
    study = study_of(folder, seeds=2, judge=judge_accuracy)
    for training in study.trainings:
        assert training.figures["judged accuracy"] == pytest.approx(training.figures["accuracy"])


@pytest.mark.nightly
def test_only_missing_trainings_are_made(folder: ModelFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    few = study_of(folder, seeds=2)
    made: list[int] = []
    train_one = seeds.Repeated.train

    def counted(self: seeds.Repeated, plan: Plan, judge: seeds.Judge | None) -> Training:
        made.append(plan.seed)
        return train_one(self, plan, judge)

    monkeypatch.setattr(seeds.Repeated, "train", counted)
    more = study_of(folder, seeds=3)
    assert made == [6]
    assert more.trainings[:2] == few.trainings
    assert study_of(folder, seeds=2) == few
    assert read_study(folder) == more
    study_of(folder, seeds=2, judge=judge_accuracy)
    assert made == [6, 4, 5]  # those had not been judged
    study_of(folder, seeds=3)
    assert made == [6, 4, 5]


def test_a_study_of_another_training_is_refused(folder: ModelFolder) -> None:
    with pytest.raises(XaibenchError, match="holds another training: plan differ"):
        over_seeds(SAMPLES, tiny_backbone(), replace(PLAN, folds=2), folder, Silent())


def test_a_damaged_file_is_named(folder: ModelFolder) -> None:
    folder.write_text("seeds.json", '{"trainings": [{}]}')
    with pytest.raises(XaibenchError, match=r"seeds\.json cannot be read; delete it"):
        study_of(folder, seeds=1)


def test_fine_tuning_is_not_repeated(folder: ModelFolder) -> None:
    with pytest.raises(NotApplicable, match="needs a frozen backbone"):
        over_seeds(SAMPLES, tiny_backbone(), replace(PLAN, fine_tune=1), folder, Silent())
    with pytest.raises(XaibenchError, match="0 training seeds are asked for"):
        study_of(folder, seeds=0)


def test_a_distribution_is_median_lowest_and_highest() -> None:
    values = [0.5, 0.9, 0.6, 0.7]
    trainings = [
        Training(seed=seed, permutations=0, figures={"accuracy": value}) for seed, value in enumerate(values)
    ]
    found = SeedStudy(trainings=tuple(trainings)).distribution("accuracy")
    assert found.values.tolist() == values
    assert found[1:] == (pytest.approx(0.65), 0.5, 0.9)
    with pytest.raises(NotApplicable, match="not every training has the figure auc"):
        SeedStudy(trainings=tuple(trainings)).distribution("auc")

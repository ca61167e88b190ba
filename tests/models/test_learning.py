"""Cross-validation: what leaks, what is saved, and that fine-tuning moves only what it should."""

from typing import Any

import keras
import numpy as np
import pytest

from tests.models.made_up import SIZE, made_samples, tiny_backbone
from xaibench.api import XaibenchError
from xaibench.classifiers.keras import KerasClassifier
from xaibench.models.backbones import Backbone
from xaibench.models.fine_tuning import TuningLearner, TuningSchedule
from xaibench.models.folds import stratified_folds
from xaibench.models.heads import HeadSchedule
from xaibench.models.learning import FrozenLearner, Learner, training_weights
from xaibench.models.samples import Samples

QUICK = HeadSchedule(steps=30)
SAMPLES = made_samples()
LABELS = SAMPLES.patient_labels
FOLDS = stratified_folds(LABELS, 3, 0)


def learner_of(kind: str) -> Learner:
    if kind == "frozen":
        return FrozenLearner(SAMPLES, tiny_backbone(), QUICK)
    if kind == "hidden":
        return FrozenLearner(SAMPLES, tiny_backbone(), HeadSchedule(hidden=6, steps=30))
    schedule = TuningSchedule(epochs=2, batch=16, rate=1e-3)
    return TuningLearner(SAMPLES, tiny_backbone(), QUICK, 1, schedule)


@pytest.fixture(scope="module", params=["frozen", "hidden", "fine-tuned"])
def learner(request: pytest.FixtureRequest) -> Learner:
    return learner_of(request.param)


def weights_by_fold(learner: Learner, labels: np.ndarray) -> dict[int, list[np.ndarray]]:
    found: dict[int, list[np.ndarray]] = {}
    learner(labels[None], FOLDS[None], lambda fold, model: found.update({fold: model.get_weights()}))
    return found


def test_the_label_of_a_held_out_patient_does_not_change_the_fold_model(learner: Learner) -> None:
    patient = int(np.flatnonzero(FOLDS == 1)[0])
    changed = LABELS.copy()
    changed[patient] = 1 - changed[patient]
    before, after = weights_by_fold(learner, LABELS), weights_by_fold(learner, changed)
    for old, new in zip(before[1], after[1], strict=True):
        np.testing.assert_allclose(old, new, atol=1e-6)
    assert any(abs(old - new).max() > 1e-3 for old, new in zip(before[0], after[0], strict=True))


def test_held_out_probabilities_are_those_of_the_kept_models(learner: Learner) -> None:
    scores: dict[int, np.ndarray] = {}

    def keep(fold: int, model: Any) -> None:
        scores[fold] = KerasClassifier(model).scores(SAMPLES.images)[:, 1]

    found = learner(LABELS[None], FOLDS[None], keep).probabilities[0]
    assert sorted(scores) == [0, 1, 2]
    for index, patient in enumerate(SAMPLES.owners):
        assert found[index] == pytest.approx(scores[int(FOLDS[patient])][index], abs=1e-3)


def test_a_labelling_is_judged_alone_as_among_others(learner: Learner) -> None:
    rng = np.random.default_rng(0)
    labels = np.stack([LABELS, rng.permutation(LABELS), rng.permutation(LABELS)])
    folds = np.stack([stratified_folds(row, 3, 0) for row in labels])
    together = learner(labels, folds).probabilities
    for row in range(3):
        alone = learner(labels[[row]], folds[[row]]).probabilities
        np.testing.assert_allclose(together[[row]], alone, atol=2e-3)


def test_curves_are_kept_for_every_fold_of_the_true_run(learner: Learner) -> None:
    curves = learner(LABELS[None], FOLDS[None]).curves
    assert len(curves) == 3
    for curve in curves:
        assert len(curve["training"]) == len(curve["held_out"])
        assert curve["training"][-1] < curve["training"][0]


def test_training_slices_are_those_of_the_other_folds() -> None:
    weights = training_weights(LABELS[None], FOLDS[None], SAMPLES.owners)
    for fold in range(3):
        np.testing.assert_array_equal(weights[fold] == 0, FOLDS[SAMPLES.owners] == fold)
        for label in (0, 1):
            assert weights[fold][SAMPLES.labels == label].sum() == pytest.approx(0.5)


def test_without_a_hidden_layer_the_maps_have_class_weights() -> None:
    assert KerasClassifier(tiny_backbone().classifier()).head_weights() is not None
    assert KerasClassifier(tiny_backbone().classifier(hidden=4)).head_weights() is None


def test_the_null_is_centred_near_chance() -> None:
    rng = np.random.default_rng(0)
    noise = Samples(
        rng.normal(size=SAMPLES.images.shape).astype(np.float32), SAMPLES.labels, SAMPLES.patients
    )
    labels = np.stack([rng.permutation(LABELS) for _ in range(60)])
    folds = np.stack([stratified_folds(row, 3, 0) for row in labels])
    found = FrozenLearner(noise, tiny_backbone(), QUICK)(labels, folds).probabilities
    right = (found > 0.5) == labels[:, SAMPLES.owners]
    by_class = [right[labels[:, SAMPLES.owners] == label].mean() for label in (0, 1)]
    assert np.mean(by_class) == pytest.approx(0.5, abs=0.06)


def test_the_frozen_part_and_batch_normalisation_stay_as_they_were() -> None:
    learner = learner_of("fine-tuned")
    start = {layer.name: layer.get_weights() for layer in tiny_backbone().model.layers}
    kept: list[dict[str, list[np.ndarray]]] = []
    learner(
        LABELS[None],
        FOLDS[None],
        lambda fold, model: kept.append({layer.name: layer.get_weights() for layer in model.layers}),
    )
    before, after = list(start.values()), list(kept[0].values())
    is_last_convolution = [False] * 7 + [True, False, False]
    for tuned, old, new in zip(is_last_convolution, before, after, strict=False):
        moved = any(abs(a - b).max() > 1e-5 for a, b in zip(old, new, strict=True))
        assert moved == tuned


@pytest.mark.parametrize("blocks", [0, 3])
def test_blocks_that_do_not_exist_cannot_be_tuned(blocks: int) -> None:
    with pytest.raises(XaibenchError, match="the backbone has 3 blocks; give 1 to 2"):
        TuningLearner(SAMPLES, tiny_backbone(), QUICK, blocks, TuningSchedule())


def test_features_are_the_means_of_the_last_maps() -> None:
    backbone: Backbone = tiny_backbone()
    maps = keras.ops.convert_to_numpy(backbone.model(SAMPLES.images[:5]))
    assert backbone.input_shape == (SIZE, SIZE, 1)
    np.testing.assert_allclose(backbone.pooled(SAMPLES.images[:5]), maps.mean(axis=(1, 2)), rtol=1e-4)

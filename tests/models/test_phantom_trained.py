"""The default model: which weights it takes, what it says of them, and who was never seen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.models.made_up import MadeUpCohort, tiny_backbone
from xaibench.api import Dataset, HeldOut, LoadedModel, Match, NotApplicable, Silent, Volume
from xaibench.classifiers.keras import KerasClassifier
from xaibench.datasets.phantom.dataset import Phantom, PhantomShortcut
from xaibench.models import phantom_trained
from xaibench.models.networks import Network
from xaibench.models.recurrence import CbamResnet, CompactVit, RecurrenceResnet
from xaibench.models.resnet50 import Resnet50
from xaibench.models.supervised import Schedule

IMAGE = np.random.default_rng(0).random((1, 128, 128, 1), dtype=np.float32)


class Told(Silent):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


class Teaching(MadeUpCohort):
    """A cohort that can make patients to train on."""

    def __init__(self, key: str) -> None:
        self.key = key

    def training_volumes(self) -> Iterator[Volume]:
        for volume in self.volumes():
            yield replace(volume, patient=f"T{volume.patient}")

    def training_key(self) -> str:
        return self.key


def loaded(dataset: Dataset) -> LoadedModel:
    return RecurrenceResnet().load(dataset, Silent())


@pytest.fixture(scope="module")
def phantom_model() -> LoadedModel:
    return loaded(Phantom())


def test_any_phantom_gets_the_shipped_weights_at_once(
    phantom_model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phantom_trained, "train_network", lambda *_: pytest.fail("trained"))
    other_seed = loaded(Phantom(patients=6, recurrent=2, seed=9))
    (model,), (other,) = phantom_model.classifiers, other_seed.classifiers
    np.testing.assert_array_equal(model.scores(IMAGE), other.scores(IMAGE))
    assert phantom_model.class_names == ("non-recurrent", "recurrent")


def test_the_shortcut_is_learnt_by_a_model_of_its_own(phantom_model: LoadedModel) -> None:
    other = loaded(PhantomShortcut())
    assert (
        np.abs(phantom_model.classifiers[0].scores(IMAGE) - other.classifiers[0].scores(IMAGE)).max() > 1e-3
    )
    assert next(other.training_volumes(0)).patient == "T001"


@pytest.mark.parametrize(
    ("source", "network"), [(CbamResnet(), "cbam_resnet"), (CompactVit(), "compact_vit")]
)
def test_networks_with_attention_come_trained_too(
    source: CbamResnet | CompactVit, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phantom_trained, "train_network", lambda *_: pytest.fail("trained"))
    model = source.load(Phantom(), Silent())
    (classifier,) = model.classifiers
    assert isinstance(classifier, KerasClassifier)
    assert classifier.model.name == network
    assert model.facts["fresh patients right"].endswith(" of 120")


def test_facts_say_what_was_seen_and_how_good_it_is(phantom_model: LoadedModel) -> None:
    assert phantom_model.facts["trained on"] == "120 synthetic patients who are in no cohort, 600 slices"
    assert phantom_model.facts["fresh patients right"].endswith(" of 120")
    assert phantom_model.record["weights"]["sha256"].startswith(phantom_model.facts["weights"].split()[-1])
    assert "caution" not in phantom_model.facts


def test_real_images_get_the_phantoms_model_with_a_caution(phantom_model: LoadedModel) -> None:
    told = Told()
    model = RecurrenceResnet().load(MadeUpCohort(), told)
    assert model.facts["caution"] == "trained on the synthetic phantom, not on images like these"
    assert "has only seen the synthetic phantom" in told.sentences[0]
    np.testing.assert_array_equal(
        model.classifiers[0].scores(IMAGE), phantom_model.classifiers[0].scores(IMAGE)
    )


def test_the_patients_of_the_training_are_in_no_cohort(phantom_model: LoadedModel, tmp_path: Path) -> None:
    assert phantom_model.held_out({"P001": Match(), "P002": Match()}) == (HeldOut.YES, [])
    key = b"key"
    training = next(phantom_model.training_volumes(0)).identity.under(key)
    cohort = Phantom(patients=2, recurrent=1, seed=0, root=tmp_path / "cohort").volumes()
    for volume in cohort:
        assert not training & volume.identity.under(key)


def test_another_dataset_that_can_train_trains_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XAIBENCH_CACHE", str(tmp_path))
    quick = Network(lambda: tiny_backbone().classifier(), Schedule(epochs=1, batch=16))
    monkeypatch.setitem(phantom_trained.NETWORKS, "recurrence", quick)
    train, trainings = phantom_trained.train_network, []

    def counted(*args: object) -> object:
        trainings.append(args)
        return train(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(phantom_trained, "train_network", counted)
    first, second = loaded(Teaching("a")), loaded(Teaching("a"))
    assert len(trainings) == 1
    assert first.classifiers[0].fingerprint == second.classifiers[0].fingerprint
    assert first.class_names == ("fine", "ill")
    assert [volume.patient for volume in first.training_volumes(0)] == [f"TP{i:02d}" for i in range(12)]
    loaded(Teaching("b"))
    assert len(trainings) == 2


def test_random_weights_have_seen_nobody() -> None:
    model = Resnet50().load(MadeUpCohort(), Silent())
    assert model.held_out({"P001": Match()})[0] is HeldOut.YES
    assert "random weights" in model.facts["trained on"]
    with pytest.raises(NotApplicable, match="not known"):
        model.training_volumes(0)

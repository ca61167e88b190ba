"""Our metrics beside Xplique's and Quantus', on maps without ties, where the conventions agree or are made to."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from tests.closed_form import linear
from tests.metrics.conftest import case_of, explanation_of, never
from tests.metrics.explainers import Again, brightness
from xaibench.metrics.deletion_auc import DeletionAuc
from xaibench.metrics.entropy import Entropy
from xaibench.metrics.gini import Gini
from xaibench.metrics.insertion_auc import InsertionAuc
from xaibench.metrics.max_sensitivity import MaxSensitivity
from xaibench.metrics.pixel_auroc import PixelAuroc
from xaibench.metrics.pointing_game import PointingGame
from xaibench.metrics.relevance_mass import RelevanceMass
from xaibench.metrics.relevance_rank import RelevanceRank

SIZE, STEPS = 16, 8  # 32 pixels a step: a whole number, as Xplique rounds down and we round to nearest


@pytest.fixture(scope="module")
def quantus():
    with warnings.catch_warnings():  # its sources hold invalid escapes, a SyntaxWarning when first compiled
        warnings.simplefilter("ignore")
        return pytest.importorskip("quantus", exc_type=ImportError)


@pytest.fixture(scope="module")
def subject():
    """A model, an image that shows its class 1, a signed heatmap, and a region."""
    rng = np.random.default_rng(3)
    image = rng.random((SIZE, SIZE, 1), dtype=np.float32)
    heatmap = rng.normal(size=(SIZE, SIZE)).astype(np.float32)
    classifier = linear(rng.normal(size=image.shape) * 0.05 + 0.02, -2.0)
    assert classifier.scores(image)[1] - classifier.scores(image * 0)[1] > 0.3
    return classifier, image, heatmap, rng.random((SIZE, SIZE)) < 0.2


@pytest.mark.parametrize(("name", "ours"), [("Deletion", DeletionAuc), ("Insertion", InsertionAuc)])
def test_curve_areas_are_xplique_s(name, ours, subject):
    peers = pytest.importorskip("xplique.metrics", exc_type=ImportError)
    classifier, image, heatmap, _ = subject
    target = np.array([[0.0, 1.0]], np.float32)
    theirs = getattr(peers, name)(
        classifier.model, image[None], target, steps=STEPS, baseline_mode=float(image.min())
    ).evaluate(heatmap[None])
    got = ours(steps=STEPS, baseline="black")(classifier, case_of(image), explanation_of(heatmap), never)
    assert got.value == pytest.approx(theirs, abs=1e-6)


def test_deletion_is_quantus_pixel_flipping_with_its_missing_first_point_and_its_width(quantus, subject):
    classifier, image, heatmap, _ = subject
    flipping = quantus.PixelFlipping(
        features_in_step=SIZE * SIZE // STEPS,
        normalise=False,
        perturb_func_kwargs={"perturb_baseline": float(image.min())},
        disable_warnings=True,
    )
    model = SimpleNamespace(
        shape_input=lambda x, shape, **_: np.moveaxis(x, 1, -1).astype(np.float32), predict=classifier.scores
    )
    planes = np.moveaxis(image, -1, 0)[None]
    points = flipping.evaluate_batch(model, planes.copy(), np.array([1]), heatmap[None, None])[0]
    curve = [float(classifier.scores(image)[1]), *points]
    got = DeletionAuc(steps=STEPS, baseline="black")(
        classifier, case_of(image), explanation_of(heatmap), never
    )
    assert len(points) == STEPS
    assert got.value == pytest.approx(np.trapezoid(curve) / STEPS, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("PointingGame", PointingGame),
        ("RelevanceMassAccuracy", RelevanceMass),  # theirs sums signed values: equal on positive maps
        ("RelevanceRankAccuracy", RelevanceRank),
    ],
)
@pytest.mark.parametrize("hottest_inside", [False, True])
def test_localisation_is_quantus_s_on_positive_maps(name, ours, hottest_inside, quantus, subject):
    classifier, image, heatmap, region = subject
    positive = np.abs(heatmap)
    positive[tuple(np.argwhere(region == hottest_inside)[0])] = 9
    theirs = getattr(quantus, name)(disable_warnings=True).evaluate_batch(
        a_batch=positive[None], s_batch=region[None]
    )
    got = ours()(classifier, case_of(image, region), explanation_of(positive), never)
    assert got.value == pytest.approx(float(theirs[0]), rel=1e-5)


@pytest.mark.parametrize(("name", "ours"), [("Sparseness", Gini), ("Complexity", Entropy)])
def test_complexity_is_quantus_s_on_positive_maps(name, ours, quantus, subject):
    classifier, image, heatmap, _ = subject
    positive = np.abs(heatmap)
    peer = getattr(quantus, name)(disable_warnings=True)
    theirs = peer.evaluate_batch(x_batch=image[None], a_batch=positive[None].astype(np.float64))
    got = [
        ours()(classifier, case_of(image), explanation_of(one), never).value for one in (positive, heatmap)
    ]
    assert got[0] == pytest.approx(float(theirs[0]), abs=1e-4)
    assert got[1] == got[0]  # of absolute values; theirs leaves that to the caller


def test_pixel_auroc_is_quantus_auc(quantus, subject):
    classifier, image, heatmap, region = subject
    theirs = quantus.AUC(disable_warnings=True).evaluate_batch(a_batch=heatmap[None], s_batch=region[None])
    got = PixelAuroc()(classifier, case_of(image, region), explanation_of(heatmap), never)
    assert got.value == pytest.approx(float(theirs[0]), rel=1e-6)


def test_max_sensitivity_is_quantus_s_over_the_same_copies(quantus, subject):
    classifier, image, _, _ = subject
    again = Again(image, brightness)
    got = MaxSensitivity(draws=5)(classifier, case_of(image), explanation_of(again.map), again)
    copies = iter(again.calls[0]["images"])

    def next_copy(arr: np.ndarray, **_: object) -> np.ndarray:
        return np.moveaxis(next(copies), -1, 0)[None]

    peer = quantus.MaxSensitivity(
        nr_samples=5, perturb_func=next_copy, normalise=False, abs=False, disable_warnings=True
    )
    model = SimpleNamespace(
        shape_input=lambda x, shape, **_: np.moveaxis(x, 1, -1).astype(np.float32), predict=classifier.scores
    )
    peer.explain_func_kwargs = {}
    peer.explain_func = lambda model, inputs, targets, **_: np.asarray(inputs).mean(axis=1, keepdims=True)
    planes = np.moveaxis(image, -1, 0)[None]
    theirs = peer.evaluate_batch(
        model=model, x_batch=planes, y_batch=np.array([1]), a_batch=again.map[None, None]
    )
    assert got.value == pytest.approx(float(theirs[0]), rel=1e-3)

"""Randomised layers and other classes: which models and classes are asked, and how alike the maps are."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

from tests.metrics.conftest import case_of, explanation_of, never
from tests.metrics.explainers import Again, fixed
from tests.metrics.plain_classifier import Linear, Network, Plain
from xaibench.api import NotApplicable, XaibenchError, seed_of
from xaibench.metrics.mprt import Mprt
from xaibench.metrics.random_logit import RandomLogit

IMAGE = np.random.default_rng(0).random((16, 16, 1)).astype(np.float32)
LAYERS = ("head", "block3", "block2", "block1", "stem")


class Layered(Network):
    """A model of five layers; a randomised one remembers what it was made of."""

    random_layers = LAYERS

    def __init__(self, seed: int = 0, upto: str = "") -> None:
        super().__init__()
        self.made_of = seed, upto

    def randomised(self, seed: int, upto: str) -> "Layered":
        return Layered(seed, upto)


def by_layer(image: np.ndarray, classifier: Layered | None = None) -> np.ndarray:
    """The fixed map with as much noise as layers are random; wholly random at the end."""
    depth = 0 if classifier is None else 1 + LAYERS.index(classifier.made_of[1])
    noise = np.random.default_rng(depth).normal(size=(16, 16))
    return (1 - depth / 5) * fixed(image) + depth / 5 * noise


def mprt(metric: Mprt, function, name: str = "P001-s00"):
    again = Again(IMAGE, function)
    measured = metric(Layered(), case_of(IMAGE, name=name), explanation_of(again.map), again)
    return measured, [call["classifier"].made_of for call in again.calls]


@pytest.mark.parametrize(
    ("stages", "layers"),
    [
        (0, LAYERS),
        (1, ("stem",)),
        (2, ("block2", "stem")),
        (4, ("block3", "block2", "block1", "stem")),
        (9, LAYERS),
    ],
)
def test_stages_are_spread_from_the_output_to_the_last_layer(stages: int, layers: tuple[str, ...]) -> None:
    _, asked = mprt(Mprt(stages=stages), by_layer)
    assert [upto for _, upto in asked] == list(layers)


def test_the_random_models_are_of_the_seed_and_the_same_for_every_case() -> None:
    seeds = {
        mprt(Mprt(seed=seed), by_layer, name)[1][0][0] for seed in (0, 1) for name in ("P001-s00", "P002-s00")
    }
    assert seeds == {seed_of(0, "mprt"), seed_of(1, "mprt")}


def test_value_and_details_agree_with_scipy_and_scikit_image() -> None:
    measured, _ = mprt(Mprt(stages=0), by_layer)
    own = by_layer(IMAGE).astype(np.float32)
    maps = [by_layer(IMAGE, Layered(0, layer)).astype(np.float32) for layer in LAYERS]
    ranks = [abs(spearmanr(own, other, axis=None).statistic) for other in maps]
    ssim = [
        structural_similarity(own / np.abs(own).max(), other / np.abs(other).max(), data_range=2.0)
        for other in maps
    ]
    assert measured.value == pytest.approx(np.mean(ranks), abs=1e-5)
    assert measured.details["last"] == pytest.approx(ranks[-1], abs=1e-5)
    assert measured.details["ssim"] == pytest.approx(np.mean(ssim), abs=1e-4)


@pytest.mark.parametrize("side", [6, 7])
def test_structural_similarity_needs_seven_pixels_a_side(side: int) -> None:
    image = IMAGE[:side, :side]
    again = Again(image, lambda image, classifier=None: image[..., 0])
    measured = Mprt()(Layered(), case_of(image), explanation_of(again.map), again)
    assert ("ssim" in measured.details) == (side == 7)


def test_a_map_that_ignores_the_model_scores_one_and_one_that_turns_over_as_well() -> None:
    assert mprt(Mprt(), fixed)[0].value == pytest.approx(1)
    assert mprt(Mprt(), fixed)[0].details["complexity_rise"] == 0
    turned = mprt(Mprt(), lambda image, classifier=None: fixed(image) * (1 if classifier is None else -1))[0]
    assert turned.value == pytest.approx(1)
    assert turned.details["ssim"] < 0.5


def test_complexity_rises_from_a_sparse_map_to_noise_and_falls_the_other_way() -> None:
    sparse = np.zeros((16, 16))
    sparse[4:6, 4:6] = 1

    def becomes_noise(image: np.ndarray, classifier: object = None) -> np.ndarray:
        return sparse if classifier is None else fixed(image)

    def becomes_sparse(image: np.ndarray, classifier: object = None) -> np.ndarray:
        return fixed(image) if classifier is None else sparse

    shares = np.array([4, 252]) / 256
    before = -(shares * np.log(shares)).sum()
    counts = np.histogram(fixed(IMAGE) / np.abs(fixed(IMAGE)).max(), bins=100)[0]
    after = -sum(c / 256 * np.log(c / 256) for c in counts if c)
    rise = mprt(Mprt(), becomes_noise)[0].details["complexity_rise"]
    assert rise == pytest.approx((after - before) / before, rel=1e-2)
    assert mprt(Mprt(), becomes_sparse)[0].details["complexity_rise"] < 0
    constant = mprt(Mprt(), lambda image, classifier=None: np.ones((16, 16)))[0]
    assert "complexity_rise" not in constant.details
    assert constant.value == 1


def test_a_model_without_layers_and_a_negative_number_of_stages() -> None:
    with pytest.raises(NotApplicable, match="no layers"):
        Mprt()(Linear(np.zeros((16, 16, 1))), case_of(IMAGE), explanation_of(IMAGE[..., 0]), never)
    with pytest.raises(XaibenchError, match="0 for every layer"):
        Mprt(stages=-1)


# -------------------------------------------------------------------- other classes


class Many(Plain):
    """As many classes as it is told."""

    def __init__(self, classes: int) -> None:
        super().__init__((16, 16, 1))
        self.n_classes = classes


def by_class(image: np.ndarray, targets: np.ndarray | None = None) -> np.ndarray:
    label = 0 if targets is None else int(targets[0])
    return fixed(image) + label * np.random.default_rng(label).normal(size=(16, 16))


def random_logit(function, classes: int = 3, seed: int = 0, name: str = "P001-s00", exclusive: bool = True):
    again, classifier = Again(IMAGE, function), Many(classes)
    classifier.exclusive = exclusive
    explanation = explanation_of(again.map, target=0)
    measured = RandomLogit(seed=seed)(classifier, case_of(IMAGE, name=name), explanation, again)
    [call] = again.calls
    return measured.value, int(call["targets"][0])


def test_the_map_of_another_class_is_compared_by_rank() -> None:
    value, other = random_logit(by_class)
    expected = spearmanr(by_class(IMAGE), by_class(IMAGE, np.array([other])), axis=None).statistic
    assert value == pytest.approx(expected, abs=1e-5)
    assert random_logit(fixed)[0] == 1


def test_the_other_class_is_drawn_by_seed_and_case_and_never_the_explained_one() -> None:
    by_seed = {random_logit(by_class, 5, seed=seed)[1] for seed in range(40)}
    by_case = {random_logit(by_class, 5, name=f"P{n:03d}-s00")[1] for n in range(40)}
    assert by_seed == by_case == {1, 2, 3, 4}


def test_trap_23_exact_negatives_of_two_exclusive_classes_are_no_success() -> None:
    def negative(image: np.ndarray, targets: np.ndarray | None = None) -> np.ndarray:
        return fixed(image) if targets is None else -fixed(image)

    with pytest.raises(NotApplicable, match="negative of the other"):
        random_logit(negative, classes=2)
    assert random_logit(negative, classes=3)[0] == pytest.approx(-1)
    assert random_logit(negative, classes=2, exclusive=False)[0] == pytest.approx(-1)
    assert random_logit(by_class, classes=2)[1] == 1


def test_a_model_of_one_class_has_no_other() -> None:
    with pytest.raises(NotApplicable, match="single class"):
        random_logit(by_class, classes=1)

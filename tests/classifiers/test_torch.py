"""The torch wrapper: what it computes, which programs it reads, what it refuses."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn

import xaibench
from tests.classifiers.twins import SmallResnet, opened, torch_network
from xaibench.api import Need, NotApplicable, XaibenchError
from xaibench.classifiers.torch.building import exported
from xaibench.classifiers.torch.classifier import TorchClassifier, torch_classifier
from xaibench.harness.contract.classifiers import EVERY_CLASSIFIER

SIZE = 16


class Head(nn.Module):
    """Weighted sums of the pixels, and what comes after them."""

    def __init__(self, end: Any, units: int = 3, scale: float = 0.3) -> None:
        super().__init__()
        torch.manual_seed(units)
        self.conv = nn.Conv2d(1, 2, 3)
        self.linear = nn.Linear(2 * 4 * 4, units, bias=False)
        self.linear.weight.data.mul_(10 * scale)
        self.end = end

    def sums(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.conv(x).flatten(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.end(self.sums(x))


class Applied(nn.Module):
    """A module of a function."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def small(end: Any, units: int = 3, **options: Any) -> tuple[TorchClassifier, np.ndarray, np.ndarray]:
    """Classifier of 6 x 6 images that ends in `end`, images, and their weighted sums."""
    network = Head(Applied(end), units).eval()
    images = made(5, 6)
    with torch.no_grad():
        sums = network.sums(torch.tensor(images).movedim(-1, 1)).numpy()
    return opened(network, 6, **options), images, sums


def made(count: int, size: int = SIZE, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).random((count, size, size, channels), dtype=np.float32)


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def two(p: np.ndarray) -> np.ndarray:
    return np.concatenate([1 - p, p], axis=1)


@pytest.fixture(scope="module")
def network() -> SmallResnet:
    return torch_network(channels=3)


@pytest.fixture(scope="module")
def classifier(network: SmallResnet) -> TorchClassifier:
    return opened(network, SIZE, channels=3)


# ---------------------------------------------------------------- what is computed, by plain torch with hooks


@pytest.mark.parametrize("check", EVERY_CLASSIFIER)
def test_every_promise_of_a_classifier_is_kept(check, classifier) -> None:
    check(classifier)


def test_features_and_their_gradients_are_those_that_hooks_see(network, classifier) -> None:
    images, targets = made(3, channels=3), np.array([1, 0, 1])
    seen = {}
    hook = network.block.conv.register_forward_hook(lambda _module, _inputs, output: seen.update(maps=output))
    x = torch.tensor(images).movedim(-1, 1).requires_grad_()
    logits = network(x)
    hook.remove()
    chosen = logits[range(3), targets].sum()
    slopes = torch.autograd.grad(chosen, [seen["maps"], x])
    maps, gradients = classifier.feature_gradients(images, targets, "block.conv")
    np.testing.assert_allclose(maps, seen["maps"].detach().movedim(1, -1), atol=1e-5)
    np.testing.assert_allclose(gradients, slopes[0].movedim(1, -1), atol=1e-5)
    np.testing.assert_allclose(
        classifier.input_gradients(images, targets), slopes[1].movedim(1, -1), atol=1e-5
    )
    np.testing.assert_allclose(classifier.logits(images), logits.detach(), atol=1e-5)


def test_a_map_before_an_operation_in_place_is_what_the_operation_put_out(classifier) -> None:
    images = made(2, channels=3)
    sums, _ = classifier.feature_gradients(
        images, np.array([0, 1]), "add"
    )  # the ReLU behind it works in place
    assert sums.min() < 0
    np.testing.assert_array_equal(classifier.features(images, "block"), np.maximum(sums, 0))


def test_logits_of_a_layer_that_others_go_past_are_not_applicable(classifier) -> None:
    maps = classifier.features(made(2, channels=3), "block.norm")
    with pytest.raises(NotApplicable, match=r"layers that go past 'block.norm'"):
        classifier.logits_from_features(maps, "block.norm")


def test_an_unknown_layer_is_refused_with_the_known_ones(classifier) -> None:
    with pytest.raises(XaibenchError, match=r"no layer 'nothing'.*'block'"):
        classifier.features(made(1, channels=3), "nothing")
    with pytest.raises(XaibenchError, match="not feature maps"):
        classifier.features(made(1, channels=3), "head")


def test_verify_runs_the_model_itself(network) -> None:
    images = made(4, channels=3)
    program = exported(network, images.shape[1:])
    right = torch_classifier(program, network)
    assert right.verify(images) == [right.ending.reading.note]
    wrong = torch_classifier(program, lambda x: network(x) + torch.tensor([1.0, 0.0]))
    with pytest.raises(XaibenchError, match="own outputs differ"):
        wrong.verify(images)


def test_a_network_that_has_no_convolution_has_no_maps() -> None:
    plain = opened(nn.Sequential(nn.Flatten(), nn.Linear(36, 2)).eval(), 6)
    assert Need.FEATURES not in plain.offers
    with pytest.raises(NotApplicable, match="no convolutional layer"):
        plain.features(made(1, 6))


def test_volumes_are_explained() -> None:
    layers = [nn.Conv3d(1, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(2, 2)]
    network = nn.Sequential(*layers).eval()
    volumes = torch_classifier(exported(network, (5, 6, 7, 1)), network)
    images = np.random.default_rng(0).random((2, 5, 6, 7, 1), dtype=np.float32)
    assert volumes.input_gradients(images, np.array([0, 1])).shape == images.shape
    assert volumes.features(images).shape == (2, 3, 4, 5, 2)
    assert volumes.head_weights().shape == (2, 2)


def test_half_precision_is_read_and_answered_in_float32() -> None:
    network = Head(nn.Identity()).eval().bfloat16()
    program = torch.export.export(
        network,
        (torch.zeros(2, 1, 6, 6, dtype=torch.bfloat16),),
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
    )
    half = torch_classifier(program, network)
    whole = opened(Head(nn.Identity()).eval(), 6)
    images = made(3, 6)
    assert half.input_gradients(images, np.zeros(3, int)).dtype == np.float32
    np.testing.assert_allclose(half.scores(images), whole.scores(images), atol=0.03)
    half.verify(images)


# ---------------------------------------------------------------- batches


def test_a_program_of_fixed_batches_gets_them_filled_up(network, classifier) -> None:
    fixed = torch_classifier(torch.export.export(network, (torch.zeros(4, 3, SIZE, SIZE),)), network)
    images, targets = made(6, channels=3), np.array([0, 1, 0, 1, 1, 0])
    assert fixed.batch_size == 4
    assert fixed.facts["batches"] == "of 4 alone, as the program was exported"
    np.testing.assert_allclose(fixed.scores(images), classifier.scores(images), atol=1e-6)
    gradients = [one.input_gradients(images, targets) for one in (fixed, classifier)]
    np.testing.assert_allclose(*gradients, atol=1e-6)
    maps = fixed.features(images)
    np.testing.assert_allclose(fixed.logits_from_features(maps), classifier.logits(images), atol=1e-5)
    for rule in sorted(classifier.backward_rules):
        back = [one.relevance(images, targets, rule, 0 * images[0]) for one in (fixed, classifier)]
        np.testing.assert_allclose(*back, atol=1e-5)
    fixed.verify(images)


# ---------------------------------------------------------------- fresh weights


def test_fresh_weights_are_what_the_layers_themselves_draw(classifier) -> None:
    from xaibench.api import seed_of

    assert classifier.random_layers == ("head", "block.norm", "block.conv", "stem")
    fresh = classifier.randomised(3, "block.conv")
    torch.manual_seed(seed_of(3, "head"))
    expected = nn.Linear(6, 2)
    torch.testing.assert_close(fresh.weights["head.weight"], expected.weight.detach())
    torch.testing.assert_close(fresh.weights["head.bias"], expected.bias.detach())
    torch.manual_seed(seed_of(3, "block.conv"))
    torch.testing.assert_close(
        fresh.weights["block.conv.weight"], nn.Conv2d(6, 6, 3, bias=False).weight.detach()
    )
    assert fresh.weights["block.norm.running_var"].tolist() == [1.0] * 6
    assert fresh.weights["stem.weight"] is classifier.weights["stem.weight"]


def test_cascades_share_their_upper_layers_and_leave_the_generator_alone(classifier) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, both = classifier.randomised(0, "head"), classifier.randomised(0, "stem")
    assert torch.equal(torch.get_rng_state(), before)
    torch.testing.assert_close(first.weights["head.weight"], both.weights["head.weight"])
    images = made(2, channels=3)
    passes = classifier.passes.forward
    relevance = [one.relevance(images, np.zeros(2, int), "guided") for one in (classifier, both)]
    assert np.abs(relevance[0] - relevance[1]).max() > 0
    assert classifier.passes.forward == passes + 4  # those of the randomised copy count for the trained one


def test_weights_of_no_known_layer_are_shuffled() -> None:
    class Scaled(Head):
        def __init__(self) -> None:
            super().__init__(nn.Identity())
            self.token = nn.Parameter(torch.arange(3.0))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.sums(x) * self.token

    fresh = opened(Scaled().eval(), 6).randomised(1, "token").weights["token"]
    assert sorted(fresh.tolist()) == [0.0, 1.0, 2.0]


# ---------------------------------------------------------------- endings: never a softmax of a softmax


@pytest.mark.parametrize(
    ("end", "units", "options", "expected", "says"),
    [
        (lambda z: z, 3, {}, softmax, "taken as logits"),
        (lambda z: z.softmax(1), 3, {}, softmax, ""),
        (lambda z: z.softmax(-1).reshape(-1, 3), 3, {}, softmax, ""),
        (lambda z: z.log_softmax(1), 3, {}, softmax, "log-probabilities"),
        (lambda z: (z.softmax(1) + (-z).softmax(1)) / 2, 3, {}, lambda z: (softmax(z) + softmax(-z)) / 2, "log p"),
        (lambda z: z.sigmoid(), 3, {}, sigmoid, "do not exclude"),
        (lambda z: z, 3, {"activation": "sigmoid"}, sigmoid, "do not exclude"),
        (lambda z: z, 3, {"activation": "softmax"}, softmax, ""),
        (lambda z: z, 1, {}, lambda z: two(sigmoid(z)), "second of two"),
        (lambda z: z.squeeze(1), 1, {}, lambda z: two(sigmoid(z)), "second of two"),
        (lambda z: z.sigmoid(), 1, {}, lambda z: two(sigmoid(z)), ""),
        (lambda z: (z.sigmoid() + (2 * z).sigmoid()) / 2, 1, {}, lambda z: two((sigmoid(z) + sigmoid(2 * z)) / 2),
         "log-odds"),
        (lambda z: (z.sigmoid() + (2 * z).sigmoid()) / 2, 3, {"activation": "none"},
         lambda z: (sigmoid(z) + sigmoid(2 * z)) / 2, "log-odds"),
    ],
)  # fmt: skip
def test_trap_28_scores_are_the_models_own(end, units, options, expected, says) -> None:
    classifier, images, sums = small(end, units, **options)
    np.testing.assert_allclose(classifier.scores(images), expected(sums), atol=1e-5)
    (note,) = classifier.verify(images) or [""]
    assert (says in note) if says else not note
    logits = classifier.logits(images)
    again = softmax(logits) if classifier.exclusive else sigmoid(logits)
    np.testing.assert_allclose(again, expected(sums), atol=1e-5)
    up = images.astype(np.float64).copy()
    gradient = classifier.input_gradients(images, np.zeros(5, int))
    up = images + 1e-2 * gradient / np.linalg.norm(gradient)
    rise = (classifier.logits(up.astype(np.float32)) - logits)[:, 0].sum()
    np.testing.assert_allclose(rise, 1e-2 * np.linalg.norm(gradient), rtol=0.1, atol=1e-4)


@pytest.mark.parametrize(
    ("end", "units", "activation", "message"),
    [
        (lambda z: z.softmax(1), 3, "softmax", "ends in a softmax already"),
        (lambda z: (z.softmax(1) + (-z).softmax(1)) / 2, 3, "softmax", "would be a second one"),
        (lambda z: z.softmax(1), 1, "", "always 1"),
        (lambda z: z, 1, "softmax", "always 1"),
        (lambda z: z, 3, "none", "are no probabilities"),
        (lambda z: (z.sigmoid() + (2 * z).sigmoid()) / 2, 3, "", "say what they are, --activation none"),
        (lambda z: torch.stack([z, z], 1), 3, "", "one row of class scores"),
        (lambda z: (z, z), 3, "", "2 outputs"),
        (lambda z: z * torch.nan, 3, "", "NaN"),
    ],
)
def test_an_ending_that_cannot_be_read_is_one_sentence(end, units, activation, message) -> None:
    with pytest.raises(XaibenchError, match=message):
        small(end, units, activation=activation)


# ---------------------------------------------------------------- programs that are refused


def test_a_network_in_training_mode_is_refused(network) -> None:
    for training in (nn.Sequential(nn.Dropout(0.5), Head(nn.Identity())), torch_network(channels=1).train()):
        with pytest.raises(XaibenchError, match=r"works as in training; call model.eval\(\)"):
            opened(training.train(), 6)


def test_answers_that_are_drawn_are_refused() -> None:
    with pytest.raises(XaibenchError, match="draws at random"):
        small(lambda z: z + torch.rand_like(z))


def test_weights_that_are_no_numbers_are_refused() -> None:
    broken = Head(nn.Identity()).eval()
    broken.linear.weight.data[0, 0] = torch.nan
    with pytest.raises(XaibenchError, match=r"'linear.weight' holds NaN"):
        opened(broken, 6)


def test_a_network_whose_path_depends_on_the_image_is_refused() -> None:
    with pytest.raises(XaibenchError, match="cannot be exported"):
        small(lambda z: z if z.sum() > 0 else -z)


def test_two_inputs_are_refused() -> None:
    class Two(nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return (x + y).flatten(1)

    images = torch.zeros(2, 1, 2, 2)
    with pytest.raises(XaibenchError, match="a classifier takes one"):
        torch_classifier(torch.export.export(Two(), (images, images)), lambda x: x)


def test_a_view_that_is_changed_in_place_changes_what_it_shows() -> None:
    def end(z: torch.Tensor) -> torch.Tensor:
        z = 2 * z
        z[:, 0].mul_(3)
        return z

    classifier, images, sums = small(end)
    np.testing.assert_allclose(classifier.logits(images), sums * [6, 2, 2], atol=1e-5)


def test_a_network_that_views_its_maps_as_rows_is_read() -> None:
    class Viewing(Head):
        def sums(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(self.conv(x).view(x.shape[0], -1))

    network, images = Viewing(nn.Identity()).eval(), made(3, 6)
    classifier = opened(network, 6)
    classifier.verify(images)
    expected = network(torch.tensor(images).reshape(3, 1, 6, 6)).detach()
    np.testing.assert_allclose(classifier.logits(images), expected, atol=1e-5)


def test_the_relevance_of_a_pixel_is_that_of_its_preprocessed_value() -> None:
    network, standardise = torch_network(), nn.GroupNorm(1, 1)
    whole, inner = opened(nn.Sequential(standardise, network).eval(), SIZE), opened(network, SIZE)
    images, targets = made(2), np.array([0, 1])
    seen = standardise(torch.tensor(images).movedim(-1, 1)).movedim(1, -1).detach().numpy()
    assert whole.backward_rules == inner.backward_rules >= {"z-plus", "lrp-composite"}
    for rule in ("z-plus", "lrp-composite"):
        expected = inner.relevance(seen, targets, rule)
        np.testing.assert_allclose(
            whole.relevance(images, targets, rule), expected, atol=1e-4 * np.abs(expected).max()
        )


def test_from_python_a_network_is_explained_as_it_is() -> None:
    network = torch_network()
    images = np.random.default_rng(0).random((2, SIZE, SIZE, 1), dtype=np.float32)
    found = xaibench.explain(network, images, "saliency")
    classifier = torch_classifier(exported(network, (SIZE, SIZE, 1)), network)
    targets = classifier.scores(images).argmax(axis=1)
    expected = np.abs(classifier.input_gradients(images, targets)).max(axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_from_python_a_network_in_training_is_told() -> None:
    with pytest.raises(XaibenchError, match=r"works as in training; call model.eval\(\)"):
        xaibench.explain(torch_network().train(), np.zeros((1, SIZE, SIZE, 1), np.float32), "saliency")

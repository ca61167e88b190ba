import numpy as np
import pytest
from scipy.special import softmax

from tests.closed_form import pooled, small_resnet
from tests.methods.batches import batch
from xaibench.api import Background, NotApplicable, XaibenchError
from xaibench.methods.tcav import (
    Tcav,
    corrected,
    directions,
    of_training,
    scores_of,
    vectors_of,
)
from xaibench.methods.upsampling import upsample

SIZE = 8
HEAD = np.array([[-1.0, 1.0], [1.0, -1.0], [0.0, 0.0]])
"""Map 0 speaks for class 1, map 1 against it, map 2 for nothing."""


def drawn(count, seed, channel=None):
    """Noise, with one channel raised for a concept."""
    images = np.random.default_rng(seed).random((count, SIZE, SIZE, 3), dtype=np.float32)
    if channel is not None:
        images[..., channel] += 1
    return images


@pytest.fixture(scope="module")
def classifier():
    return pooled(np.eye(3), HEAD, SIZE)


@pytest.fixture(scope="module")
def background():
    concepts = {name: drawn(40, 10 + n, n) for n, name in enumerate(["for", "against", "nothing"])}
    labels = np.array([0, 1] * 120)
    return Background(drawn(240, 0), labels, tuple(f"T{n:03d}" for n in range(240)), concepts)


@pytest.fixture(scope="module")
def fitted(classifier, background):
    return Tcav().fit(classifier, background, 0)


def test_a_concept_that_is_a_feature_map_points_along_it(fitted):
    for number, vector in enumerate(fitted["vectors"]):
        assert vector.argmax() == number
        assert vector[number] > 0.95


def test_scores_follow_the_head(fitted):
    names = fitted["names"].tolist()
    scores = dict(zip(names, fitted["scores"], strict=True))
    assert scores["for"].tolist() == [0, 1]
    assert scores["against"].tolist() == [1, 0]
    assert (fitted["p"][[names.index("for"), names.index("against")]] < 0.05).all()


def test_concepts_that_are_nothing_to_the_model_hardly_ever_count():
    """Two concepts in maps that the model ignores, 40 cohorts: some of the two tests is wrong in 10 % at most."""
    gradients = [np.tile(np.float32([1, -1, 0, 0]), (30, 1))]
    wrong = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        random = rng.normal(size=(256, 4)).astype(np.float32)
        shown = [rng.normal(shift, 1, (40, 4)).astype(np.float32) for shift in ([0, 0, 3, 0], [0, 0, 0, 3])]
        scores = np.array([scores_of(vectors_of(own, random, 20, rng), gradients) for own in shown])
        others = Tcav(random_concepts=59)._random_concepts(random, 40, rng)
        null = np.array([scores_of(own, gradients) for own in others])
        wrong += bool((corrected(scores, null) < 0.05).any())
    assert wrong / 40 <= 0.1


def test_a_score_is_the_share_of_images_whose_log_odds_rise_along_the_vector():
    """By finite differences, image by image, as equation 2 says."""
    classifier = small_resnet(classes=3)
    rng = np.random.default_rng(3)
    images = rng.random((12, *classifier.input_shape), dtype=np.float32)
    labels = np.array([0, 1, 2] * 4)
    vector = rng.normal(size=(1, 8))
    random, found = of_training(classifier, Background(images, labels, tuple("abcdefghijkl")), None)
    np.testing.assert_allclose(random, classifier.features(images).mean(axis=(1, 2)), rtol=1e-5)
    for label in range(3):
        maps = classifier.features(images[labels == label])
        raised, before = (
            log_odds(classifier.logits_from_features(each.astype(np.float32)), label)
            for each in (maps + 1e-2 * vector, maps)
        )
        np.testing.assert_allclose(found[label] @ vector[0], (raised - before) / 1e-2, rtol=0.02)
        assert scores_of(vector, found)[label] == np.mean(raised > before)


def log_odds(logits, label):
    p = softmax(logits.astype(np.float64), axis=1)[:, label]
    return np.log(p) - np.log1p(-p)


def test_the_direction_separates_what_it_was_learnt_from():
    rng = np.random.default_rng(0)
    random = rng.normal(size=(50, 4)).astype(np.float32)
    shown = random + np.float32([2, 0, 0, 0])
    normal = directions(shown[None], random[None])[0]
    assert np.linalg.norm(normal) == pytest.approx(1)
    assert (shown @ normal).mean() > (random @ normal).mean() + 1.9


def test_p_counts_random_concepts_that_are_as_far_from_one_half():
    scores, null = (
        np.array([[0.9, np.nan], [0.5, np.nan]]),
        np.array([[0.1, np.nan], [0.6, np.nan], [0.3, np.nan]]),
    )
    p = corrected(scores, null)
    assert p[:, 0].tolist() == [1.0, 1.0]  # 2 tests x (1 + 1) / 4, and 2 x 4 / 4 cut at 1
    assert np.isnan(p[:, 1]).all()
    many = np.tile(null, (33, 1))
    assert corrected(scores, many)[0, 0] == pytest.approx(2 * 34 / 100)


def test_classes_without_training_images_are_no_tests_and_have_no_score(classifier, background):
    one = background.labels == 0
    few = Background(background.images[one], background.labels[one], ("T",) * 120, background.concepts)
    fitted = Tcav().fit(classifier, few, 0)
    assert np.isnan(fitted["scores"][:, 1]).all()
    with pytest.raises(NotApplicable, match="no concept counts for class 1"):
        Tcav()(classifier, batch(drawn(1, 5), 1, fitted=fitted))


def test_the_map_is_the_projection_on_the_strongest_concept(classifier, background, fitted):
    x = drawn(2, 7)
    made = Tcav()(classifier, batch(x, [1, 0], fitted=fitted))
    centre = background.images.mean(axis=(0, 1, 2))
    for n, target in enumerate((1, 0)):
        effects = np.abs(fitted["scores"][:, target] - 0.5) * (fitted["p"][:, target] < 0.05)
        chosen = effects.argmax()
        sign = 1 if fitted["scores"][chosen, target] > 0.5 else -1
        expected = sign * ((x[n] - centre) @ fitted["vectors"][chosen])
        np.testing.assert_allclose(
            made.heatmaps[n], upsample(expected[None].astype(np.float32), (SIZE, SIZE))[0], atol=1e-4
        )
        assert made.details[n]["tcav for"] == fitted["scores"][0, target]
        assert made.details[n]["p for"] == fitted["p"][0, target]


def test_a_named_concept_is_mapped_whether_it_counts_or_not(classifier, fitted):
    x = drawn(1, 7)
    x[0, 2, 3, 2] = 5
    heatmap = Tcav(concept="nothing")(classifier, batch(x, 1, fitted=fitted)).heatmaps[0]
    assert np.unravel_index(np.abs(heatmap).argmax(), heatmap.shape) == (2, 3)
    with pytest.raises(NotApplicable, match="no concept 'gas'; there are: for, against, nothing"):
        Tcav(concept="gas")(classifier, batch(x, 1, fitted=fitted))


def test_a_direction_weighs_each_map_by_its_spread():
    rng = np.random.default_rng(1)
    random = rng.normal(0, [1, 10], (4000, 2)).astype(np.float32)
    normal = directions(random[None] + np.float32([1, 10]), random[None])[0]
    assert normal[0] / normal[1] == pytest.approx(10, rel=0.1)
    same = np.ones((1, 3, 2), np.float32)
    np.testing.assert_allclose(directions(same, 0 * same), [[0.5**0.5, 0.5**0.5]])


def test_no_run_and_no_random_concept_test_nothing():
    with pytest.raises(XaibenchError, match="at least one run"):
        Tcav(runs=0)

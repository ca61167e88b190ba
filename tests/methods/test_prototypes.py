import numpy as np
import pytest

from tests.closed_form import images, pooled, small_resnet
from tests.methods.batches import batch
from xaibench.api import Background, NotApplicable
from xaibench.methods.prototypes import Prototypes, best_match, similarity
from xaibench.methods.upsampling import upsample


@pytest.fixture(scope="module")
def classifier():
    return small_resnet()


def background(x, labels, patients=None):
    names = patients or [f"T{n:02d}" for n in range(len(x))]
    return Background(x, np.array(labels), tuple(names))


def test_an_image_among_the_training_cases_is_its_own_nearest(classifier):
    x, method = images(classifier, 6), Prototypes()
    labels = np.array([0, 1, 0, 1, 0, 1])
    found = method(classifier, batch(x, labels, fitted=method.fit(classifier, background(x, labels), 0)))
    for n, (heatmap, details) in enumerate(zip(found.heatmaps, found.details, strict=True)):
        assert details["nearest_1"] == n
        assert details["distance"] == pytest.approx(0, abs=1e-5)
        assert heatmap.max() > 0.5 * np.log(1e4)  # the prototype is a patch of the image itself


def test_prototypes_agree_with_the_definition_place_by_place(classifier):
    x, training = images(classifier, 2), images(classifier, 8, seed=5)
    labels, targets = [0, 1] * 4, np.array([1, 0])
    method = Prototypes()
    fitted = method.fit(classifier, background(training, labels), 3)
    found = method(classifier, batch(x, targets, fitted=fitted))
    for n in range(2):
        own = classifier.features(x[n])
        nearest = min(
            (row for row in range(8) if labels[row] == targets[n]),
            key=lambda row: np.linalg.norm(_pooled(classifier, training[row]) - own.mean(axis=(0, 1))),
        )
        assert found.details[n]["nearest_1"] == nearest
        expected = _definition(own, classifier.features(training[nearest]))
        np.testing.assert_allclose(
            found.heatmaps[n], upsample(expected.astype(np.float32), (32, 32)), rtol=1e-3, atol=1e-4
        )


def _pooled(classifier, image):
    return classifier.features(image).mean(axis=(0, 1))


def _definition(own, other):
    best, prototype = -np.inf, None
    for patch in other.reshape(-1, other.shape[-1]):
        for mine in own.reshape(-1, own.shape[-1]):
            if patch @ mine > best:
                best, prototype = patch @ mine, patch
    heatmap = np.zeros(own.shape[:2])
    for place in np.ndindex(heatmap.shape):
        squared = float(((own[place] - prototype) ** 2).sum())
        heatmap[place] = np.log((squared + 1) / (squared + 1e-4))
    return heatmap


def test_the_map_is_highest_where_the_training_case_has_its_like():
    classifier = pooled(np.eye(2), np.eye(2))
    x, other = np.zeros((8, 8, 2), np.float32), np.zeros((1, 8, 8, 2), np.float32)
    x[2, 3], x[6, 6] = [3, 0], [0, 1]
    other[0, 5, 1] = [3, 0]
    method = Prototypes()
    fitted = method.fit(classifier, background(other, [1]), 0)
    heatmap = method(classifier, batch(x[None], 1, fitted=fitted)).heatmaps[0]
    assert np.unravel_index(heatmap.argmax(), heatmap.shape) == (2, 3)
    assert heatmap[2, 3] == pytest.approx(np.log(1e4), rel=1e-4)
    assert heatmap[0, 0] == pytest.approx(np.log(10 / 9.0001), rel=1e-3)
    assert heatmap[6, 6] == pytest.approx(np.log(11 / 10.0001), rel=1e-3)


def test_best_match_and_similarity_by_hand():
    own = np.array([[[1.0, 0.0], [0.0, 0.0]]], np.float32)
    others = np.array([[[0.0, 5.0], [2.0, 1.0]]], np.float32)
    np.testing.assert_array_equal(best_match(own, others), [2, 1])
    np.testing.assert_allclose(
        similarity(own, np.array([1.0, 0.0], np.float32)), [[np.log(1e4), np.log(2 / 1.0001)]], rtol=1e-4
    )


def test_nearest_patients_are_different_patients(classifier):
    x = images(classifier, 8)
    x[1:4] = x[0] + np.float32(0.001) * x[1:4]  # four slices of the first patient, almost alike
    patients = ["A", "A", "A", "A", "D", "C", "B", "E"]
    method = Prototypes()
    fitted = method.fit(classifier, background(x, [1] * 8, patients), 0)
    details = method(classifier, batch(x[:1], 1, fitted=fitted)).details[0]
    named = [details[f"nearest_{place}"] for place in (1, 2, 3)]
    assert named[0] == 0
    assert len(set(named)) == 3
    maps = classifier.features(x).mean(axis=(1, 2))
    far = np.linalg.norm(maps - maps[0], axis=1)[4:]
    assert named[1:] == [float("ABCDE".index(patients[4 + row])) for row in far.argsort()[:2]]


def test_only_cases_of_the_explained_class_are_compared(classifier):
    x, method = images(classifier, 4), Prototypes()
    fitted = method.fit(classifier, background(x, [0, 1, 1, 1]), 0)
    assert method(classifier, batch(x[:1], 1, fitted=fitted)).details[0]["nearest_1"] != 0
    with pytest.raises(NotApplicable, match="class 1 has no training images"):
        method(classifier, batch(x, 1, fitted=method.fit(classifier, background(x, [0] * 4), 0)))


def test_no_more_images_are_kept_than_asked_for_and_a_map_costs_one_pass(classifier):
    x, method = images(classifier, 6), Prototypes(images=4)
    fitted = method.fit(classifier, background(x, [0, 0, 0, 1, 1, 1]), 0)
    assert len(fitted["maps"]) == len(fitted["labels"]) == len(fitted["patients"]) == 4
    before = classifier.passes
    method(classifier, batch(x[:1], fitted["labels"][:1], fitted=fitted))
    assert classifier.passes[:2] == (before.forward + 1, before.backward)

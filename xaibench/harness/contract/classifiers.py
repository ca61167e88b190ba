"""What every classifier must do, as checks that raise Broken with one sentence."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, softmax

from xaibench.api import Classifier, Images, Need, NotApplicable
from xaibench.harness.contract.trial import Broken

TOLERANCE = 1e-4


def probabilities_are_probabilities(classifier: Classifier) -> None:
    """Scores [n k] in 0 .. 1, which sum to 1 where classes exclude each other."""
    scores = classifier.scores(_images(classifier))
    if scores.shape != (3, classifier.n_classes):
        raise Broken(f"scores have shape {scores.shape} for 3 images and {classifier.n_classes} classes")
    if scores.min() < -TOLERANCE or scores.max() > 1 + TOLERANCE:
        raise Broken("a score leaves 0 .. 1")
    if classifier.exclusive and np.abs(scores.sum(axis=1) - 1).max() > TOLERANCE:
        raise Broken("the classes exclude each other, but the scores of an image do not sum to 1")


def images_alone_score_as_in_a_batch(classifier: Classifier) -> None:
    """Neither batches nor leading axes change a score."""
    images = _images(classifier)
    together = classifier.scores(images)
    alone = np.stack([classifier.scores(image) for image in images])
    leading = classifier.scores(images[None])[0]
    if max(np.abs(alone - together).max(), np.abs(leading - together).max()) > TOLERANCE:
        raise Broken("an image alone, or with another leading axis, scores differently")


def masked_copies_score_as_images_do(classifier: Classifier) -> None:
    """`masked_scores` equals the scores of the composed images."""
    image, baseline = _images(classifier)[:2]
    masks = np.random.default_rng(1).random((5, *image.shape[:-1]), dtype=np.float32)
    composed = masks[..., None] * image + (1 - masks[..., None]) * baseline
    if (
        np.abs(classifier.masked_scores(image, masks, baseline) - classifier.scores(composed)).max()
        > TOLERANCE
    ):
        raise Broken("masked_scores differ from the scores of the masked images")


def passes_are_counted(classifier: Classifier) -> None:
    """One forward pass an image."""
    before = classifier.passes
    classifier.scores(_images(classifier))
    if classifier.passes.forward - before.forward != 3:
        raise Broken(f"3 images are counted as {classifier.passes.forward - before.forward} passes")


def remembers_scores(classifier: Classifier) -> None:
    """`remembered_scores` gives what `scores` gives."""
    image = _images(classifier)[0]
    for _ in range(2):
        if np.abs(classifier.remembered_scores(image) - classifier.scores(image)).max() > TOLERANCE:
            raise Broken("remembered_scores differ from scores")


def logits_explain_the_scores(classifier: Classifier) -> None:
    """Softmax of the logits, or their sigmoid where classes do not exclude each other, gives the scores."""
    _require(classifier, Need.INPUT_GRADIENTS)
    images = _images(classifier)
    logits = classifier.logits(images)
    expected = softmax(logits, axis=-1) if classifier.exclusive else expit(logits)
    if np.abs(expected - classifier.scores(images)).max() > TOLERANCE:
        raise Broken("the scores are not the softmax (or sigmoid) of the logits")


def gradients_follow_the_logits(classifier: Classifier) -> None:
    """A small step along the gradient raises the target's logit as the gradient says."""
    _require(classifier, Need.INPUT_GRADIENTS)
    image = _images(classifier)[0]
    gradient = classifier.input_gradients(image, np.array(0))
    size = float(np.linalg.norm(gradient))
    if size == 0:
        raise NotApplicable("the gradient of the sample image is zero")
    step = np.float32(1e-2 / size) * gradient
    up, down = classifier.logits(np.stack([image + step, image - step]))[:, 0]
    expected = 2 * float((gradient * step).sum())
    if abs(float(up - down) - expected) > 0.1 * abs(expected) + 1e-3:
        raise Broken(f"the logit changes by {up - down:g} where the gradient says {expected:g}")


def features_give_the_logits(classifier: Classifier) -> None:
    """Unchanged feature maps give the logits of the image."""
    _require(classifier, Need.LOGITS_FROM_FEATURES)
    images = _images(classifier)
    found = classifier.logits_from_features(classifier.features(images))
    if np.abs(found - classifier.logits(images)).max() > 1e-3:
        raise Broken("logits_from_features differs from the logits for unchanged features")


def randomised_layers_change_the_answer(classifier: Classifier) -> None:
    """Fresh weights in the last layer give other scores; the classifier itself stays as it is."""
    _require(classifier, Need.RANDOMISED)
    images = _images(classifier)
    before = classifier.scores(images)
    other = classifier.randomised(0, classifier.random_layers[0])
    if np.abs(other.scores(images) - before).max() == 0 or other.fingerprint == classifier.fingerprint:
        raise Broken("randomising the last layer changes nothing")
    if np.abs(classifier.scores(images) - before).max() > TOLERANCE:
        raise Broken("randomising a layer changed the classifier itself")


def what_is_not_offered_is_refused(classifier: Classifier) -> None:
    """NotApplicable, with a reason."""
    images = _images(classifier)
    asks: dict[Need, Callable[[], object]] = {
        Need.INPUT_GRADIENTS: lambda: classifier.input_gradients(images, np.zeros(3, int)),
        Need.FEATURES: lambda: classifier.features(images),
        Need.ATTENTION: lambda: classifier.attention(images, np.zeros(3, int)),
    }
    for need, ask in asks.items():
        if need in classifier.offers:
            continue
        try:
            ask()
        except NotApplicable:
            continue
        raise Broken(f"it does not offer {need.value}, but gives it; raise NotApplicable, or offer it")


def _require(classifier: Classifier, need: Need) -> None:
    if need not in classifier.offers:
        raise NotApplicable(f"the classifier does not offer {need.value}")


def _images(classifier: Classifier) -> Images:
    rng = np.random.default_rng(0)
    images: Images = rng.random((3, *classifier.input_shape), dtype=np.float32)
    return images


EVERY_CLASSIFIER: list[Callable[[Classifier], None]] = [
    probabilities_are_probabilities,
    images_alone_score_as_in_a_batch,
    masked_copies_score_as_images_do,
    passes_are_counted,
    remembers_scores,
    logits_explain_the_scores,
    gradients_follow_the_logits,
    features_give_the_logits,
    randomised_layers_change_the_answer,
    what_is_not_offered_is_refused,
]

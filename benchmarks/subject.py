"""The model and the images that every library gets, with the count of the images that pass, and the floors."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # must be set before TensorFlow is imported

import keras
import numpy as np
import tensorflow as tf
from scipy.ndimage import gaussian_filter

from benchmarks.timing import best_batch, seconds_a_call
from xaibench.api import Image, Images
from xaibench.classifiers.keras import KerasClassifier
from xaibench.metrics.common.baselines import blur

BATCHES = (8, 16, 32, 64, 128)
CLASS = 1
"""The explained class, of all images."""
EVIDENT = 10.0
"""Logit of the class in the image, and of its opposite in the blurred copy."""


class Counter(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Hands images on unchanged and counts them, also inside other people's traced functions."""

    def __init__(self) -> None:
        super().__init__(name="counter")
        self.seen = tf.Variable(0, dtype=tf.int64, trainable=False)

    def call(self, images: Any) -> Any:
        """Count and hand on."""
        self.seen.assign_add(tf.cast(tf.shape(images)[0], tf.int64))
        return images


@dataclass(frozen=True, eq=False)
class Subject:
    """A model with seeded random weights: what a pass costs does not depend on them."""

    name: str
    classifier: KerasClassifier
    model: Any
    """Same layers as a flat Keras model with a softmax layer at its end, as the other libraries want it."""
    counter: Counter
    images: Images
    """Smooth random images in [0, 1]."""

    @property
    def image(self) -> Image:
        """The one image of the perturbation methods."""
        image: Image = self.images[0]
        return image

    @property
    def side(self) -> int:
        """Height and width of the images."""
        return int(self.images.shape[1])

    def count(self, job: Callable[[], object]) -> int:
        """Run a job, and count the images that it puts through the model."""
        before = int(self.counter.seen.numpy())
        job()
        return int(self.counter.seen.numpy()) - before


def make_subject(name: str, build: Callable[[], Any], images: int) -> Subject:
    """Build the model and its images."""
    keras.utils.set_random_seed(0)
    counter = Counter()
    model = counted(build(), counter)
    shown = smooth_images(images, KerasClassifier(model).input_shape)
    give_evidence(model, shown[0])
    return Subject(name, KerasClassifier(model), model, counter, shown)


def give_evidence(model: Any, image: Image) -> None:
    """Let the head find CLASS in the image and not in its blurred copy: a curve needs evidence to remove."""
    head = model.layers[-2]
    features = keras.Model(model.input, head.input)(np.stack([image, blur(image)]))
    kernel, bias = (np.zeros_like(weights) for weights in head.get_weights())
    kernel[:, CLASS] = head.get_weights()[0][:, CLASS]
    shown, blurred = np.asarray(features) @ kernel[:, CLASS]
    kernel *= 2 * EVIDENT / (shown - blurred)
    bias[CLASS] = EVIDENT * (1 - 2 * shown / (shown - blurred))
    head.set_weights([kernel, bias])


def counted(model: Any, counter: Counter) -> Any:
    """Lay a model flat, with the counter after its input and a softmax layer at its end."""
    lent = KerasClassifier(model).borrow_keras(forward=0, backward=0).model
    flat = keras.Model(lent.input, keras.layers.Softmax(name="probabilities")(lent.output))
    first = flat.layers[1].name

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if layer.name == first:
            args = (counter(args[0]), *args[1:])
        return layer(*args, **kwargs)

    copy = keras.models.clone_model(flat, call_function=call)
    copy.set_weights(flat.get_weights())
    return copy


def smooth_images(count: int, shape: tuple[int, ...]) -> Images:
    """Blurred noise in [0, 1], so that superpixels have something to follow."""
    noise = np.random.default_rng(0).random((count, *shape))
    smooth = gaussian_filter(noise, (0, shape[0] / 16, shape[1] / 16, 0))
    low, high = smooth.min(), smooth.max()
    scaled: Images = ((smooth - low) / (high - low)).astype(np.float32)
    return scaled


# ---------------------------------------------------------------- floors


@dataclass(frozen=True, eq=False)
class ForwardFloor:
    """Forward passes inside one traced function, at the best batch size."""

    call: Callable[[], object]
    batch: int
    ms_by_batch: dict[int, float]

    def pass_seconds(self, at_least: float) -> float:
        """Seconds an image."""
        return seconds_a_call(self.call, at_least) / self.batch


def forward_floor(subject: Subject, at_least: float, sizes: tuple[int, ...] = BATCHES) -> ForwardFloor:
    """Try the batch sizes, each in a function traced for it."""

    def seconds(size: int) -> float:
        call = forward_call(subject, size)
        call()
        return seconds_a_call(call, at_least)

    best, costs = best_batch(seconds, sizes)
    return ForwardFloor(forward_call(subject, best), best, costs)


def forward_call(subject: Subject, size: int) -> Callable[[], object]:
    """Traced forward pass of a batch that already is a tensor."""
    function = tf.function(partial(subject.model, training=False))
    batch = tf.constant(np.resize(subject.images, (size, *subject.images.shape[1:])))
    return lambda: function(batch).numpy()


def backward_call(subject: Subject, size: int) -> Callable[[], object]:
    """Traced forward pass and gradient of a logit down to the last feature maps, of a batch of that size."""
    model = subject.model
    maps = model.get_layer(subject.classifier.default_layer).output
    part = keras.Model(model.input, [maps, model.layers[-1].input])

    def gradients(images: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            features, logits = part(images, training=False)
            logit = logits[:, CLASS]
        return [features, tape.gradient(logit, features)]

    function, batch = tf.function(gradients), tf.constant(subject.images[:size])
    return lambda: [tensor.numpy() for tensor in function(batch)]

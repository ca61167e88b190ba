"""The same work by other libraries, each used as its own examples do, and tuned where it lets itself be tuned."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.jobs import Job, Start, random_heatmaps
from benchmarks.subject import CLASS, Subject
from benchmarks.timing import Effort

Predict = Callable[[np.ndarray], np.ndarray]


def jobs_of_peers(effort: Effort) -> list[Job]:
    """Jobs of tf-explain, lime, shap, Xplique and Quantus."""
    one, many = "one image", f"{effort.batch} images"
    samples, evaluations = f"{effort.samples} samples", f"{effort.evaluations} evaluations"
    steps, masks, patch = f"{effort.steps} steps", f"{effort.masks} masks", "patch 1/8, stride 1/16"
    return [
        Job("occlusion", "tf-explain", "patch 1/8, stride 1/8", tf_explain_occlusion),
        Job("occlusion", "xplique", patch, xplique_occlusion),
        Job("rise", "xplique", masks, xplique_rise),
        Job("lime", "lime", f"{samples}, as shipped", lime_as_shipped),
        Job("lime", "lime", f"{samples}, tuned", lime_tuned),
        Job("shap", "shap", f"{evaluations}, as shipped", shap_as_shipped),
        Job("shap", "shap", f"{evaluations}, tuned", shap_tuned),
        Job("deletion", "xplique", steps, xplique_curve("Deletion")),
        Job("deletion", "quantus", f"about {steps}", quantus_pixel_flipping),
        Job("insertion", "xplique", steps, xplique_curve("Insertion")),
        Job("grad-cam", "tf-explain", many, tf_explain_grad_cam(effort.batch), effort.batch),
        Job("grad-cam", "tf-explain", one, tf_explain_grad_cam(1), 1),
        Job("grad-cam", "xplique", many, xplique_cam("GradCAM", effort.batch), effort.batch),
        Job("grad-cam", "xplique", one, xplique_cam("GradCAM", 1), 1),
        Job("grad-cam++", "xplique", many, xplique_cam("GradCAMPP", effort.batch), effort.batch),
        Job("grad-cam++", "xplique", one, xplique_cam("GradCAMPP", 1), 1),
    ]


# ---------------------------------------------------------------- tf-explain


def tf_explain_occlusion(subject: Subject, effort: Effort) -> Callable[[], object]:
    from tf_explain.core.occlusion_sensitivity import OcclusionSensitivity

    explainer = OcclusionSensitivity()
    data = (subject.images[:1], None)
    return lambda: explainer.explain(data, subject.model, CLASS, patch_size=subject.side // 8)


def tf_explain_grad_cam(count: int) -> Start:
    def start(subject: Subject, effort: Effort) -> Callable[[], object]:
        from tf_explain.core.grad_cam import GradCAM

        explainer = GradCAM()
        data, layer = (subject.images[:count], None), subject.classifier.default_layer
        return lambda: explainer.explain(data, subject.model, CLASS, layer, use_guided_grads=False)

    return start


# ---------------------------------------------------------------- lime and shap


def lime_as_shipped(subject: Subject, effort: Effort) -> Callable[[], object]:
    """Quickshift superpixels, batches of 10, `model.predict`."""
    from lime.lime_image import LimeImageExplainer

    image, predict = colour(subject, predict_by_keras(subject.model))
    explainer = LimeImageExplainer(random_state=0)
    return lambda: explainer.explain_instance(image, predict, top_labels=2, num_samples=effort.samples)


def lime_tuned(subject: Subject, effort: Effort) -> Callable[[], object]:
    """SLIC superpixels as in xaibench, batches of 64, a traced function."""
    from lime.lime_image import LimeImageExplainer
    from skimage.segmentation import slic

    def superpixels(image: np.ndarray) -> np.ndarray:
        labels: np.ndarray = slic(image.mean(axis=-1), 50, 0.1, start_label=0, channel_axis=None)
        return labels

    image, predict = colour(subject, predict_by_tracing(subject.model))
    explainer = LimeImageExplainer(random_state=0)
    return lambda: explainer.explain_instance(
        image,
        predict,
        top_labels=2,
        num_samples=effort.samples,
        batch_size=64,
        segmentation_fn=superpixels,
    )


def shap_as_shipped(subject: Subject, effort: Effort) -> Callable[[], object]:
    """Batches of 50, as in its image example, and `model.predict`."""
    return _shap(subject, effort, predict_by_keras(subject.model), batch_size=50)


def shap_tuned(subject: Subject, effort: Effort) -> Callable[[], object]:
    """Batches of 64 and a traced function."""
    return _shap(subject, effort, predict_by_tracing(subject.model), batch_size=64)


def _shap(subject: Subject, effort: Effort, predict: Predict, batch_size: int) -> Callable[[], object]:
    import shap

    window = subject.side // 8
    masker = shap.maskers.Image(f"blur({window},{window})", subject.image.shape)
    explainer = shap.PartitionExplainer(predict, masker)
    return lambda: explainer(
        subject.images[:1], max_evals=effort.evaluations, batch_size=batch_size, outputs=[CLASS]
    )


def predict_by_keras(model: Any) -> Predict:
    """`model.predict`, as in the examples of lime and shap."""

    def predict(images: np.ndarray) -> np.ndarray:
        scores: np.ndarray = model.predict(images, verbose=0)
        return scores

    return predict


def predict_by_tracing(model: Any) -> Predict:
    """One traced function for any number of images: the best that a user can hand to a library."""
    shape = tf.TensorSpec(model.input_shape, tf.float32)
    function = tf.function(lambda images: model(images, training=False), input_signature=[shape])

    def predict(images: np.ndarray) -> np.ndarray:
        scores: np.ndarray = function(np.asarray(images, np.float32)).numpy()
        return scores

    return predict


def colour(subject: Subject, predict: Predict) -> tuple[np.ndarray, Predict]:
    """Image as lime takes it, with three channels, and a predict function that takes one away again if need be."""
    channels = subject.image.shape[-1]
    if channels == 3:
        return subject.image.astype(np.double), predict
    return np.repeat(subject.image, 3, axis=-1).astype(np.double), lambda images: predict(images[..., :1])


# ---------------------------------------------------------------- Xplique and Quantus (group `peers`)


def xplique_occlusion(subject: Subject, effort: Effort) -> Callable[[], object]:
    from xplique.attributions import Occlusion

    patch, stride = subject.side // 8, subject.side // 16
    explainer = Occlusion(subject.model, patch_size=patch, patch_stride=stride)
    return lambda: explainer(subject.images[:1], one_hot(1))


def xplique_rise(subject: Subject, effort: Effort) -> Callable[[], object]:
    from xplique.attributions import Rise

    explainer = Rise(subject.model, nb_samples=effort.masks)
    return lambda: explainer(subject.images[:1], one_hot(1))


def xplique_cam(name: str, count: int) -> Start:
    def start(subject: Subject, effort: Effort) -> Callable[[], object]:
        import xplique.attributions

        cam = getattr(xplique.attributions, name)
        explainer = cam(subject.model, conv_layer=subject.classifier.default_layer)
        return lambda: explainer(subject.images[:count], one_hot(count))

    return start


def xplique_curve(name: str) -> Start:
    def start(subject: Subject, effort: Effort) -> Callable[[], object]:
        import xplique.metrics

        curve = getattr(xplique.metrics, name)
        metric = curve(subject.model, subject.images[:1], one_hot(1), steps=effort.steps)
        heatmaps = random_heatmaps(subject)[:1]
        return lambda: metric(heatmaps)

    return start


def quantus_pixel_flipping(subject: Subject, effort: Effort) -> Callable[[], object]:
    import quantus

    pixels = subject.side**2
    step = flipping_step(pixels, subject.image.size, effort.steps)
    metric = quantus.PixelFlipping(features_in_step=step, disable_warnings=True)
    heatmaps = random_heatmaps(subject)[:1, None]  # channels come first inside Quantus
    labels = np.array([CLASS])
    return lambda: metric(
        model=subject.model, x_batch=subject.images[:1], y_batch=labels, a_batch=heatmaps, channel_first=False
    )


def flipping_step(pixels: int, values: int, steps: int) -> int:
    """Features flipped at once: a divisor of the pixels, as Quantus asks, with the number of steps nearest."""
    divisors = [size for size in range(1, pixels + 1) if pixels % size == 0]
    return min(divisors, key=lambda size: abs(values / size - steps))


def one_hot(count: int) -> np.ndarray:
    """The explained class, a row an image."""
    rows: np.ndarray = keras.utils.to_categorical(np.full(count, CLASS), 2).astype(np.float32)
    return rows

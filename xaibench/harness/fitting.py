"""Methods that learn from training cases: each once for each classifier, kept in the run folder."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial

import numpy as np

from xaibench.api import Background, Fitted, Intensity, Need, NotApplicable, fit, seed_of
from xaibench.harness import keys
from xaibench.harness.configured import Configured
from xaibench.harness.explaining import Fits, require
from xaibench.harness.limits import Failure, attempt
from xaibench.harness.prepare import Prepared
from xaibench.harness.store.folder import RunFolder

MOST_BACKGROUND = 256
"""Training images that a method is given, spread evenly over those there are."""

Backgrounds = Callable[[int], Background]


def read_once(prepared: Prepared) -> Backgrounds:
    """Training cases by the number of the classifier, read or made once, whoever learns from them."""
    return cache(partial(background_of, prepared))


def fit_methods(
    prepared: Prepared, folder: RunFolder, methods: Iterable[str], background: Backgrounds | None = None
) -> Fits:
    """Let the named methods learn what they have not learnt yet; a failure stands for all their cells."""
    background = background or read_once(prepared)
    fits: dict[tuple[str, int], dict[str, np.ndarray] | Failure] = {}
    for name in methods:
        method = prepared.methods[name]
        if isinstance(method.made, Fitted):
            for number in sorted(set(prepared.folds.of.values())):
                fits[name, number] = _fitted(prepared, folder, method, number, background)
    return fits


def _fitted(
    prepared: Prepared,
    folder: RunFolder,
    method: Configured,
    number: int,
    background: Backgrounds,
) -> dict[str, np.ndarray] | Failure:
    classifier = prepared.folds.classifiers[number]
    key = keys.digest(
        prepared.info.methods[method.name].key, classifier.fingerprint, prepared.info.spec["seed"]
    )
    kept = folder.fit(key)
    if kept is not None:
        return kept
    patience = float(prepared.info.spec["cell_timeout"]) * len(prepared.cases)
    made = attempt(lambda: _fit(prepared, method, number, background), patience)
    if not isinstance(made, Failure):
        folder.save_fit(key, made)
    return made


def _fit(
    prepared: Prepared, method: Configured, number: int, background: Backgrounds
) -> dict[str, np.ndarray]:
    classifier = prepared.folds.classifiers[number]
    require(method, classifier, len(classifier.input_shape) - 1)
    learnt_from = background(number)
    if Need.CONCEPTS in method.needs:
        learnt_from = with_concepts(learnt_from, prepared)
    seed = seed_of(prepared.info.spec["seed"], method.name, "fit")
    return {name: np.asarray(array) for name, array in method.made.fit(classifier, learnt_from, seed).items()}


def background_of(prepared: Prepared, number: int) -> Background:
    """Slices that a classifier was trained on, fitted to its input. Raises NotApplicable where they are not known."""
    classifier = prepared.folds.classifiers[number]
    intensity = prepared.model.intensity or Intensity.RAW
    cases = [
        fit(volume, index, classifier.input_shape, intensity)
        for volume in prepared.model.training_volumes(number)
        for index in range(len(volume.images))
    ]
    if not cases:
        raise NotApplicable("the model knows no training cases")
    chosen = [cases[i] for i in np.linspace(0, len(cases) - 1, min(MOST_BACKGROUND, len(cases))).astype(int)]
    return Background(
        images=np.stack([case.image for case in chosen]),
        labels=np.array([case.label for case in chosen]),
        patients=tuple(case.patient for case in chosen),
    )


def with_concepts(background: Background, prepared: Prepared) -> Background:
    """Add the images of concepts. Raises NotApplicable where the run has none."""
    if not prepared.concepts:
        raise NotApplicable(
            "there are no images of concepts; give --concepts PATH, a cohort whose classes are the concepts"
        )
    return replace(background, concepts=prepared.concepts)

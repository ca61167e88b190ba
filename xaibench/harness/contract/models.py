"""What every model source must load, as checks that raise Broken with one sentence."""

import json
from collections.abc import Callable

from xaibench.api import HeldOut, LoadedModel, Match
from xaibench.harness.contract.datasets import SmallDataset
from xaibench.harness.contract.trial import Broken


def has_classifiers_of_one_kind(model: LoadedModel) -> None:
    """At least one; all take the same images and know the same classes."""
    if not model.classifiers:
        raise Broken("it holds no classifier")
    shapes = {(member.input_shape, member.n_classes) for member in model.classifiers}
    if len(shapes) > 1:
        raise Broken(f"its classifiers differ in input and classes: {sorted(shapes)}")


def matches_every_patient(model: LoadedModel) -> None:
    """A patient has a classifier, and asking changes nothing."""
    for volume in SmallDataset().volumes():
        match = model.match(volume)
        if not 0 <= match.classifier < len(model.classifiers):
            raise Broken(
                f"{volume.patient} is matched to classifier {match.classifier}, which does not exist"
            )
        if model.match(volume) != match:
            raise Broken(f"asking twice who explains {volume.patient} gives two answers")


def judges_whether_patients_were_held_out(model: LoadedModel) -> None:
    """A verdict and sentences for a cohort that it never saw."""
    verdict, notes = model.held_out({"P000": Match()})
    if not isinstance(verdict, HeldOut) or not all(isinstance(note, str) for note in notes):
        raise Broken("`held_out` gives no HeldOut and list of sentences")


def can_be_recorded(model: LoadedModel) -> None:
    """Facts and record go into run.json."""
    try:
        json.dumps([dict(model.facts), dict(model.record)])
    except TypeError as error:
        raise Broken(f"its facts or record cannot be written to run.json: {error}") from error
    if not all(isinstance(fact, str) for fact in model.facts.values()):
        raise Broken("a fact is no text")


def names_each_output(model: LoadedModel) -> None:
    """No names, or one for each output."""
    outputs = model.classifiers[0].n_classes
    if model.class_names and len(set(model.class_names)) != outputs:
        raise Broken(f"it names {len(set(model.class_names))} classes, but has {outputs} outputs")


EVERY_MODEL: list[Callable[[LoadedModel], None]] = [
    has_classifiers_of_one_kind,
    matches_every_patient,
    judges_whether_patients_were_held_out,
    can_be_recorded,
    names_each_output,
]

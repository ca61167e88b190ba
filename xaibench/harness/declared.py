"""What a plugin declares, checked once and told in one sentence."""

import dataclasses
import inspect
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from xaibench.api import (
    API_VERSION,
    DatasetFacts,
    ExplainerFacts,
    MetricFacts,
    ModelFacts,
    XaibenchError,
    unknown,
)
from xaibench.harness.limits import reason_of

Kind = Literal["methods", "metrics", "datasets", "models", "classifiers"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FACTS: Mapping[Kind, type[BaseModel]] = {
    "methods": ExplainerFacts,
    "metrics": MetricFacts,
    "datasets": DatasetFacts,
    "models": ModelFacts,
    "classifiers": ModelFacts,
}
ONE_OF: Mapping[Kind, tuple[str, ...]] = {
    "methods": ("__call__",),
    "metrics": ("__call__", "score_batch", "score_cohort"),
    "datasets": ("volumes",),
    "models": ("load",),
    "classifiers": ("load",),
}
"""The method by which a plugin of a kind is used; one of these must be there."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
PRESETS = ("smoke", "paper")
UNRECORDED: Mapping[str, Any] = MappingProxyType({"recorded": False})
"""Metadata of a field that is no parameter, such as an array that is held in memory."""


class Undeclared(Exception):  # noqa: N818 - reads as a verdict: raise Undeclared("...")
    """What is wrong with a plugin, as the rest of a sentence that begins with its name."""


def check_name(name: str) -> None:
    """Refuse names that are no plain file names: they stand in paths and tables."""
    if not NAME.fullmatch(name):
        raise Undeclared("has a name with other characters than letters, digits and + - _ .; rename it")


def declared(kind: Kind, cls: Any) -> Any:
    """Facts of a plugin's class. Raises Undeclared for the first that is missing or wrong."""
    if not inspect.isclass(cls):
        raise Undeclared(f"is a {type(cls).__name__}, no class; register the class itself")
    version = getattr(cls, "api_version", API_VERSION)
    if version != API_VERSION:
        raise Undeclared(f"is written for contract {version}, but this is {API_VERSION}; update one of them")
    options = getattr(cls, "__dataclass_params__", None)
    if options is None or not options.frozen:
        raise Undeclared("is no frozen dataclass; write @dataclass(frozen=True) above the class")
    if not any(callable(getattr(cls, name, None)) for name in ONE_OF[kind]):
        raise Undeclared(f"has no method {' or '.join(ONE_OF[kind])}; see `xaibench plugin new`")
    facts = _facts(FACTS[kind], cls)
    if kind in ("methods", "metrics"):
        _check_made(cls, getattr(facts, "presets", {}))
    if getattr(facts, "path_field", ""):
        _check_path(cls, getattr(facts, "path_field", ""))
    return facts


def _facts(model: type[BaseModel], cls: Any) -> BaseModel:
    found = {name: getattr(cls, name) for name in model.model_fields if hasattr(cls, name)}
    try:
        return model.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"][:1]))
        if first["type"] == "missing":
            raise Undeclared(f"does not declare {name}; add it as a class variable") from error
        raise Undeclared(f"declares {name} = {found[name]!r}: {first['msg'].lower()}") from error


def _check_made(cls: Any, presets: Mapping[str, Mapping[str, Any]]) -> None:
    """Make it with its defaults and with each preset."""
    known = {field.name for field in dataclasses.fields(cls)}
    for preset, values in presets.items():
        if preset not in PRESETS:
            raise Undeclared(f"has a preset {preset!r}; there are smoke and paper, the defaults are standard")
        if not set(values) <= known:
            raise Undeclared(
                f"has a preset {preset!r} that sets {sorted(set(values) - known)}, which are no fields"
            )
    for values in ({}, *presets.values()):
        parameters(made_with(cls, values))


def made_with(cls: Any, values: Mapping[str, Any]) -> Any:
    """Make a plugin. Raises Undeclared with the reason where its constructor raises, whatever it raises."""
    try:
        return cls(**values)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # even SystemExit, which would end the command without a word
        raise Undeclared(f"cannot be made with {dict(values)}: {reason_of(error)}") from error


def _check_path(cls: Any, field: str) -> None:
    if field not in {known.name for known in dataclasses.fields(cls)}:
        raise Undeclared(f"declares path_field = {field!r}, which is no field")
    if not callable(getattr(cls, "accepts", None)):
        raise Undeclared("declares a path_field, but has no class method `accepts(path)`")


def parameters(plugin: Any) -> dict[str, Any]:
    """Fields of a configured plugin, as run.json keeps them. Raises Undeclared for what JSON cannot hold."""
    recorded = [field.name for field in dataclasses.fields(plugin) if field.metadata.get("recorded", True)]
    values = {name: getattr(plugin, name) for name in recorded}
    try:
        return dict(json.loads(json.dumps(values, allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise Undeclared(f"has a field that JSON cannot hold: {error}") from error


def fitting_values(cls: Any, noun: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values for a plugin's fields, made to their types. Raises XaibenchError for an unknown or unfit one."""
    known = [field.name for field in dataclasses.fields(cls) if field.init]
    hints = _hints(cls, noun) if given else {}
    values = {}
    for name, value in given.items():
        if name not in known:
            raise XaibenchError(unknown(f"parameter of {noun}", name, known))
        try:
            values[name] = TypeAdapter(hints[name]).validate_python(value)
        except ValidationError as error:
            message = error.errors()[0]["msg"].lower()
            raise XaibenchError(f"{noun}: {name} = {value!r} does not fit: {message}.") from error
    return values


def _hints(cls: Any, noun: str) -> dict[str, Any]:
    try:
        return get_type_hints(cls)
    except NameError as error:  # such as a type that is imported for the type checker alone
        raise XaibenchError(
            f"{noun} takes no parameters: the types of its fields cannot be read ({error})."
        ) from error

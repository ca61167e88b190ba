"""The specification of an entry, to be run here. Nothing of an entry is used as a path or imported by name."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from xaibench.api import XaibenchError
from xaibench.harness import registry
from xaibench.harness.declared import NAME, Kind
from xaibench.harness.spec import RunSpec
from xaibench.reports.board.entry import Section
from xaibench.reports.board.tolerance import is_comparable


def spec_of(
    section: Section,
    methods: Iterable[str],
    dataset: str | None = None,
    model: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> RunSpec:
    """Specification of some methods of an entry, by all its metrics that another machine must find the same.

    `dataset`, `model` and `options` are the verifier's own, and go before those of the entry. Raises XaibenchError for
    what cannot be taken from an entry: a path, or a plugin that takes one.
    """
    chosen = sorted(methods)
    metrics = sorted(name for name in section.metrics if is_installed(section, "metrics", name))
    settings = {name: value for name, value in section.spec.items() if name in RunSpec.model_fields}
    kept = {} if dataset or model else dict(section.spec.get("options") or {})
    parameters = {name: section.methods[name].parameters for name in chosen}
    parameters |= {name: section.metrics[name].parameters for name in metrics}
    settings |= {
        "dataset": dataset or _registered("datasets", str(section.spec.get("dataset"))),
        "model": model or _registered("models", str(section.spec.get("model"))),
        "options": {**_plain({n: v for n, v in kept.items() if n not in (options or {})}), **(options or {})},
        "methods": ",".join(chosen),
        "metrics": ",".join(metrics),
        "parameters": parameters,
    }
    if settings.get("concepts") is not None:
        _registered("datasets", str(settings["concepts"]))
    try:
        return RunSpec(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise XaibenchError(
            f"The entry's specification does not fit: {where}: {first['msg'].lower()}."
        ) from error


def is_installed(section: Section, kind: Kind, name: str) -> bool:
    """Whether a method is registered here; of metrics, also whether another machine must find the same."""
    if kind == "metrics" and not is_comparable(section.metrics[name]):
        return False
    return name in registry.entries(kind)


def _registered(kind: Kind, name: str) -> str:
    """Name of a registered source that takes no path. Raises XaibenchError for another."""
    if name not in registry.entries(kind) or registry.load(kind, name).facts.path_field:
        noun = kind[:-1]
        raise XaibenchError(
            f"The entry's {noun} is {name!r}, which is no registered one that can be made from its name; give your own "
            f"with --{noun} PATH."
        )
    return name


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that are numbers or plain names. Raises XaibenchError for another text, which may be a path."""
    for name, value in options.items():
        if not isinstance(value, bool | int | float) and not NAME.fullmatch(str(value)):
            raise XaibenchError(
                f"The entry's option {name} is no plain name; give your own with --{name} VALUE."
            )
    return dict(options)

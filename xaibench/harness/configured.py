"""Methods and metrics as a run uses them, and the datasets and models that names and paths stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from xaibench.api import (
    Classifier,
    Dataset,
    LoadedModel,
    Need,
    Progress,
    XaibenchError,
    unknown,
)
from xaibench.harness import registry
from xaibench.harness.declared import Kind, Undeclared, fitting_values, made_with, parameters
from xaibench.harness.registry import Plugin
from xaibench.harness.spec import Preset, RunSpec


@dataclass(frozen=True, eq=False)
class Configured:
    """A method or metric with its parameters."""

    plugin: Plugin
    made: Any

    @property
    def name(self) -> str:
        """Registered name."""
        return self.plugin.name

    @property
    def needs(self) -> frozenset[Need]:
        """What it asks for."""
        found: frozenset[Need] = self.plugin.facts.needs
        return found


def configure(plugin: Plugin, spec: RunSpec) -> Configured:
    """Make a method or metric with the preset's budgets, the spec's parameters before them.

    A metric's field `seed` is the run's seed, unless the spec sets it. Raises XaibenchError for a parameter that it
    does not have or that does not fit.
    """
    given = fitting_values(plugin.cls, plugin.name, spec.parameters.get(plugin.name, {}))
    values = {**budgets(plugin, spec.preset), **given}
    if plugin.kind == "metrics" and "seed" in {field.name for field in fields(plugin.cls)}:
        values.setdefault("seed", spec.seed)
    return make(plugin, values)


def make(plugin: Plugin, values: Mapping[str, Any]) -> Configured:
    """Make a method or metric with its parameters. Raises XaibenchError for those that it or run.json cannot take."""
    try:
        made = made_with(plugin.cls, values)
        parameters(made)
    except Undeclared as error:
        raise XaibenchError(f"{plugin.name} {error}.") from error
    return Configured(plugin, made)


def budgets(plugin: Plugin, preset: Preset) -> dict[str, Any]:
    """Field values of a preset; the defaults of the fields are those of `standard`."""
    return dict(plugin.facts.presets.get(preset.value, {}))


def check_parameters(spec: RunSpec, names: Sequence[str]) -> None:
    """Refuse parameters of a method or metric that the run does not use."""
    for name in spec.parameters:
        if name not in names:
            raise XaibenchError(unknown("chosen method or metric", name, names))


# ---------------------------------------------------------------- sources


@dataclass(frozen=True)
class Source:
    """What a name or a path stands for, before it is opened."""

    plugin: Plugin
    path: Path | None
    shown: str
    """Name that gives no path away."""

    @property
    def options(self) -> list[str]:
        """Fields that `--option value` can set."""
        path_field = self.plugin.facts.path_field
        return [
            f.name for f in fields(self.plugin.cls) if f.init and not (self.path and f.name == path_field)
        ]

    def make(self, options: Mapping[str, Any]) -> Any:
        """Make the dataset, model or classifier with those of the options that are its own."""
        own = {name: value for name, value in options.items() if name in self.options}
        values = fitting_values(self.plugin.cls, self.plugin.name, own)
        if self.path is not None:
            values[self.plugin.facts.path_field] = self.path
        try:
            return self.plugin.cls(**values)
        except XaibenchError:
            raise
        except (Exception, SystemExit) as error:  # a constructor may raise anything
            raise XaibenchError(f"{self.plugin.name} cannot be made: {error}.") from error


def find_source(kinds: Sequence[Kind], text: str) -> Source:
    """Registered name, or the first plugin that accepts the path. Raises XaibenchError where nothing fits."""
    for kind in kinds:
        if text in registry.entries(kind):
            return Source(registry.load(kind, text), None, text)
    path = Path(text)
    for plugin in _readers(kinds):
        if plugin.cls.accepts(path):
            return Source(plugin, path, path.name if plugin.kind == "classifiers" else plugin.name)
    raise XaibenchError(_nothing_fits(kinds, path))


def check_source(kinds: Sequence[Kind], text: str) -> None:
    """Tell a misspelt name or path; no plugin is imported for that."""
    is_name = any(text in registry.entries(kind) for kind in kinds)
    if not is_name and ":" not in text and not Path(text).exists():
        raise XaibenchError(_nothing_fits(kinds, Path(text)))


def _readers(kinds: Sequence[Kind]) -> list[Plugin]:
    return [plugin for kind in kinds for plugin in registry.load_all(kind)[0] if plugin.facts.path_field]


def _nothing_fits(kinds: Sequence[Kind], path: Path) -> str:
    noun = kinds[0][:-1]
    if path.exists():
        known = ", ".join(plugin.name for plugin in _readers(kinds))
        return f"{path} is nothing that a {noun} can be read from; there are readers for: {known}."
    if path.parent != Path() or path.suffix:
        return f"There is no file or folder {path}; give the path of a {noun}, or its name."
    return unknown(noun, str(path), [name for kind in kinds for name in registry.entries(kind)])


def check_options(given: Mapping[str, Any], sources: Sequence[Source]) -> None:
    """Refuse an option that neither the dataset nor the model has."""
    known = [option for source in sources for option in source.options]
    for name in given:
        if name not in known:
            owners = " or ".join(source.plugin.name for source in sources)
            raise XaibenchError(
                unknown(f"option of the command or of {owners},", name, [*RunSpec.model_fields, *known])
            )


def open_sources(spec: RunSpec) -> tuple[Source, Source]:
    """Dataset and model of a spec, options checked, nothing read yet."""
    dataset, model = (
        find_source(["datasets"], spec.dataset),
        find_source(["models", "classifiers"], spec.model),
    )
    check_options(spec.options, [dataset, model])
    return dataset, model


def load_model(
    source: Source, options: Mapping[str, Any], dataset: Dataset, progress: Progress
) -> LoadedModel:
    """Load a model; a single classifier from a file explains every patient."""
    made = source.make(options)
    if source.plugin.kind == "models":
        model: LoadedModel = made.load(dataset, progress)
        return model
    classifier: Classifier = made.load()
    return LoadedModel(
        source.shown,
        (classifier,),
        facts=dict(getattr(classifier, "facts", {})),
        class_names=tuple(getattr(classifier, "class_names", ())),
    )

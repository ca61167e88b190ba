"""Keys: hashes of all that decides a number, so that a record stands as long as its key is wanted."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xaibench.api import API_VERSION, Case, seed_of
from xaibench.harness.declared import parameters
from xaibench.harness.registry import Plugin


def digest(*parts: object) -> str:
    """Hash of values that JSON can hold, the same on every machine: 24 hexadecimal digits."""
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def plugin_key(plugin: Plugin, made: Any) -> str:
    """Key of a method or metric: contract, name, source and parameters."""
    return digest(API_VERSION, plugin.kind, plugin.name, plugin.code, parameters(made))


def case_key(case: Case, target: int, classifier: str, seed: int) -> str:
    """Key of a case: all of it that a metric may use, the class and classifier it is explained by, the run's seed."""
    arrays = array_hash(case.image), array_hash(case.region)
    facts = case.id, case.patient, case.labels, case.spacing_mm, case.slice_index
    return digest(*arrays, *facts, target, classifier, seed)


def array_hash(array: np.ndarray | None) -> str:
    """Hash of type, shape and values; empty for none."""
    if array is None:
        return ""
    content = hashlib.sha256(f"{array.dtype} {array.shape}".encode())
    content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()


def unit_key(cases: Sequence[str], label: int | None = None) -> str:
    """Key of several cases together, of one class if a label is given, from the keys of the cases."""
    return digest(list(cases), label)


def record_key(method: str, metric: str, unit: str) -> str:
    """Key of a record, from those of its method, its metric and its unit."""
    return digest(method, metric, unit)


def map_key(method: str, case: str) -> str:
    """Key of a heatmap, from those of its method and its case."""
    return digest(method, case)


def draw_seed(run: int, method: str, case: str) -> int:
    """Seed of a method's draws for a case; order, batch and company change nothing."""
    return seed_of(run, method, case)


def spec_shown(spec: Mapping[str, Any], dataset: str, model: str) -> dict[str, Any]:
    """Spec for run.json; a path may name a patient or a user, so folders and files appear by kind or name."""
    options = {name: _shown(value) for name, value in spec["options"].items()}
    return {
        **spec,
        "dataset": dataset,
        "model": model,
        "concepts": _shown(spec["concepts"]),
        "options": options,
    }


def _shown(value: Any) -> Any:
    return "a path of the user's" if isinstance(value, str) and ("/" in value or "\\" in value) else value

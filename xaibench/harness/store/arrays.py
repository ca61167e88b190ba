"""Arrays on disk with the facts that belong to them, as compressed NumPy archives."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from xaibench.api import Case, CohortExplanation, Explanation, XaibenchError, write_file

Loaded = tuple[dict[str, np.ndarray], dict[str, Any]]


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    """Write arrays and facts, whole or not at all."""
    text = np.array(json.dumps(facts))
    write_file(path, lambda file: np.savez_compressed(file, facts=text, **arrays))  # type: ignore[arg-type]


def load_arrays(path: Path) -> Loaded:
    """Arrays and facts of a file. Raises XaibenchError for a damaged one."""
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            arrays = {name: file[name] for name in file.files}
        return arrays, json.loads(str(arrays.pop("facts")))
    except Exception as error:  # a cut or changed archive raises nearly anything
        raise XaibenchError(f"{path} is damaged ({error}); delete it and start the run again.") from error


def save_case(path: Path, case: Case, key: str) -> None:
    """Keep what a report shows of a case."""
    arrays = {"image": case.image}
    if case.spacing_mm is not None:
        arrays["spacing_mm"] = np.array(case.spacing_mm)
    if case.region is not None:
        arrays["region"] = np.packbits(case.region)
    facts = {
        "key": key,
        "patient": case.patient,
        "labels": case.labels,
        "slice_index": case.slice_index,
        "region_name": case.region_name,
    }
    save_arrays(path, arrays, facts)


def load_case(path: Path, name: str) -> Case:
    """Case of a file."""
    arrays, facts = load_arrays(path)
    image, region, spacing = arrays["image"], arrays.get("region"), arrays.get("spacing_mm")
    if region is not None:
        space = image.shape[:-1]
        region = np.unpackbits(region, count=int(np.prod(space))).astype(bool).reshape(space)
    return Case(
        id=name,
        patient=facts["patient"],
        image=image,
        labels=tuple(facts["labels"]),
        region=region,
        spacing_mm=None if spacing is None else tuple(map(float, spacing)),
        slice_index=facts["slice_index"],
        region_name=facts["region_name"],
    )


def save_explanation(path: Path, explanation: Explanation) -> None:
    """Keep a heatmap and what it cost."""
    facts = {name: value for name, value in vars(explanation).items() if name != "heatmap"}
    save_arrays(path, {"heatmap": explanation.heatmap}, {**facts, "details": dict(explanation.details)})


def load_explanation(path: Path) -> Explanation:
    """Explanation of a file."""
    arrays, facts = load_arrays(path)
    return Explanation(heatmap=arrays["heatmap"], **facts)


def save_classes(path: Path, explanations: Mapping[int, CohortExplanation]) -> None:
    """Keep the explanations of a cohort, all classes together."""
    arrays = {
        f"{name}-{label}": array
        for label, explanation in explanations.items()
        for name, array in vars(explanation).items()
        if array is not None
    }
    save_arrays(path, arrays, {"labels": sorted(explanations)})


def load_classes(path: Path) -> dict[int, CohortExplanation]:
    """Explanations of a cohort by label."""
    arrays, facts = load_arrays(path)
    names = ("image", "map", "sources", "region")
    return {
        label: CohortExplanation(**{n: arrays[f"{n}-{label}"] for n in names if f"{n}-{label}" in arrays})
        for label in facts["labels"]
    }

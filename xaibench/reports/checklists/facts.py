"""What a run knows, in sentences that both the checklists and the methods paragraph use."""

from collections import Counter
from collections.abc import Iterable, Sequence

from xaibench.api import Record, Status
from xaibench.harness.store.run_info import RunInfo
from xaibench.reports.scoring.families import metrics_by_family
from xaibench.reports.scoring.groups import class_name
from xaibench.reports.scoring.performance import Share
from xaibench.reports.text import figure, listed, plural

STATISTICS = (
    "The patient was the unit: images of a patient were averaged first. Means have bootstrap-t intervals over "
    "patients, shares Clopper-Pearson intervals and medians intervals of order statistics, all of 95 %. Explainers "
    "were ranked within patients; mean ranks were compared by permutation forms of Friedman's and Nemenyi's tests, "
    "pairs by Wilcoxon's signed-rank test with Holm's correction."
)
READING = ("slices", "intensity", "preprocessing", "scale", "image_range", "mean", "std")
"""Settings that say which pixels the model gets."""


def cohort(info: RunInfo) -> str:
    """How many patients and images of which classes."""
    counts = Counter(labels for labels in {case.patient: case.labels for case in info.cohort.cases}.values())
    classes = [
        f"{count} {' + '.join(class_name(info, label) for label in labels) or 'without label'}"
        for labels, count in sorted(counts.items())
    ]
    patients, images = len(info.cohort.patients), len({case.image for case in info.cohort.cases})
    counted = f"{plural(patients, 'patient')} ({listed(classes)}; {plural(images, 'image')})"
    return f"{counted} of the cohort {info.cohort.name}"


def annotated(info: RunInfo) -> str:
    """How many images have an annotated region."""
    images = {case.image: case.region_pixels for case in info.cohort.cases}
    marked = sum(bool(pixels) for pixels in images.values())
    return f"{marked} of {plural(len(images), 'image')} have an annotated {info.cohort.region_name}"


def model(info: RunInfo) -> str:
    """Name the model, its input and output, and what is known of it."""
    shape = " x ".join(map(str, info.model.input_shape))
    known = "; ".join(f"{name}: {value}" for name, value in info.model.facts.items())
    outputs = listed(info.model.class_names)
    return f"{info.model.name}, input {shape}, outputs {outputs}" + (f" ({known})" if known else "")


def explainers(info: RunInfo) -> str:
    """Name the explainers with the packages that they come from."""
    return f"{listed(info.competitors())} ({packages(info)})"


def packages(info: RunInfo) -> str:
    """Packages that explainers and metrics come from, with versions."""
    used = {one.package for one in info.methods.values()} | {one.package for one in info.metrics.values()}
    return ", ".join(sorted(used))


def metrics(info: RunInfo, families: Iterable[str] = ()) -> str:
    """Metrics by family, all or some families; empty where none was run."""
    wanted = set(families)
    return "; ".join(
        f"{family}: {', '.join(names)}"
        for family, names in metrics_by_family(info).items()
        if not wanted or family in wanted
    )


def reading(info: RunInfo) -> str:
    """Settings of how images were read, those that were set."""
    found = {name: info.spec.get(name) for name in READING}
    return ", ".join(
        f"{name.replace('_', ' ')}: {value}" for name, value in found.items() if value is not None
    )


def software(info: RunInfo) -> str:
    """Versions and machine."""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(info.versions.items()))
    machine = info.machine
    return (
        f"{versions}; Python {machine.python} on {machine.system}, {plural(machine.cores, 'core')}, "
        f"{machine.memory_gib:g} GiB"
    )


def share(found: Share) -> str:
    """Write a share of patients with its interval."""
    low, high = found.interval or (None, None)
    return f"{found.hits} of {found.of}, {figure(found.value, low, high)}"


def gaps(records: Sequence[Record]) -> str:
    """How many cells failed or do not apply."""
    counts = Counter(record.status for record in records)
    failed, inapplicable = counts[Status.FAILED], counts[Status.NOT_APPLICABLE]
    return f"Of {plural(len(records), 'cell')}, {failed} failed and {inapplicable} do not apply"

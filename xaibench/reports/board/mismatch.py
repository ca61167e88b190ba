"""What of an entry does not fit what is installed here, in sentences."""

from collections.abc import Iterator, Mapping

from xaibench.api import API_VERSION
from xaibench.harness import registry
from xaibench.harness.declared import Kind
from xaibench.harness.prepare import Prepared
from xaibench.harness.registry import BrokenPluginError
from xaibench.harness.store.run_info import MethodInfo, MetricInfo
from xaibench.reports.board.entry import Section
from xaibench.reports.board.pseudonyms import Pseudonyms

TEXTS = {"package", "summary"}
"""What may differ between versions without changing a score."""


def other_data(section: Section, prepared: Prepared, names: Pseudonyms) -> list[str]:
    """Say whether model or cohort are others than the entry's; then no score can be compared."""
    found = []
    if prepared.info.model.key != section.model.key:
        versions = f"xaibench {section.versions.get('xaibench', 'unknown')} made the entry"
        found.append(
            f"The model's fingerprint is {prepared.info.model.key}, the entry says {section.model.key}: other "
            f"weights, or another version of the code that runs them ({versions})."
        )
    if names.fingerprint() != section.cohort.key:
        found.append(
            f"The cohort's fingerprint is {names.fingerprint()}, the entry says {section.cohort.key}: other images, "
            f"regions, labels or explained classes."
        )
    return found


def other_code(section: Section) -> Iterator[str]:
    """Say which methods and metrics are not installed, or are of another source than the entry says."""
    if section.api_version != API_VERSION:
        yield f"The entry is of contract {section.api_version}, this is {API_VERSION}."
    yield from _other_code("methods", section.methods)
    yield from _other_code("metrics", section.metrics)


def _other_code(kind: Kind, described: Mapping[str, MethodInfo | MetricInfo]) -> Iterator[str]:
    for name, facts in described.items():
        who = f"{kind[:-1].capitalize()} {name}"
        if name not in registry.entries(kind):
            yield f"{who} of {facts.package} is not installed here."
            continue
        try:
            code = registry.load(kind, name).code
        except BrokenPluginError as error:
            yield str(error)
            continue
        if code != facts.code:
            yield f"{who}: the code hash is {code} here, the entry says {facts.code}."


def other_facts(section: Section, prepared: Prepared) -> Iterator[str]:
    """Say which methods and metrics declare other facts than the entry says."""
    pairs: list[tuple[str, MethodInfo | MetricInfo, MethodInfo | MetricInfo]] = [
        *((name, facts, section.methods[name]) for name, facts in prepared.info.methods.items()),
        *((name, facts, section.metrics[name]) for name, facts in prepared.info.metrics.items()),
    ]
    for name, here, stated in pairs:
        differ = [
            field
            for field in type(here).model_fields
            if field not in TEXTS and getattr(here, field) != getattr(stated, field)
        ]
        if differ:
            yield f"{name}: {', '.join(differ)} differ from what the entry says."

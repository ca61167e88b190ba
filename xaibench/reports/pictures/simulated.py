"""The simulated images: image, stacked map, source map, and what was measured of them."""

from dataclasses import dataclass

from xaibench.api import CohortExplanation, Record, Status
from xaibench.harness.cells import units
from xaibench.harness.store.folder import RunFolder
from xaibench.harness.store.run_info import Scope
from xaibench.reports.pictures.pictures import heatmap_picture, slice_picture
from xaibench.reports.pictures.pixel_origins import origin_map
from xaibench.reports.pictures.tiles import Tile, described
from xaibench.reports.scoring.groups import class_name
from xaibench.reports.scoring.results import Results
from xaibench.reports.text import brief, one_line, percent, span
from xaibench.reports.verdicts.simulated_images import METRIC, RANDOM_MAPS, of_classes, simulated_images


@dataclass(frozen=True)
class Simulated:
    """The simulated image of one class, by one method."""

    title: str
    tiles: list[Tile]
    words: list[str]


def simulated_rows(folder: RunFolder, run: Results) -> list[Simulated]:
    """Draw the explanations of the cohort, controls behind the explainers."""
    methods = [*run.info.competitors(), *run.info.controls()]
    return [
        Simulated(
            f"{method}: {class_name(run.info, label)}",
            _tiles(run, method, class_name(run.info, label), explanation),
            _words(run, method, class_name(run.info, label)),
        )
        for method in methods
        for label, explanation in sorted((folder.cohort_explanations(method) or {}).items())
    ]


def _tiles(run: Results, method: str, name: str, explanation: CohortExplanation) -> list[Tile]:
    image = f"Image of {name} simulated by {method}"
    region = None if explanation.region is None else explanation.region >= 0.5
    outlined = (
        "" if region is None or not region.any() else f"composed {run.info.cohort.region_name} outlined"
    )
    origins = origin_map(explanation.sources, _patients(run))
    shares = ", ".join(f"{origin.name} {percent(origin.share)}" for origin in origins.legend)
    return [
        Tile("simulated image", f"{image}.", slice_picture(explanation.image, None)),
        described(
            "stacked map",
            f"Stacked map of {name} by {method}",
            heatmap_picture(explanation.map, region),
            outlined,
        ),
        Tile(
            "pixel origins",
            f"{image}: the patient who gave each pixel: {shares}.",
            origins.picture,
            "who gave each pixel",
            origins.legend,
        ),
    ]


def _patients(run: Results) -> list[str]:
    """Patient of each case that the cohort explanations were made from, in their order."""
    patients = {case.id: case.patient for case in run.info.cohort.cases}
    return next(
        [patients[case] for case in unit.cases] for unit in units(run.info) if unit.scope is Scope.CLASS
    )


def _words(run: Results, method: str, name: str) -> list[str]:
    """What was measured of one image, a line a figure."""
    return [
        *_recognition(run, method, name),
        *(_colocalisation(run, r) for r in _measured(run, "cohort-colocalisation", method, name)),
        *(_stability(r) for r in _measured(run, "bootstrap-stability", method, name)),
    ]


def _recognition(run: Results, method: str, name: str) -> list[str]:
    found = simulated_images(run)
    own = found.get((method, name))
    if own is None:
        record = of_classes(run, METRIC).get((method, name))
        return [f"{METRIC} was not measured" + (f": {one_line(record.reason)}" if record else "")]
    verdict = "recognised" if own.recognised else "not recognised"
    lines = [f"the model gives it {own.shown} probability of {name}: {verdict}"]
    lines += [f"shuffled labels: {own.null}; p = {brief(own.null_p)}, not corrected"] if own.null else []
    control = found.get((RANDOM_MAPS, name))
    return lines + ([f"random feature maps: {control.shown}"] if control and method != RANDOM_MAPS else [])


def _measured(run: Results, metric: str, method: str, name: str) -> list[Record]:
    """The record, in a list that is empty where there is no value."""
    record = of_classes(run, metric).get((method, name))
    return [record] if record is not None and record.status is Status.OK else []


def _colocalisation(run: Results, record: Record) -> str:
    region = run.info.cohort.region_name
    text = f"{percent(record.value or 0.0)} of the stacked map lies in the composed {region}"
    area, enrichment = record.details.get("area"), record.details.get("enrichment")
    if area is None or enrichment is None:
        return text
    return f"{text}, which is {percent(area)} of the image: {brief(enrichment)} times what chance gives"


def _stability(record: Record) -> str:
    interval = span(record.details.get("low"), record.details.get("high"))
    similar = f"{brief(record.value)} {interval}".rstrip()
    return f"with patients drawn again, the image stays alike to {similar} (SSIM, 1 = the same)"

"""The page of one reader: one HTML file that opens offline and does not know which method made which map."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

import numpy as np

from xaibench.api import Case, Heatmap
from xaibench.reports.pictures.pictures import heatmap_picture, slice_picture
from xaibench.reports.readers.formats import FORMAT, ReaderKey
from xaibench.reports.readers.questions import QUESTIONS
from xaibench.reports.readers.rendering import rendered

Heatmaps = Callable[[str, str], Heatmap]
"""Map of a method and a case."""


def reader_page(
    study: str,
    reader: str,
    key: ReaderKey,
    cases: Mapping[str, Case],
    explained: Mapping[str, str],
    heatmap: Heatmaps,
) -> str:
    """Render the page of one reader; `explained` is the explained class of each case.

    It holds no name of a method, case or patient, and every map is drawn by the same rule (see `map_source`).
    """
    finding = next(iter(cases.values())).region_name
    image_of = {case: image for image, case in key.images.items()}
    images = {image: _image(cases[case], explained[case]) for image, case in sorted(key.images.items())}
    items = [
        {"item": one.item, "image": image_of[one.case], "source": map_source(heatmap(one.method, one.case))}
        for one in key.shown
    ]
    questions = [asdict(q) | {"text": q.text.format(finding=finding)} for q in QUESTIONS]
    content = {"format": FORMAT, "study": study, "reader": reader, "finding": finding}
    content |= {"questions": questions, "images": images, "items": items}
    return rendered("reader.html.j2", content=content, reader=reader, finding=finding)


def map_source(heatmap: Heatmap) -> str:
    """Draw the positive part of a map, black at zero and brightest at its maximum, whatever the method.

    Signed maps would be told by their colours, so what speaks against the class is left out.
    """
    return heatmap_picture(np.maximum(heatmap, 0), None).src


def _image(case: Case, explained: str) -> dict[str, object]:
    """Draw the slice without its annotation; width and height are in pixels of the image, as drawings are."""
    height, width = case.image.shape[:2]
    return {
        "source": slice_picture(case.image, None).src,
        "width": width,
        "height": height,
        "class": explained,
    }

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.reports.made_up import METHODS, NASTY, Plan, make_run
from xaibench.harness.store.folder import RunFolder
from xaibench.reports.readers import making
from xaibench.reports.readers.formats import Drawn, Key, Rated, Ratings, Shown
from xaibench.reports.readers.questions import NAMES

SHOWN = {
    name: METHODS[name]
    for name in ("grad-cam", "lime", "occlusion", NASTY, "broken", "blind", "random", "mask")
}
RUN = Plan(patients=6, methods=SHOWN, metrics=("morf-lerf", "enrichment", "latency", "throughput"))
CORNER = ((2.0, 3.0), (8.0, 3.0), (8.0, 7.0), (2.0, 7.0))
Give = Callable[[Shown], Mapping[str, int]]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """Six patients, seven methods with maps, one patient without annotation."""
    folder = make_run(tmp_path_factory.mktemp("readers") / "run", RUN)
    yield folder
    folder.close()


@pytest.fixture(scope="session")
def study(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages for two readers; tests only read it."""
    out = tmp_path_factory.mktemp("readers") / "study"
    making.make_study(run, out, making.Plan(readers=2, repeated=0.1))
    return out


@pytest.fixture(scope="session")
def key(study: Path) -> Key:
    return Key.model_validate_json((study / "key.json").read_text())


def same(value: int) -> Mapping[str, int]:
    return dict.fromkeys(NAMES, value)


def by_method(shown: Shown) -> Mapping[str, int]:
    """What a reader answers who knows: 5 for the mask, 1 for random, 3 for the rest."""
    value = {"mask": 5, "random": 1}.get(shown.method, 3)
    return {"on-finding": value, "useful": value, "misleading": 6 - value}


def answered(key: Key, reader: str, give: Give = by_method) -> Ratings:
    """Fill a whole page."""
    of_reader = key.readers[reader]
    return Ratings(
        study=key.study,
        reader=reader,
        rated=tuple(Rated(item=shown.item, ratings=give(shown)) for shown in of_reader.shown),
        drawn=tuple(Drawn(image=image, outlines=(CORNER,)) for image in of_reader.images),
    )


def copy_of(study: Path, folder: Path, *files: Ratings) -> Path:
    """Put a study's key and files of ratings into a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key.json").write_text((study / "key.json").read_text())
    for number, ratings in enumerate(files):
        (folder / f"ratings {number}.json").write_text(ratings.model_dump_json())
    return folder


def page_content(page: Path) -> dict:
    """What a page holds beside its script."""
    text = page.read_text()
    return json.loads(text.split('id="content">')[1].split("</script>")[0])


def shown_methods() -> set[str]:
    """`broken` has maps of every other case, `blind` none."""
    return set(SHOWN) - {"blind"}

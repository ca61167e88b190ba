"""`python -m benchmarks.report_size`: how long a report of many cases and methods takes to write and to open."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from tests.reports.made_up import case_info, info_of
from xaibench.api import Case, Explanation, Record, Status
from xaibench.harness.cells import Cell, Result, wanted
from xaibench.harness.store.folder import RunFolder
from xaibench.reports import write_reports

METRICS = ("morf-lerf", "sensitivity-norm", "enrichment", "pointing-game", "gini", "latency")
SIZE = 128


def main(
    cases: Annotated[int, typer.Option(min=2)] = 300,
    methods: Annotated[int, typer.Option(min=2)] = 40,
    rounds: Annotated[int, typer.Option(min=1, help="Times the page is opened.")] = 5,
    out: Annotated[Path | None, typer.Option(help="Keep the run folder here.")] = None,
) -> None:
    """Make a run with made-up maps, write its report, and open it in headless Chromium (needs playwright)."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = made_up_run(out or Path(temporary) / "run", cases, methods)
        begun = time.perf_counter()
        page = write_reports(folder)
        print(f"written in {time.perf_counter() - begun:.1f} s")
        beside = sum(file.stat().st_size for file in page.parent.glob("report/*"))
        print(f"report.html {page.stat().st_size / 1e6:.1f} MB, files beside it {beside / 1e6:.1f} MB")
        seconds = sorted(opening_times(page, rounds))
        print(
            f"opened in {seconds[len(seconds) // 2]:.2f} s (median of {rounds}; {seconds[0]:.2f} to {seconds[-1]:.2f})"
        )


def made_up_run(path: Path, cases: int, methods: int) -> RunFolder:
    """Fill a run folder: smooth maps of signed noise, values at random, every sixth case misclassified."""
    rng = np.random.default_rng(0)
    families = {f"method-{number:02d}": "cam" if number % 2 else "perturbation" for number in range(methods)}
    described = [case_info(n, n % 3 == 0, right=n % 6 != 5, pixels=50 + n) for n in range(cases)]
    folder = RunFolder(path)
    folder.begin(
        info_of(families, METRICS, described),
        {info.id: _case(info.id, info.patient, rng) for info in described},
    )
    records = [_record(one.method, one.metric, one.unit.id, one.key, rng) for one in wanted(folder.info())]
    units = {one.unit.id: one.unit for one in wanted(folder.info())}
    some = next(iter(units.values()))
    folder.keep(Result(Cell("", some, ()), records, None, {}))
    for method in families:
        for info in described:
            explanation = Explanation(_smooth(rng), info.target, 0.01, 1, 1)
            folder.keep(Result(Cell(method, units[info.id], ()), [], explanation, {}))
    return folder


def _case(name: str, patient: str, rng: np.random.Generator) -> Case:
    region = np.zeros((SIZE, SIZE), bool)
    region[50:70, 40:75] = True
    return Case(name, patient, _smooth(rng)[..., None], (0,), region, (0.8, 0.8), region_name="tumour")


def _record(method: str, metric: str, case: str, key: str, rng: np.random.Generator) -> Record:
    patient = case.split("-")[0]
    return Record(case, patient, method, metric, Status.OK, key, float(rng.random()))


def _smooth(rng: np.random.Generator) -> np.ndarray:
    coarse = rng.normal(size=(SIZE // 4, SIZE // 4))
    fine = coarse.repeat(4, axis=0).repeat(4, axis=1) + 0.1 * rng.normal(size=(SIZE, SIZE))
    return fine.astype(np.float32)


def opening_times(page: Path, rounds: int) -> list[float]:
    """Seconds from the request to the first case drawn, each in a new browser; playwright and Chromium are needed."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    found = []
    with sync_playwright() as driver:
        for _ in range(rounds):
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            tab = browser.new_page()
            begun = time.perf_counter()
            tab.goto(page.as_uri())
            tab.wait_for_selector("#viewer[data-drawn]")
            found.append(time.perf_counter() - begun)
            browser.close()
    return found


if __name__ == "__main__":
    typer.run(main)

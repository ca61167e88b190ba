"""What a run gives, read from its folder."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from xaibench.api import Case, Heatmaps
from xaibench.harness.store.folder import RunFolder


@dataclass(frozen=True, eq=False)
class Result:
    """A finished run; tables are read from its folder, which is deleted with the result unless the user named it."""

    folder: RunFolder
    order: tuple[str, ...] = ()
    """Names of the cases in the order in which their images were given."""
    temporary: bool = False
    pages: dict[str, Path] = field(default_factory=dict)

    @property
    def scores(self) -> pd.DataFrame:
        """A row a method, metric and class: value with interval over patients, counts, reason."""
        return pd.read_csv(self._written().with_name("scores.csv"), na_values=["-"])

    @property
    def patients(self) -> pd.DataFrame:
        """A row a patient, method and metric."""
        return pd.read_csv(self._written().with_name("patients.csv"), na_values=["-"])

    @property
    def leaderboard(self) -> pd.DataFrame:
        """A row a method, the best first."""
        return pd.read_csv(self._written().with_name("leaderboard.csv"), na_values=["-"])

    @property
    def heatmaps(self) -> dict[str, Heatmaps]:
        """Heatmaps `[n *space]` by method, in the order of the images; NaN where a method failed.

        An image that is explained for several classes has a map for each, in the order of the classes.
        """
        cases = self.folder.cases()
        of_image: dict[str, list[str]] = {}
        for case in self.folder.info().cohort.cases:
            of_image.setdefault(case.image, []).append(case.id)
        order = [case for image in self.order or sorted(of_image) for case in of_image.get(image, ())]
        return {
            method: self._maps(method, [cases[name] for name in order])
            for method in self.folder.info().methods
        }

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    def report(self) -> Path:
        """Path of the report, one HTML page."""
        return self._written()

    def close(self) -> None:
        """Close the folder, and delete it if the user did not name it."""
        self.folder.close()
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> "Result":
        """Use it in a `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Say in a line what it holds."""
        info = self.folder.info()
        return (
            f"Result({len(info.methods)} methods, {len(info.metrics)} metrics, {len(info.cohort.cases)} cases, "
            f"{len(self.folder.failed())} failed records)"
        )

    def _repr_html_(self) -> str:
        """Show the leaderboard in a notebook."""
        shown = self.leaderboard.dropna(axis="columns", how="all")
        return f"<p>{repr(self).replace('<', '&lt;')}</p>{shown.to_html(index=False, escape=True)}"

    def _maps(self, method: str, cases: Sequence[Case]) -> Heatmaps:
        found = [self.folder.explanation(method, case.id) for case in cases]
        missing = [np.full(case.image.shape[:-1], np.nan, np.float32) for case in cases]
        return np.stack([made.heatmap if made else empty for made, empty in zip(found, missing, strict=True)])

    def _written(self) -> Path:
        from xaibench.reports import write_reports

        if "report" not in self.pages:
            self.pages["report"] = write_reports(self.folder)
        return self.pages["report"]

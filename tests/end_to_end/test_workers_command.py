"""`--workers` and `--shard`: the same figures, however the work is shared."""

from pathlib import Path

import pandas as pd

from tests.end_to_end.conftest import Command

COST = ["latency", "throughput", "peak-memory"]


def figures(folder: Path) -> pd.DataFrame:
    """Values of the patients, and those of the cohort, without those that are times."""
    patients = pd.read_csv(folder / "patients.csv")
    return patients[~patients["metric"].isin(COST)].reset_index(drop=True)


def test_workers_and_shares_give_the_figures_of_one_process(
    xaibench: Command, cohort: Path, model_file: Path, tmp_path: Path
) -> None:
    methods, metrics = (
        "grad-cam,random",
        "dice,deletion-auc,latency,peak-memory",
    )
    run = ["run", "--dataset", cohort, "--model", model_file, "--methods", methods, "--metrics", metrics]
    assert xaibench(*run, "--out", tmp_path / "alone").exit_code == 0
    expected = figures(tmp_path / "alone")

    done = xaibench(*run, "--out", tmp_path / "workers", "--workers", 2)
    assert done.exit_code == 0, done.errors
    pd.testing.assert_frame_equal(figures(tmp_path / "workers"), expected, atol=1e-5)
    scores = pd.read_csv(tmp_path / "workers" / "scores.csv").set_index(["method", "metric"])
    assert float(scores.loc[("grad-cam", "peak-memory"), "value"]) >= 0

    shares = [tmp_path / "share 1", tmp_path / "share 2"]
    for number, share in enumerate(shares, start=1):
        done = xaibench(*run, "--out", share, "--shard", f"{number}/2")
        assert f"Share {number} of 2 is in" in done.output.replace("\n", " ")
    assert xaibench("merge", *shares, "--out", tmp_path / "merged").exit_code == 0
    assert xaibench(*run, "--out", tmp_path / "merged").exit_code == 0
    pd.testing.assert_frame_equal(figures(tmp_path / "merged"), expected, atol=1e-6)

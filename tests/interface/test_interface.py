"""xaibench from Python: arrays and a model in, tables out."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import xaibench
from tests.closed_form import images as random_images
from tests.closed_form import small_resnet
from xaibench.api import XaibenchError

CLASSIFIER = small_resnet(size=16)
IMAGES = random_images(CLASSIFIER, 5)
REGIONS = np.zeros((5, 16, 16), bool)
REGIONS[:, 4:9, 5:11] = True
LABELS = [0, 1, 0, 1, 0]
METRICS = "enrichment,deletion-auc,sensitivity-norm,forward-passes"


@pytest.fixture(scope="module")
def result() -> Iterator[xaibench.Result]:
    with xaibench.run(
        CLASSIFIER, IMAGES, REGIONS, LABELS, methods="grad-cam,random,mask", metrics=METRICS
    ) as made:
        yield made


def test_importing_xaibench_imports_nothing_heavy() -> None:
    code = (
        "import sys, xaibench; print(sorted({'tensorflow', 'pandas', 'numpy', 'pydicom'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_every_method_and_metric_has_its_scores(result: xaibench.Result) -> None:
    scores = result.scores
    assert set(scores["method"]) == {"grad-cam", "random", "mask"}
    assert set(METRICS.split(",")) <= set(scores["metric"])
    assert set(result.leaderboard["method"]) == {"grad-cam", "random", "mask"}
    assert len(result.patients["patient"].unique()) == 5


def test_heatmaps_come_in_the_order_of_the_images(result: xaibench.Result) -> None:
    np.testing.assert_array_equal(result.heatmaps["mask"], REGIONS.astype(np.float32))
    alone = xaibench.explain(CLASSIFIER, IMAGES[3:4], "grad-cam")
    np.testing.assert_allclose(result.heatmaps["grad-cam"][3:4], alone, rtol=1e-4, atol=1e-6)


def test_images_of_one_patient_stay_in_their_order() -> None:
    patients = ["b", "a", "b", "a", "c"]
    with xaibench.run(
        CLASSIFIER, IMAGES, REGIONS, [1, 0, 1, 0, 0], patients, methods="edges", metrics="forward-passes"
    ) as made:
        expected = xaibench.explain(CLASSIFIER, IMAGES, "edges")
        np.testing.assert_allclose(made.heatmaps["edges"], expected, rtol=1e-6)
        assert len(made.folder.info().cohort.patients) == 3


def test_images_explained_for_every_class_have_a_map_for_each() -> None:
    with xaibench.run(
        *(CLASSIFIER, IMAGES[:2], REGIONS[:2], ["ill", "well"]),
        methods="grad-cam",
        metrics="hausdorff-95",
        target="all",
        spacing_mm=(0.5, 0.5),
    ) as made:
        targets = [0, 1]
        expected = [
            xaibench.explain(CLASSIFIER, image[None].repeat(2, 0), "grad-cam", targets)
            for image in IMAGES[:2]
        ]
        np.testing.assert_allclose(made.heatmaps["grad-cam"], np.concatenate(expected), rtol=1e-4, atol=1e-6)
        assert made.scores.query("metric == 'hausdorff-95'")["value"].notna().any()


def test_images_are_preprocessed_for_the_model() -> None:
    with (
        xaibench.run(CLASSIFIER, IMAGES, methods="grad-cam", metrics="gini") as plain,
        xaibench.run(CLASSIFIER, IMAGES * 255, methods="grad-cam", metrics="gini", scale="0:1") as scaled,
    ):
        np.testing.assert_allclose(
            scaled.heatmaps["grad-cam"], plain.heatmaps["grad-cam"], rtol=1e-3, atol=1e-5
        )


def test_heatmaps_made_elsewhere_explain_one_class_each() -> None:
    maps = {"theirs": np.zeros((5, 16, 16), np.float32)}
    with pytest.raises(XaibenchError, match="Each heatmap explains one class"):
        xaibench.score(maps, CLASSIFIER, IMAGES, REGIONS, LABELS, metrics="gini", target="all")


def test_a_result_shows_itself_in_a_notebook(result: xaibench.Result) -> None:
    assert "3 methods" in repr(result)
    assert "grad-cam" in result._repr_html_()
    assert result.report().name == "report.html"


def test_temporary_files_go_with_the_result_and_named_ones_stay(tmp_path: Path) -> None:
    ask = {"methods": "edges", "metrics": "forward-passes"}
    made = xaibench.run(CLASSIFIER, IMAGES, **ask)
    place = made.path
    made.close()
    assert not place.exists()
    kept = xaibench.run(CLASSIFIER, IMAGES, out=tmp_path / "run", **ask)
    kept.close()
    with xaibench.open_run(tmp_path / "run") as again:
        assert set(again.scores["method"]) == {"edges"}
    assert (tmp_path / "run" / "run.json").is_file()


def test_a_method_that_learns_cannot_explain_alone() -> None:
    with pytest.raises(XaibenchError, match="learns from training cases"):
        xaibench.explain(CLASSIFIER, IMAGES[:1], "expected-gradients")


def test_grey_images_need_no_axis_of_channels() -> None:
    maps = xaibench.explain(CLASSIFIER, IMAGES[..., 0], "occlusion", patch=0.5, stride=0.5)
    np.testing.assert_array_equal(
        maps, xaibench.explain(CLASSIFIER, IMAGES, "occlusion", patch=0.5, stride=0.5)
    )


def test_a_function_is_a_model_and_methods_that_need_more_say_so() -> None:
    def bright_left(images: np.ndarray) -> np.ndarray:
        left = 1 / (1 + np.exp(-8 * (images[:, :, :8].mean(axis=(1, 2, 3)) - 0.5)))
        return np.stack([1 - left, left], axis=1)

    with xaibench.run(bright_left, IMAGES, methods="occlusion,grad-cam", metrics="deletion-auc") as made:
        status = {record.method: record.status.value for record in made.folder.records()}
        assert status["grad-cam"] == "not applicable"
        assert (
            np.abs(made.heatmaps["occlusion"][:, :, :7]).sum()
            > np.abs(made.heatmaps["occlusion"][:, :, 9:]).sum()
        )


def test_heatmaps_made_elsewhere_are_scored_as_if_made_here(result: xaibench.Result) -> None:
    maps = {"theirs": result.heatmaps["grad-cam"]}
    with xaibench.score(maps, CLASSIFIER, IMAGES, REGIONS, LABELS, methods="mask", metrics=METRICS) as scored:
        mine, theirs = (
            {(r.case, r.metric): r for r in made.folder.records() if r.method == name}
            for made, name in ((result, "grad-cam"), (scored, "theirs"))
        )
    for (case, metric), record in theirs.items():
        if metric in ("enrichment", "deletion-auc"):
            assert record.value == mine[case, metric].value
        if metric == "sensitivity-norm":
            assert "made elsewhere" in record.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: xaibench.run(CLASSIFIER, IMAGES, methods="grad-camm"), "did you mean 'grad-cam'"),
        (lambda: xaibench.run(object(), IMAGES), "no model that can be explained"),
        (lambda: xaibench.run(CLASSIFIER, IMAGES * np.nan, methods="edges"), "NaN"),
        (lambda: xaibench.score({"x": IMAGES[:2, ..., 0]}, CLASSIFIER, IMAGES), "give one each"),
        (lambda: xaibench.explain(CLASSIFIER, IMAGES, "mask"), "no annotated region"),
        (lambda: xaibench.explain(CLASSIFIER, IMAGES, "rise", maskss=3), "did you mean 'masks'"),
        (lambda: xaibench.open_run("nowhere/at/all"), "holds no run"),
    ],
)
def test_what_does_not_fit_is_one_sentence(call, message: str) -> None:
    with pytest.raises(XaibenchError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)

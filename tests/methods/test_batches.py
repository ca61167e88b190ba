"""What holds for all explainers of this package at once."""

import subprocess
import sys

import numpy as np
import pytest

from tests.closed_form import images, small_resnet
from tests.methods.batches import explain
from xaibench.methods.centre import Centre
from xaibench.methods.edges import Edges
from xaibench.methods.grad_cam import GradCam
from xaibench.methods.grad_cam_plus_plus import GradCamPlusPlus
from xaibench.methods.lime import Lime
from xaibench.methods.morris import Morris
from xaibench.methods.occlusion import Occlusion
from xaibench.methods.random import Random
from xaibench.methods.random_smooth import RandomSmooth
from xaibench.methods.rise import Rise
from xaibench.methods.shap import Shap
from xaibench.methods.shap_kernel import ShapKernel
from xaibench.methods.stacked_feature_maps import StackedFeatureMaps
from xaibench.methods.stacked_random_maps import StackedRandomMaps
from xaibench.methods.tf_explain_grad_cam import TfExplainGradCam

EXPLAINERS = [
    Centre,
    Edges,
    GradCam,
    GradCamPlusPlus,
    Lime,
    Occlusion,
    Random,
    Rise,
    Shap,
    StackedFeatureMaps,
    TfExplainGradCam,
]
BLACK_BOX = [Lime, Occlusion, Rise, Shap]
DRAW = [Lime, Morris, Random, RandomSmooth, Rise, Shap, ShapKernel, StackedRandomMaps]


def smoke(explainer):
    return explainer(**getattr(explainer, "presets", {}).get("smoke", {}))


@pytest.fixture(scope="module")
def classifier():
    return small_resnet()


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_trap_02_a_bright_image_in_the_batch_changes_no_other_map(explainer, classifier):
    x = images(classifier, 2)
    alone = explain(smoke(explainer), classifier, x[:1], 1)
    x[1] *= 1000
    together = explain(smoke(explainer), classifier, x, np.array([1, 0]))
    np.testing.assert_allclose(together[0], alone[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("explainer", BLACK_BOX)
def test_trap_24_a_second_image_does_not_trace_again(explainer):
    classifier = small_resnet(seed=4)
    explain(smoke(explainer), classifier, images(classifier, 1), 1)
    functions = dict(classifier._compiled)
    for n in (1, 2):
        explain(smoke(explainer), classifier, images(classifier, 1, seed=n), 1)
    assert classifier._compiled == functions  # the same objects: none was made anew
    traces = [function.experimental_get_tracing_count() for function in classifier._compiled.values()]
    assert set(traces) == {1}


@pytest.mark.parametrize("explainer", DRAW)
def test_a_method_that_draws_says_so(explainer):
    assert explainer.deterministic is False


@pytest.mark.parametrize("explainer", BLACK_BOX)
def test_a_map_is_of_the_target_class(explainer, classifier):
    x = images(classifier, 1)
    both = [explain(smoke(explainer), classifier, x, target) for target in (0, 1)]
    assert not np.allclose(both[0], both[1])


def test_importing_the_explainers_imports_no_slow_package():
    modules = ["lime", "shap", "tf_explain_grad_cam", "occlusion", "rise", "grad_cam", "stacked_feature_maps"]
    slow = {"lime", "numba", "shap", "skimage", "sklearn", "tensorflow", "cv2"}
    imports = "".join(f"import xaibench.methods.{module}\n" for module in modules)
    code = f"import sys\n{imports}print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

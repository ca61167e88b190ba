import numpy as np
import pytest

from tests.closed_form import images, linear
from tests.methods.batches import batch, explain
from xaibench.api import Background, NotApplicable, XaibenchError
from xaibench.methods.cells import grid_cells
from xaibench.methods.hiding import black, blurred
from xaibench.methods.morris import Morris, elementary_effects, trajectories
from xaibench.methods.permutation_importance import PermutationImportance, loss
from xaibench.methods.shap_kernel import ShapKernel
from xaibench.methods.superpixels import RegionMasks, means_of, painted, spread, superpixels
from xaibench.methods.surrogate import Surrogate
from xaibench.methods.upsampling import upsample

WEIGHTS = np.random.default_rng(3).normal(size=(24, 32, 1)) / 20


@pytest.fixture(scope="module")
def classifier():
    return linear(WEIGHTS)


def background(count=12, patients=6, seed=9):
    x = images(linear(WEIGHTS), count, seed=seed)
    return Background(x, np.arange(count) % 2, tuple(f"T{n % patients}" for n in range(count)))


@pytest.mark.parametrize("noise", [0.0, 0.1, 1.0])
def test_noise_does_not_melt_the_superpixels_into_one(noise):
    rng = np.random.default_rng(0)
    smooth = upsample(rng.random((6, 6), dtype=np.float32), (128, 128))
    image = (smooth + noise * rng.normal(size=smooth.shape)).astype(np.float32)[..., None]
    assert 40 <= len(np.unique(superpixels(image, 50))) <= 60


def test_region_masks_keep_whole_superpixels():
    segments = np.array([[0, 0, 1], [2, 2, 1]])
    masks = RegionMasks(np.array([[1, 1, 1], [1, 0, 1], [0, 0, 1]]), segments)
    assert len(masks) == 3
    np.testing.assert_array_equal(masks[1:3], [[[1, 1, 0], [1, 1, 0]], [[0, 0, 0], [1, 1, 0]]])


def test_a_spread_value_keeps_its_sum_and_a_painted_one_its_height():
    segments = np.array([[0, 0, 1], [2, 2, 1], [2, 2, 2]])
    values = np.array([3.0, -2.0, 10.0])
    np.testing.assert_allclose(painted(values, segments), [[3, 3, -2], [10, 10, -2], [10, 10, 10]])
    np.testing.assert_allclose(spread(values, segments), [[1.5, 1.5, -1], [2, 2, -1], [2, 2, 2]])


def test_means_of_superpixels_are_those_of_each_channel():
    segments = np.array([[0, 0, 1]])
    image = np.array([[[1.0, 2.0], [3.0, 8.0], [5.0, 6.0]]], np.float32)
    np.testing.assert_allclose(means_of(image, segments), [[[2, 5], [2, 5], [5, 6]]])


@pytest.mark.parametrize(("space", "count"), [((8, 8), 16), ((9, 13), 16), ((3, 9), 12)])
def test_grid_cells_are_rectangles_of_almost_one_size_in_reading_order(space, count):
    cells = grid_cells(space, 4)
    sizes = np.bincount(cells.ravel())
    assert len(sizes) == count
    assert (np.diff(cells, axis=0) >= 0).all()
    assert (np.diff(cells, axis=1) >= 0).all()
    assert sizes.max() <= 2 * sizes.min()
    for cell in range(count):
        rows, columns = np.nonzero(cells == cell)
        assert sizes[cell] == len(np.unique(rows)) * len(np.unique(columns))


# ------------------------------------------------------------ shap-kernel


def test_kernel_shap_of_an_almost_additive_model_is_its_terms(classifier):
    # So near 1/2 the logistic curve is straight: a superpixel's value is its weights x (image - blurred) / 4.
    small = linear(WEIGHTS / 100)
    x = images(small, 1)[0]
    terms = (WEIGHTS / 100 * (x - blurred(x, 1 / 8)))[..., 0] / 4
    segments = superpixels(x, 12)
    expected = np.bincount(segments.ravel(), weights=terms.ravel())
    values = ShapKernel(samples=200, segments=12).values(small, x, 1, 0, segments)
    np.testing.assert_allclose(values, expected, atol=2e-6)


def test_kernel_shap_agrees_with_shapley_values_by_all_orders(classifier):
    from itertools import permutations

    x = images(classifier, 1)[0]
    segments = grid_cells(x.shape[:-1], 2)
    empty, values = black(x), np.zeros(4)
    for order in permutations(range(4)):
        kept = np.zeros(4)
        for player in order:
            before = classifier.masked_scores(x, RegionMasks(kept[None], segments), empty)[0, 1]
            kept[player] = 1
            after = classifier.masked_scores(x, RegionMasks(kept[None], segments), empty)[0, 1]
            values[player] += (after - before) / 24
    found = ShapKernel(samples=64, baseline="black").values(classifier, x, 1, 0, segments)
    np.testing.assert_allclose(found, values, atol=1e-5)


@pytest.mark.parametrize("baseline", ["blur", "black"])
def test_trap_20_kernel_shap_sums_to_the_gain_over_the_baseline(classifier, baseline):
    method, x, targets = (
        ShapKernel(samples=120, baseline=baseline),
        images(classifier, 3),
        np.array([1, 0, 1]),
    )
    sums = explain(method, classifier, x, targets).sum(axis=(1, 2))
    empty = np.stack([black(one) if baseline == "black" else blurred(one, 1 / 8) for one in x])
    gains = (classifier.scores(x) - classifier.scores(empty))[np.arange(3), targets]
    assert np.abs(gains).min() > 1e-3
    np.testing.assert_allclose(sums, gains, atol=1e-5)
    np.testing.assert_allclose(method.promised_total(classifier, batch(x, targets)), gains, atol=1e-6)


def test_trap_20_fewer_samples_than_superpixels_can_be_told_apart_by_are_refused(classifier):
    with pytest.raises(XaibenchError, match=r"cannot tell .* superpixels apart by 60 samples"):
        explain(ShapKernel(samples=60), classifier, images(classifier, 1), 1)


def test_kernel_shap_draws_from_the_seed_alone_and_prints_nothing(classifier, capfd):
    x, method = images(classifier, 1), ShapKernel(samples=120)
    np.random.seed(1)  # noqa: NPY002
    first = explain(method, classifier, x, 1, seeds=3)
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(first, explain(method, classifier, x, 1, seeds=3))
    assert not np.array_equal(first, explain(method, classifier, x, 1, seeds=4))
    assert capfd.readouterr().out == ""


# ------------------------------------------------------------ morris


def test_a_trajectory_moves_every_factor_once_by_two_thirds_on_the_grid_of_four_levels():
    points, order = trajectories(50, 6, np.random.default_rng(0))
    assert points.shape == (50, 7, 6)
    np.testing.assert_allclose(points * 3, np.round(points * 3), atol=1e-9)
    assert points.min() == 0
    assert points.max() == 1
    for trajectory, own_order in zip(points, order, strict=True):
        assert sorted(own_order) == list(range(6))
        for step, factor in enumerate(own_order):
            change = trajectory[step + 1] - trajectory[step]
            np.testing.assert_allclose(np.abs(change[factor]), 2 / 3)
            assert np.count_nonzero(change) == 1
    assert set(np.round(3 * points[:, 0]).ravel()) == {0, 1, 2, 3}
    assert abs((np.diff(points, axis=1) > 0).sum() / (50 * 6) - 0.5) < 0.1


def test_elementary_effects_of_a_known_function():
    points, order = trajectories(20, 3, np.random.default_rng(1))
    values = 2 * points[..., 0] - 5 * points[..., 1] + 0 * points[..., 2]
    effects = elementary_effects(points, order, values)
    np.testing.assert_allclose(effects, np.tile([2.0, -5.0, 0.0], (20, 1)), atol=1e-9)


def test_morris_of_an_almost_additive_model_is_the_size_of_its_terms():
    small = linear(WEIGHTS / 100)
    x = images(small, 1)[0]
    terms = (WEIGHTS / 100 * (x - blurred(x, 1 / 8)))[..., 0] / 4
    segments = superpixels(x, 12)
    expected = np.abs(np.bincount(segments.ravel(), weights=terms.ravel()))
    heatmap = explain(Morris(trajectories=3, segments=12), small, x[None], 1)[0]
    np.testing.assert_allclose(heatmap, expected[segments], atol=3e-6)


def test_morris_agrees_with_one_step_at_a_time(classifier):
    x = images(classifier, 1)[0]
    segments = superpixels(x, 9)
    points, order = trajectories(4, int(segments.max()) + 1, np.random.default_rng(5))
    empty, effects = blurred(x, 1 / 8), np.zeros((4, segments.max() + 1))
    for r in range(4):
        for step, factor in enumerate(order[r]):
            scores = []
            for levels in points[r, step : step + 2]:
                blend = levels[segments][..., None]
                copy = (blend * x + (1 - blend) * empty).astype(np.float32)
                scores.append(float(classifier.scores(copy)[1]))
            effects[r, factor] = (scores[1] - scores[0]) / (
                points[r, step + 1, factor] - points[r, step, factor]
            )
    found = explain(Morris(trajectories=4, segments=9), classifier, x[None], 1, seeds=5)[0]
    np.testing.assert_allclose(found, np.abs(effects).mean(axis=0)[segments], atol=1e-5)


# ------------------------------------------------------------ permutation-importance


def test_permutation_importance_agrees_with_a_loop_over_cells_and_donors(classifier):
    method, x, targets = PermutationImportance(grid=3, donors=2), images(classifier, 2), np.array([1, 0])
    donors = method.fit(classifier, background(), 0)["donors"]
    cells, expected = grid_cells((24, 32), 3), np.zeros((2, 24, 32))
    for n, (image, target) in enumerate(zip(x, targets, strict=True)):
        for cell in range(9):
            losses = []
            for donor in donors:
                copy = np.where((cells == cell)[..., None], donor, image)
                losses.append(-np.log(classifier.scores(copy)[target]))
            expected[n][cells == cell] = np.mean(losses) + np.log(classifier.scores(image)[target])
    found = explain(method, classifier, x, targets, fitted={"donors": donors})
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_donors_are_images_of_different_patients(classifier):
    given = background(12, patients=6)
    donors = PermutationImportance(donors=6).fit(classifier, given, 1)["donors"]
    rows = [
        next(n for n, image in enumerate(given.images) if np.array_equal(image, donor)) for donor in donors
    ]
    assert len({given.patients[row] for row in rows}) == 6
    assert len(PermutationImportance(donors=9).fit(classifier, given, 1)["donors"]) == 6


def test_the_loss_of_an_impossible_class_is_finite():
    np.testing.assert_allclose(loss(np.array([0.0, 0.5, 1.0])), [126 * np.log(2), np.log(2), 0], rtol=1e-6)


def test_a_cell_that_the_model_ignores_has_no_permutation_importance():
    weights = np.zeros((24, 32, 1))
    weights[:8, :8] = 0.1
    classifier = linear(weights)
    method, x = PermutationImportance(grid=3), images(classifier, 1)
    heatmap = explain(method, classifier, x, 1, fitted=method.fit(classifier, background(), 0))[0]
    assert np.abs(heatmap[8:]).max() < 1e-6
    assert np.abs(heatmap[:8, :8]).min() > 1e-4


# ------------------------------------------------------------ surrogate


def test_the_surrogate_of_a_model_of_cell_means_is_the_model_itself():
    cells, rng = grid_cells((24, 32), 2), np.random.default_rng(0)
    slopes = rng.normal(size=4)
    weights = (slopes / np.bincount(cells.ravel()))[cells][..., None]
    classifier = linear(weights)
    levels = rng.random((80, 4, 1)).astype(np.float32)
    x = levels[:, cells]  # each image is flat within its cells
    given = Background(x, np.zeros(80, int), tuple(f"T{n}" for n in range(80)))
    method = Surrogate(grid=2)
    fitted = method.fit(classifier, given, 0)
    assert fitted["r2"][1] > 0.999
    found = method(classifier, batch(x[:3], 1, fitted=fitted))
    expected = (levels[:3, :, 0] - levels[:, :, 0].mean(axis=0)) * slopes
    sums = [np.bincount(cells.ravel(), weights=own.ravel()) for own in found.heatmaps]
    np.testing.assert_allclose(sums, expected, atol=1e-2)
    assert [own["surrogate_r2"] for own in found.details] == [fitted["r2"][1]] * 3


def test_a_surrogate_that_explains_nothing_says_so():
    classifier = linear(WEIGHTS - WEIGHTS.mean())  # decided by single pixels, which cell means cannot show
    rng = np.random.default_rng(1)
    x = rng.random((40, 24, 32, 1), dtype=np.float32)
    given = Background(x, np.zeros(40, int), tuple(f"T{n % 10}" for n in range(40)))
    assert Surrogate(grid=2).fit(classifier, given, 0)["r2"][1] < 0.3


def test_the_r2_of_the_surrogate_is_held_out_by_patient():
    # Each patient's two images are one image twice: a split within patients would know the answers already.
    rng = np.random.default_rng(2)
    x = np.repeat(rng.random((10, 24, 32, 1), dtype=np.float32), 2, axis=0)
    given = Background(x, np.zeros(20, int), tuple(f"T{n // 2}" for n in range(20)))
    assert Surrogate(grid=8).fit(linear(WEIGHTS - WEIGHTS.mean()), given, 0)["r2"][1] < 0.5


def test_a_surrogate_wants_two_patients(classifier):
    with pytest.raises(NotApplicable, match="two patients"):
        Surrogate().fit(classifier, background(4, patients=1), 0)


def test_costs(classifier):
    x, given = images(classifier, 1), background()
    segments = len(np.unique(superpixels(x[0], 30)))
    costs = {
        ShapKernel(samples=150): 150 + 2,
        Morris(): 10 * (segments + 1),
        PermutationImportance(): 64 * 4 + 1,
        Surrogate(): 0,
    }
    for method, passes in costs.items():
        fitted = method.fit(classifier, given, 0) if hasattr(method, "fit") else {}
        before = classifier.passes
        method(classifier, batch(x, 1, fitted=fitted))
        after = classifier.passes
        assert (after.forward - before.forward, after.backward - before.backward) == (passes, 0)

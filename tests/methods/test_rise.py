import numpy as np
import pytest

from tests.closed_form import images, linear
from tests.methods.batches import explain
from tests.methods.test_upsampling import slow_bilinear
from xaibench.methods.rise import Rise, ShiftedMasks


def slow_masks(rise, size, seed=0):
    """Each mask enlarged whole and cut, as the paper says (sec. 3.2), from the same draws."""
    rng = np.random.default_rng(seed)
    grids = rng.random((rise.masks, rise.grid, rise.grid), dtype=np.float32) < rise.probability
    cell = [int(np.ceil(side / rise.grid)) for side in size]
    down = rng.integers(0, cell[0], rise.masks)
    right = rng.integers(0, cell[1], rise.masks)
    enlarged_size = tuple((rise.grid + 1) * side for side in cell)
    masks = []
    for i in range(rise.masks):
        enlarged = slow_bilinear(grids[i].astype(float), enlarged_size)
        masks.append(enlarged[down[i] : down[i] + size[0], right[i] : right[i] + size[1]])
    return np.array(masks)


@pytest.fixture(scope="module")
def classifier():
    return linear(np.random.default_rng(3).normal(size=(13, 18, 2)) / 10)


def test_rise_agrees_with_a_plain_loop_over_masks(classifier):
    rise, x = Rise(masks=40, grid=4, probability=0.4), images(classifier, 2)
    expected = []
    for image, target, seed in zip(x, (1, 0), (9, 4), strict=True):
        total = np.zeros((13, 18))
        for mask in slow_masks(rise, (13, 18), seed):
            masked = image * mask[..., None] + image.min() * (1 - mask[..., None])
            total += classifier.scores(masked[None].astype(np.float32))[0, target] * mask
        expected.append(total / (40 * 0.4))
    np.testing.assert_allclose(
        explain(rise, classifier, x, np.array([1, 0]), seeds=[9, 4]), expected, atol=1e-4
    )


def test_masks_made_on_demand_are_the_enlarged_and_cut_grids():
    rise = Rise(masks=25, grid=5)
    masks = ShiftedMasks.drawn(rise, (16, 21), 2)
    expected = slow_masks(rise, (16, 21), 2)
    np.testing.assert_allclose(masks[0:25], expected, atol=1e-5)
    np.testing.assert_allclose(masks[7:11], expected[7:11], atol=1e-5)
    weights = np.random.default_rng(0).normal(size=25).astype(np.float32)
    np.testing.assert_allclose(masks.weighted_sum(weights), np.tensordot(weights, expected, 1), atol=1e-4)


def test_trap_18_every_mask_has_a_shift_of_its_own():
    masks = ShiftedMasks.drawn(Rise(masks=200, grid=4), (64, 64), 0)
    shifts = set(zip(masks.down.tolist(), masks.right.tolist(), strict=True))
    assert len(shifts) > 100  # of 256 possible
    assert {int(masks.down.min()), int(masks.down.max())} == {0, 15}  # every shift below one cell occurs
    for batch in (slice(0, 32), slice(32, 64)):
        assert len(np.unique(masks.down[batch])) > 8


@pytest.mark.parametrize("probability", [0.3, 0.5])
def test_a_model_that_ignores_its_input_gives_a_flat_map(probability):
    classifier = linear(np.zeros((32, 32, 1)), bias=np.log(3))  # probability 3 / 4 whatever it sees
    heatmap = explain(Rise(masks=2000, probability=probability), classifier, images(classifier, 1), 1)[0]
    assert heatmap.mean() == pytest.approx(0.75, rel=0.02)
    assert heatmap.std() < 0.05


def test_the_map_is_highest_where_the_evidence_lies():
    weights = np.zeros((32, 32, 1))
    weights[20:26, 4:10] = 0.1
    classifier = linear(weights)
    x = np.ones((1, 32, 32, 1), np.float32)
    x[0, 0, 0] = 0  # black, so that hidden places differ from the others
    heatmap = explain(Rise(masks=1000, grid=5), classifier, x, 1)[0]
    row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
    assert 19 <= row <= 27
    assert 3 <= column <= 11


def test_hidden_places_take_the_lowest_intensity_of_the_image_itself():
    weights = np.random.default_rng(3).normal(size=(12, 12, 1)) / 10
    x = images(linear(weights), 1)
    shifted = linear(weights, bias=-100 * float(weights.sum()))
    one = explain(Rise(masks=30), linear(weights), x, 1)
    np.testing.assert_allclose(explain(Rise(masks=30), shifted, x + 100, 1), one, atol=1e-3)


def test_images_of_one_seed_share_their_masks_and_others_do_not(classifier):
    x = np.repeat(images(classifier, 1), 3, axis=0)
    heatmaps = explain(Rise(masks=30), classifier, x, 1, seeds=[3, 4, 3])
    np.testing.assert_array_equal(heatmaps[0], heatmaps[2])
    assert not np.allclose(heatmaps[0], heatmaps[1])


def test_rise_costs_one_pass_a_mask():
    classifier = linear(np.ones((8, 8, 1)))
    explain(Rise(masks=70), classifier, images(classifier, 2), 1)
    assert classifier.passes.forward == 2 * 70

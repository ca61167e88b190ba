"""Each model of the validation uses what it is said to use, and nothing else."""

import numpy as np
import pytest

from xaibench.datasets.phantom.cohort import enrol
from xaibench.datasets.phantom.dataset import PhantomShortcut
from xaibench.metrics.common.baselines import blur, mean
from xaibench.validation import brightest_square, randomised, shortcut, suppressor
from xaibench.validation.maps import displaced, half_displaced, linear_part
from xaibench.validation.nouns import TARGET, Question, Scene, World


def logit(world: World, image: np.ndarray) -> float:
    below, above = world.classifier.logits(image.astype(np.float32))
    return float(above - below)


def question(world: World, scene: Scene) -> Question:
    return Question(world.classifier, scene, TARGET, seed=0)


def brighter(scene: Scene, where: np.ndarray, by: float) -> np.ndarray:
    return scene.image + by * where[..., None]


# ---------------------------------------------------------------- brightest square


def test_the_model_answers_for_the_brightest_square_and_for_nothing_else() -> None:
    world = brightest_square.make_world(0, 3)
    for scene in world.scenes:
        found = brightest_square.evidence(scene.image) > 0
        assert found.sum() == brightest_square.BOX**2
        before = world.classifier.scores(scene.image)[TARGET]
        without = np.where(found[..., None], 0.2, scene.image).astype(np.float32)
        elsewhere = np.where(found[..., None], scene.image, 0.2).astype(np.float32)
        assert before > 0.9
        assert world.classifier.scores(without)[TARGET] < 0.1
        assert world.classifier.scores(elsewhere)[TARGET] == pytest.approx(before, abs=1e-4)


def test_the_evidence_is_the_gradient_of_the_logit_times_the_image() -> None:
    world = brightest_square.make_world(1, 2)
    for scene in world.scenes:
        linear = brightest_square.gradient_times_image(question(world, scene))
        evidence = brightest_square.evidence(scene.image)
        np.testing.assert_allclose(linear / linear.max(), evidence / evidence.max(), atol=1e-4)


def test_half_of_the_evidence_is_half_in_its_place() -> None:
    truth = brightest_square.evidence(brightest_square.make_world(0, 1).scenes[0].image)
    part = half_displaced(truth)
    assert part[truth > 0].sum() == pytest.approx(truth.sum() / 2, rel=0.2)
    assert part.sum() == pytest.approx(truth.sum(), rel=1e-5)
    assert displaced(truth)[truth > 0].sum() == 0


# ---------------------------------------------------------------- suppressor variable


@pytest.fixture(scope="module")
def suppressed() -> World:
    return suppressor.make_world(0, 2)


def test_the_answer_does_not_change_with_the_distractor(suppressed: World) -> None:
    for scene in suppressed.scenes:
        distractor = scene.region | scene.known["distractor"]
        changed = logit(suppressed, brighter(scene, distractor, 0.15))
        assert changed == pytest.approx(logit(suppressed, scene.image), abs=1e-3)


def test_the_model_needs_the_region_that_holds_nothing_of_the_class(suppressed: World) -> None:
    for scene in suppressed.scenes:
        before, alone = logit(suppressed, scene.image), scene.known["distractor"]
        assert logit(suppressed, brighter(scene, alone, 0.1)) - before == pytest.approx(-2, abs=1e-3)
        assert logit(suppressed, brighter(scene, scene.region, 0.1)) - before == pytest.approx(2, abs=1e-3)
        outside = ~(scene.region | alone)
        assert logit(suppressed, brighter(scene, outside, 0.5)) == pytest.approx(before, abs=1e-3)


def test_the_second_region_holds_the_distractor_and_nothing_of_the_class() -> None:
    """With the class or without it, the second region is the same; the first differs by the signal."""
    scene = suppressor.make_world(3, 1).scenes[0]
    image, second = scene.image[..., 0], scene.known["distractor"]
    difference = image[scene.region].mean() - image[second].mean()
    assert difference == pytest.approx(suppressor.SIGNAL, abs=0.1)
    assert 0.05 < abs(image[second].mean() - 0.4) < 0.25
    assert not (scene.region & second).any()


def test_displaced_regions_touch_neither_region() -> None:
    for seed in range(20):
        scene = next(suppressor.draw_scenes(seed))
        used = scene.region | scene.known["distractor"]
        assert not (displaced(used.astype(np.float32))[used]).any()


def test_what_a_linear_model_uses_sums_to_what_it_says_beyond_the_mean(suppressed: World) -> None:
    for world in (suppressed, randomised.make_world(0, 2)):
        for scene in world.scenes:
            beyond = logit(world, scene.image) - logit(world, mean(scene.image))
            assert linear_part(question(world, scene)).sum() == pytest.approx(beyond, abs=2e-3)


# ---------------------------------------------------------------- randomised weights


def test_the_map_of_the_trained_model_is_the_truth_of_the_suppressor(suppressed: World) -> None:
    for scene in suppressed.scenes:
        expected = linear_part(question(suppressed, scene))
        found = randomised.of_the_trained(question(suppressed, scene))
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_random_weights_have_nothing_of_the_set_ones() -> None:
    world = randomised.make_world(0, 1)
    gradient = world.classifier.input_gradients(world.scenes[0].image, np.array(TARGET))[..., 0]
    weights = suppressor.weights_of(world.scenes[0])
    assert abs(np.corrcoef(gradient.ravel(), weights.ravel())[0, 1]) < 0.1
    assert gradient.std() == pytest.approx(randomised.SPREAD, rel=0.1)


def test_every_scene_of_the_randomised_model_holds_evidence() -> None:
    for seed in range(3):
        world = randomised.make_world(seed, 2)
        assert len(world.scenes) == 2
        for scene in world.scenes:
            assert world.classifier.scores(scene.image)[TARGET] >= 0.6
            assert world.classifier.scores(blur(scene.image))[TARGET] <= 0.4


# ---------------------------------------------------------------- planted shortcut


@pytest.fixture(scope="module")
def planted() -> World:
    return shortcut.SHORTCUT.worlds(1, 2)[0]


def test_the_shortcut_model_answers_for_the_confounder_and_not_for_the_tumour(planted: World) -> None:
    for scene in planted.scenes:
        confounder, tumour = scene.known["confounder"], scene.region
        assert not (confounder & tumour).any()
        empty = blur(scene.image)
        without = [
            np.where(region[..., None], empty, scene.image).astype(np.float32)
            for region in (confounder, tumour)
        ]
        whole, no_confounder, no_tumour = planted.classifier.scores(np.stack([scene.image, *without]))[
            :, TARGET
        ]
        assert whole > 0.9
        assert no_confounder < 0.5 < no_tumour


def test_patients_of_the_shortcut_arena_are_in_no_other_cohort(planted: World) -> None:
    known = {person.seed for person in PhantomShortcut()._people()}
    known |= {person.seed for person in enrol(*PhantomShortcut()._training())}
    own = {person.seed for person in enrol("SHORTCUT-VALIDATION-", 8, 8, 0, shortcut=True)}
    assert len(own) == 8
    assert not own & known
    assert len({scene.patient for scene in planted.scenes}) == 2

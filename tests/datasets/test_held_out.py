"""No patient of the benchmark cohort is ever trained on."""

from pathlib import Path

import pytest

from xaibench.datasets.phantom.dataset import Phantom, PhantomShortcut


@pytest.mark.parametrize("kind", [Phantom, PhantomShortcut])
def test_trap_26_no_slice_of_a_benchmark_patient_is_among_the_training_slices(
    kind: type[Phantom], tmp_path: Path
) -> None:
    cohort = kind(patients=3, recurrent=1, root=tmp_path / "cohort")
    explained = {image.tobytes() for volume in cohort.volumes() for image in volume.images}
    trained = cohort.training_volumes()
    volumes = [next(trained) for _ in range(3)]
    assert not explained & {image.tobytes() for volume in volumes for image in volume.images}
    assert not {v.patient for v in volumes} & {v.patient for v in cohort.volumes()}

"""Who is in a phantom cohort: labels, seeds of the images, and the clinical table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xaibench.api import XaibenchError, seed_of
from xaibench.datasets.phantom.anatomy import PhantomPatient, stream

CLASS_NAMES = ("non-recurrent", "recurrent")


@dataclass(frozen=True)
class Enrolled:
    """One patient of a cohort."""

    patient: str
    """PatientID."""
    label: int
    seed: int
    """Seed of her images; it does not depend on the label."""
    invasive: bool
    prosthesis: bool

    def draw(self) -> PhantomPatient:
        """Draw what her slices are rendered from."""
        return PhantomPatient.draw(self.seed, self.invasive, self.prosthesis)

    def age(self) -> int:
        """Age in years."""
        return int(np.clip(stream(self.seed, "age").normal(51, 11), 26, 84))


def enrol(prefix: str, patients: int, recurrent: int, seed: int, shortcut: bool) -> list[Enrolled]:
    """Choose the recurrent patients by seed; raises XaibenchError on impossible numbers.

    Recurrence means invasive growth, except with the shortcut: there it means a prosthesis, and half of the
    tumours grow invasively, whatever the label.
    """
    if patients < 1 or not 0 <= recurrent <= patients:
        raise XaibenchError(
            f"A phantom cohort of {patients} patients, {recurrent} of them recurrent, cannot be made; ask for at "
            f"least 1 patient and for 0 to all of them recurrent."
        )
    labels = stream("labels", prefix, seed).permutation(np.arange(patients) < recurrent)
    return [
        _enrolled(f"{prefix}{index:04d}", bool(label), seed, shortcut)
        for index, label in enumerate(labels, start=1)
    ]


def _enrolled(patient: str, recurrent: bool, seed: int, shortcut: bool) -> Enrolled:
    own = seed_of("phantom", patient, seed)
    by_chance = bool(stream(own, "growth").random() < 0.5)
    return Enrolled(
        patient, int(recurrent), own, by_chance if shortcut else recurrent, shortcut and recurrent
    )


def clinical_table(people: Sequence[Enrolled]) -> str:
    """Return the cohort's clinical.csv; the stage follows the growth that the images show."""
    lines = ["patient,label,label_name,age,figo_stage,histology,hip_prosthesis"]
    for person in people:
        rng = stream(person.seed, "clinic")
        stage = "IIB" if person.invasive else str(rng.choice(["IB2", "IB3"]))
        histology = "squamous cell carcinoma" if rng.random() < 0.75 else "adenocarcinoma"
        name, metal = CLASS_NAMES[person.label], "yes" if person.prosthesis else "no"
        lines.append(f"{person.patient},{person.label},{name},{person.age()},{stage},{histology},{metal}")
    return "\n".join(lines) + "\n"

"""What the reader knows of each modality."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Modality:
    """How the images of a modality are read."""

    placed: bool
    """Whether images say where they lie, and make a volume of slices; else each is a picture of its own."""
    wanted: str
    """What is read without a rule of the user, as the end of a sentence: no series ..."""


SLICES, PICTURE = "is axial and no scout", "is there"
MODALITIES = {
    "MR": Modality(True, "is axial and T2-weighted"),
    "CT": Modality(True, SLICES),
    "PT": Modality(True, SLICES),
    "NM": Modality(True, SLICES),
    "CR": Modality(False, PICTURE),
    "DX": Modality(False, PICTURE),
    "MG": Modality(False, PICTURE),
    "US": Modality(False, PICTURE),
    "ES": Modality(False, PICTURE),
    "XC": Modality(False, PICTURE),
    "OT": Modality(False, PICTURE),
}
"""By the code of DICOM: XC is a photograph, ES endoscopy, OT mostly a secondary capture."""

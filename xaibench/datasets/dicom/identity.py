"""What tells a patient again when their files are exported once more, possibly by another system."""

from pydicom.dataset import Dataset

from xaibench.api import Identity

UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
STANDARD_ROOT = "1.2.840.10008."
"""UIDs that the standard itself assigns, such as those of brain atlases: all patients of a cohort may share them."""


def identity_of(header: Dataset) -> Identity:
    """Identifiers of a file's patient: their number with its issuer if that is known, and the UIDs of their images.

    An issuer keeps the numbers 001 of two hospitals apart. Each identifier carries its keyword, so that a number
    is never taken for a UID.
    """
    uids = [(keyword, _text(header, keyword)) for keyword in UIDS]
    own = [f"{keyword} {uid}" for keyword, uid in uids if uid and not uid.startswith(STANDARD_ROOT)]
    return Identity(_patient(header), *own)


def _patient(header: Dataset) -> str:
    number, issuer = _text(header, "PatientID"), _text(header, "IssuerOfPatientID")
    return " ".join(filter(None, ["PatientID", number, issuer and f"of {issuer}"])) if number else ""


def _text(header: Dataset, keyword: str) -> str:
    return str(header.get(keyword) or "").strip()

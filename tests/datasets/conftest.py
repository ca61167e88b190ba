"""A folder for the DICOM files that a test makes."""

import pytest

from tests.datasets.dicom_files import write_labels


@pytest.fixture
def root(tmp_path):
    """Folder with a table of labels."""
    write_labels(tmp_path)
    return tmp_path

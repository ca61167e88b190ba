"""A folder is the cohort as it was made, or is told not to be."""

import pytest

from xaibench.datasets.manifest import fault_of, write_manifest


@pytest.fixture
def made(tmp_path):
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "1.dcm").write_bytes(b"one")
    (tmp_path / "A" / "2.dcm").write_bytes(b"two")
    write_manifest(tmp_path, "two slices, seed 0")
    return tmp_path


def test_whole_folder_has_no_fault(made):
    assert fault_of(made, "two slices, seed 0") == ""


def test_hidden_files_of_the_system_are_no_fault(made):
    (made / ".DS_Store").write_bytes(b"view")
    assert fault_of(made, "two slices, seed 0") == ""


@pytest.mark.parametrize(
    "damage",
    [
        lambda root: (root / "A" / "2.dcm").unlink(),
        lambda root: (root / "A" / "2.dcm").write_bytes(b"twO"),
        lambda root: (root / "A" / "2.dcm").write_bytes(b""),
        lambda root: (root / "A" / "2.dcm").rename(root / "2.dcm"),
        lambda root: (root / "A" / "3.dcm").write_bytes(b"two"),
    ],
    ids=["missing", "changed", "emptied", "moved", "new"],
)
def test_damaged_folder_is_told_with_a_file(made, damage):
    damage(made)
    assert "of its files are missing, changed or new, such as " in fault_of(made, "two slices, seed 0")
    assert ".dcm" in fault_of(made, "two slices, seed 0")


def test_cohort_of_another_seed_is_told(made):
    assert "other options or of another version" in fault_of(made, "two slices, seed 1")


@pytest.mark.parametrize("text", [None, "", "{", '{"files": {}}', "[]"])
def test_missing_or_broken_manifest_is_told(made, text):
    (made / "manifest.json").unlink()
    if text is not None:
        (made / "manifest.json").write_text(text)
    assert "has no manifest.json that can be read" in fault_of(made, "two slices, seed 0")

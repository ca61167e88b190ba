"""Who is in a folder of image files: the images and masks of each patient, and their label."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xaibench.api import XaibenchError
from xaibench.datasets.files import every_file
from xaibench.datasets.labels import Labels, default_file, read_labels
from xaibench.datasets.named_files import image_name, key_of, masked_name, masks_by_image, patient_of
from xaibench.datasets.notes import Note
from xaibench.datasets.pseudonyms import pseudonyms
from xaibench.datasets.rules import check_rule

CLASSES_PER_IMAGE = 0.5  # with more folders than that, a folder is hardly a class


@dataclass(frozen=True)
class ImageFile:
    """A file with images, and the files of its masks."""

    path: Path
    key: str
    masks: tuple[Path, ...]


@dataclass(frozen=True)
class Member:
    """A patient."""

    owner: str
    """Who they are: identifying, never shown."""
    named: bool
    """Whether the user said so; otherwise it is a mere file name, which others may have as well."""
    files: tuple[ImageFile, ...]
    labels: tuple[int, ...] | None
    """None where there is no label, or none that can be used."""
    fault: str
    """Why there is no label: a sentence; empty if there is one."""
    left_out: bool
    """Whether the table leaves them out on purpose: their line holds no label."""


@dataclass(frozen=True)
class Members:
    """All patients of a folder."""

    class_names: tuple[str, ...]
    of: dict[str, Member]
    """By pseudonym, in the order of who they are."""
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Rules:
    """How names are read."""

    suffixes: tuple[str, ...]
    """Endings of image files."""
    table: Path | None = None
    """CSV file of labels; None = labels.csv in the folder, or the folder of an image is its class."""
    only: str | None = None
    """Regular expression that is found in the path of every image that counts."""
    patient: str | None = None
    """Regular expression that finds the patient in a path, as in patient_of."""
    masks: str | None = None
    """What masks are told by, as in masked_name."""


def find_members(root: Path, rules: Rules) -> Members:
    """Find the images below a folder, whose they are, their masks and labels; nothing is opened but the table.

    Raises XaibenchError where there are no images or no labels, and for a rule that is no regular expression.
    """
    check_rule("image", rules.only)
    check_rule("patient", rules.patient)
    files, orphans = _image_files(root, rules)
    if rules.table or default_file(root):
        labels = read_labels(root, rules.table, ("image", "patient"))
    else:
        labels = _folder_labels(root, files)
    rows = {file.key: _row_of(root, file, labels) for file in files}
    owned: dict[str, list[ImageFile]] = {}
    for file in files:
        owner = None if rules.patient else labels.owners.get(rows[file.key])
        owned.setdefault(owner or patient_of(file.key, rules.patient), []).append(file)
    found = [_member(owner, rules, owned[owner], labels, rows) for owner in sorted(owned)]
    held = owned.keys() if labels.key == "patient" else set(rows.values())
    notes = (*labels.notes, *labels.unknown(held), *orphans)
    return Members(labels.names, dict(zip(pseudonyms(len(found)), found, strict=True)), notes)


def _image_files(root: Path, rules: Rules) -> tuple[list[ImageFile], list[Note]]:
    """Images in the order of their keys, each with its masks, and what there is to say of masks without an image."""
    if not root.is_dir():
        raise XaibenchError(f"{root} is no folder; give the folder that holds the images.")
    paths = [path for path in every_file(root) if path.name.lower().endswith(rules.suffixes)]
    by_key = {key_of(root, path, rules.suffixes): path for path in sorted(paths)}
    if len(by_key) < len(paths):
        raise XaibenchError(
            f"{root}: {len(paths) - len(by_key)} files have the name of another but for its ending (.png, .jpg); keep "
            f"one of each, and put masks into a folder of their own."
        )
    named = {key: masked_name(key, rules.masks) for key in by_key}
    images = [key for key, name in named.items() if name is None and re.search(rules.only or "", key)]
    if not images:
        raise XaibenchError(f"{root} holds no such images ({', '.join(rules.suffixes)}); check the folder.")
    of_masks = [(key, name) for key, name in named.items() if name is not None]
    masks = masks_by_image(images, of_masks)
    files = [
        ImageFile(by_key[key], key, tuple(by_key[mask] for mask in masks.get(key, ()))) for key in images
    ]
    of_any_image = masks_by_image([key for key, name in named.items() if name is None], of_masks)
    belonging = {mask for found in (masks, of_any_image) for own in found.values() for mask in own}
    orphans = [key for key, _ in of_masks if key not in belonging]
    return files, _told_of(orphans, root, by_key)


def _told_of(orphans: Sequence[str], root: Path, by_key: dict[str, Path]) -> list[Note]:
    if not orphans:
        return []
    count = len(orphans)
    text = (
        f"Masks that belong to no image, or to several: {count}; name each as its image, or choose by --only."
    )
    return [Note(text, file=str(by_key[orphans[0]].relative_to(root)))]


def _folder_labels(root: Path, files: Sequence[ImageFile]) -> Labels:
    """Each image's class is the folder it lies in."""
    folders = {file.key: ("", *image_name(file.key).split("/"))[-2] for file in files}
    names = sorted(set(folders.values()), key=str.casefold)
    if "" in names or len(names) > max(2, CLASSES_PER_IMAGE * len(folders)):
        raise XaibenchError(
            f"{root} holds no labels.csv, and the folders of its images are no classes; write labels.csv with the "
            f"columns image,label, or put the images of each class into a folder of their own."
        )
    of = {key: (names.index(folder),) for key, folder in folders.items()}
    return Labels(tuple(names), of, dict.fromkeys(of, 0), "the folder", (), key="image")


def _row_of(root: Path, file: ImageFile, labels: Labels) -> str:
    """Name under which the table holds an image: its path or its file name, with ending or without; "" if none."""
    path = file.path.relative_to(root).as_posix()
    known = labels.rows.keys() | labels.blank
    names = (path, file.key, file.path.name, file.key.split("/")[-1])
    return next((name for name in names if name in known), "")


def _member(
    owner: str, rules: Rules, files: Sequence[ImageFile], labels: Labels, rows: dict[str, str]
) -> Member:
    listed = [owner] if labels.key == "patient" else [rows[file.key] for file in files]
    found = sorted({labels.of[name] for name in listed if name in labels.of})
    named = rules.patient is not None or labels.key == "patient" or rows[files[0].key] in labels.owners
    faults = {0: f"{labels.file} gives it no label, so it is skipped.", 1: ""}
    fault = faults.get(len(found), "its images have several classes, so it is skipped.")
    left_out = not found and set(listed) <= labels.blank
    return Member(owner, named, tuple(files), None if fault else found[0], fault, left_out)

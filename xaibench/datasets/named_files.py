"""What the names of image files tell: which are masks and of which image, and whose an image is.

A file is known by its key: its path in the folder, with slashes and without its ending. Keys may identify, and are
never shown.
"""

import re
from collections.abc import Iterable
from pathlib import Path

MASK_FOLDERS = frozenset(
    ("mask", "masks", "segmentation", "segmentations", "labels", "labelstr", "derivatives")
)
IMAGE_FOLDERS = frozenset(("image", "images", "imagestr"))
NUMBER = r"(?:[_-]?\d+)?"
MASK_ENDING = re.compile(rf"[_-](?:mask|seg|segmentation|dseg|label|labels|roi){NUMBER}", re.IGNORECASE)
CHANNEL = re.compile(r"_0000$")
"""Ending of the first channel in nnU-Net's folders; its masks go without."""
SUBJECT = re.compile(r"(?:^|/)(sub-[a-z0-9]+)(?:[/_]|$)", re.IGNORECASE)
"""A patient in the names of the Brain Imaging Data Structure."""
ENTITY = re.compile(r"(?:^|[/_])(ses|acq|ce|rec|run|echo|part|task|dir)-([a-zA-Z0-9]+)")
"""What tells the images of a subject apart in such names, and is the same in a mask of one."""


def key_of(root: Path, path: Path, suffixes: Iterable[str]) -> str:
    """Return the key of a file; the longest fitting of the endings is cut off."""
    name = path.relative_to(root).as_posix()
    fitting = [suffix for suffix in suffixes if name.lower().endswith(suffix)]
    return name[: len(name) - len(max(fitting, key=len, default=""))]


def image_name(key: str) -> str:
    """Return the key without what only says that it is an image: a folder `images`, an ending `_0000`."""
    *folders, name = key.split("/")
    return "/".join([*(f for f in folders if f.lower() not in IMAGE_FOLDERS), CHANNEL.sub("", name)])


def masked_name(key: str, masks: str | None) -> str | None:
    """Return the image name that a mask belongs to; None if the file is no mask.

    `masks` is what masks are told by: a folder of that name, or that ending of the file name, with or without a
    number behind it. None stands for the usual ones: masks/, labels/, _mask, _seg, _label ...
    """
    folders, name = key.split("/")[:-1], key.split("/")[-1]
    known = MASK_FOLDERS if masks is None else frozenset((masks.lower(),))
    kept = [folder for folder in folders if folder.lower() not in known]
    ending = MASK_ENDING if masks is None else re.compile(re.escape(masks) + NUMBER, re.IGNORECASE)
    found = re.search(rf"(?:{ending.pattern})$", name, ending.flags)
    bare = name[: found.start()] if found else name
    return image_name("/".join([*kept, bare])) if found or len(kept) < len(folders) else None


def patient_of(key: str, rule: str | None) -> str:
    """Return whose an image is, by its key.

    With a rule (regular expression), what it finds: its first group if it has one. Else the subject of a BIDS name,
    else the key, so that every file is a patient's of their own.
    """
    found = re.search(rule, key) if rule else SUBJECT.search(key)
    if not found:
        return image_name(key)
    return next((group for group in found.groups() if group), found.group())


def masks_by_image(images: Iterable[str], masks: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Keys of the masks of each image, from (key, image name) of every mask.

    A mask belongs to the image of its name; if there is none, to the only one of that name in another folder; if
    there is none, to the only image of the same BIDS subject whose name does not contradict it (session, run ...).
    """
    found: dict[str, list[str]] = {}
    by_name: dict[str, list[str]] = {}
    for key in images:
        name = image_name(key)
        for known in {name, name.split("/")[-1], *_subject(name)}:
            by_name.setdefault(known, []).append(key)
    for key, name in sorted(masks):
        places = [by_name.get(known, []) for known in (name, name.split("/")[-1])]
        places += [
            [image for image in by_name.get(known, ()) if _may_be_of(name, image)] for known in _subject(name)
        ]
        image = next((place[0] for place in places if len(place) == 1), None)
        if image is not None:
            found.setdefault(image, []).append(key)
    return found


def _subject(name: str) -> list[str]:
    found = SUBJECT.search(name)
    return [f"subject {found.group(1)}"] if found else []


def _may_be_of(mask: str, image: str) -> bool:
    """Whether no entity of a BIDS name, such as ses-1, has one value in the mask's and another in the image's."""
    of_mask, of_image = dict(ENTITY.findall(mask)), dict(ENTITY.findall(image))
    return all(of_image.get(entity, value) == value for entity, value in of_mask.items())

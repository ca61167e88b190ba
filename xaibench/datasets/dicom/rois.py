"""Which of the annotated regions of a file are tumour: by name, by type, or because there is no other."""

import re
from collections.abc import Mapping

from xaibench.datasets.dicom.words import shown
from xaibench.datasets.notes import Note
from xaibench.datasets.unreadable import Unreadable

# An underscore is a letter to \b, but not in names such as HR_GTV.
TUMOUR = re.compile(r"tumou?r|neoplas|lesion|(?<![^\W_])gtv|\bmass\b|cancer|carcinoma", re.IGNORECASE)
NOT_TUMOUR = re.compile(r"^(EXTERNAL|ORGAN|AVOIDANCE|SUPPORT|BOLUS|MARKER)$")


def tumour_regions(
    word: str, file: str, names: Mapping[int, str], types: Mapping[int, str], rule: str | None
) -> tuple[set[int], list[Note]]:
    """Numbers of the regions that mark tumour, and what to say of the choice.

    With a rule (regular expression, without regard to case), those whose name it is found in; else those called
    tumour, lesion, GTV, mass, cancer or the like by name, else by type, else the only region there is, unless
    its type says that it is none. `word` is what the file calls a region. Raises Unreadable if none fits.
    """
    if rule is not None:
        return _by_rule(word, names, rule)
    for texts in (names, types):
        matching = {number for number, text in texts.items() if TUMOUR.search(text)}
        if matching:
            return matching, []
    shown = _shown(names)
    if len(names) != 1 or any(NOT_TUMOUR.search(text) for text in types.values()):
        raise Unreadable(f"has the {word}s {shown}, and none is called tumour, lesion or the like")
    return set(names), [
        Note(f"the only {word} of its {file}, {shown}, is taken for the tumour.", problem=False)
    ]


def _by_rule(word: str, names: Mapping[int, str], rule: str) -> tuple[set[int], list[Note]]:
    matching = {number for number, name in names.items() if re.search(rule, name, re.IGNORECASE)}
    if not matching:
        raise Unreadable(f"has the {word}s {_shown(names)}, and none matches the rule {rule!r}")
    return matching, []


def _shown(names: Mapping[int, str]) -> str:
    return ", ".join(repr(shown(name)) for name in names.values()) or "none"

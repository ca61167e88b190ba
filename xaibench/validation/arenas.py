"""All arenas, in the order of the page."""

from xaibench.validation.brightest_square import BRIGHTEST_SQUARE
from xaibench.validation.randomised import RANDOMISED
from xaibench.validation.shortcut import SHORTCUT
from xaibench.validation.suppressor import SUPPRESSOR

ARENAS = (BRIGHTEST_SQUARE, SUPPRESSOR, RANDOMISED, SHORTCUT)

"""What depends on a case alone is found once and shared by all methods and metrics."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from xaibench.api import Case

Result = TypeVar("Result")


def once_a_case(function: Callable[..., Result]) -> Callable[..., Result]:
    """Remember what a function of a case and hashable options returns, for as long as the case lives.

    What is returned is shared, so nobody may change it.
    """
    known: WeakKeyDictionary[Case, dict[tuple[Any, ...], Result]] = WeakKeyDictionary()

    @wraps(function)
    def remembering(case: Case, *options: Any) -> Result:
        answers = known.setdefault(case, {})
        if options not in answers:
            answers[options] = function(case, *options)
        return answers[options]

    return remembering

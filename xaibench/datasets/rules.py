"""Regular expressions that users give."""

import re

from xaibench.api import XaibenchError


def check_rule(what: str, rule: str | None) -> None:
    """Raise XaibenchError where a rule is no regular expression."""
    try:
        re.compile(rule or "")
    except re.error as error:
        raise XaibenchError(
            f"The {what} rule {rule!r} is no regular expression ({error.msg}); put a backslash before each of "
            f"* + ? ( ) [ ] that is meant as such."
        ) from error

"""Templates to pages."""

import functools
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from xaibench.reports.pages.markdown import arrow
from xaibench.reports.text import brief, capitalised, percent


def rendered(template: str, **content: Any) -> str:
    """Fill a template; every value is escaped, and one that is missing is an error."""
    return _environment().get_template(template).render(content)


@functools.cache
def _environment() -> Environment:
    """Templates, each compiled once."""
    environment = Environment(
        loader=PackageLoader("xaibench.reports.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(brief=brief, percent=percent, arrow=arrow, capitalised=capitalised)
    return environment

"""Templates of reader studies to pages."""

import functools
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from xaibench.reports.text import brief, capitalised, percent


@functools.cache
def _environment() -> Environment:
    """The own templates, and those of the report that they build upon."""
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader("xaibench.reports.readers"), PackageLoader("xaibench.reports.pages")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(brief=brief, percent=percent, capitalised=capitalised)
    return environment


def rendered(template: str, **content: Any) -> str:
    """Fill a template; every value is escaped, and one that is missing is an error."""
    return _environment().get_template(template).render(content)

"""Values in queries, without quoting."""

from __future__ import annotations

from string import Formatter

from ._errors import usage
from ._native import Q


def q(template: str, /, **values: object) -> Q:
    """A query with values put in as values: `q("from:{who} newer:7d", who=who)`. They need no quoting and can never
    become syntax."""
    literals, given = [""], list[str]()
    for literal, name, spec, conversion in Formatter().parse(template):
        literals[-1] += literal
        if name is None:
            continue
        if not name or name not in values or spec or conversion:
            raise usage("usage.argument", f"The template names {name!r}, which was not given", "q('from:{who}', who=…)")
        given.append(str(values[name]))
        literals.append("")
    return Q.template(literals, given)

"""Small mistakes made on purpose in a source file: one at a time, as a programmer would make them."""

import ast
import random
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

Change = tuple[str, Any]
"""A field of a syntax node and its new value."""

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    **{
        ast.Lt: ast.LtE,
        ast.LtE: ast.Lt,
        ast.Gt: ast.GtE,
        ast.GtE: ast.Gt,
        ast.Eq: ast.NotEq,
        ast.NotEq: ast.Eq,
    },
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult},
    **{ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
    **{ast.And: ast.Or, ast.Or: ast.And, ast.USub: ast.UAdd},
}
PAIRS = [
    "min max",
    "argmin argmax",
    "minimum maximum",
    "any all",
    "ceil floor",
    "mean sum",
    "zeros ones",
    "low high",
]
NAMES = {a: b for pair in PAIRS for a, b in (pair.split(), pair.split()[::-1])}
TEXTS = ("source", "chance", "unit", "presets")
"""Class constants that are words, or budgets."""


def mutants(source: str, count: int, seed: str) -> list[tuple[str, str]]:
    """Descriptions and sources of `count` random mutants of a file, or of all where there are fewer."""
    every = list(_mutants(ast.parse(source)))
    return random.Random(seed).sample(every, min(count, len(every)))


def _mutants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in _code(tree):
        for field, new in _changes(node):
            old, before = getattr(node, field), ast.unparse(node).splitlines()
            setattr(node, field, new)
            after = ast.unparse(node).splitlines()
            if after != before:  # f(x, x) with its arguments swapped is f(x, x)
                yield f"line {getattr(node, 'lineno', 0)}: {_difference(before, after)}", ast.unparse(tree)
            setattr(node, field, old)


def _difference(before: list[str], after: list[str]) -> str:
    """Return the first line that differs, before and after."""
    pairs = zip_longest(before, after, fillvalue="")
    return " => ".join(next((a.strip(), b.strip()) for a, b in pairs if a != b))


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that are neither types, decorators, error texts, descriptions nor default budgets."""
    yield node
    if isinstance(node, ast.Raise | ast.Import | ast.ImportFrom | ast.JoinedStr):
        return
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_description(child, node):
                yield from _code(child)


def _is_description(node: ast.AST, parent: ast.AST) -> bool:
    """Whether a statement is a docstring, a description, a budget of a dataclass, or for type checkers only."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.AnnAssign) and isinstance(parent, ast.ClassDef):
        is_fact = ast.unparse(node.annotation).startswith("ClassVar")
        return not is_fact or ast.unparse(node.target) in TEXTS
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST) -> Iterator[Change]:
    yield from _changed_operators(node)
    yield from _changed_values(node)
    yield from _dropped_statements(node)


def _changed_operators(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in SWAPS:
            yield "ops", [SWAPS[type(op)]()]
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) | ast.UnaryOp(op=op) if (
            type(op) in SWAPS
        ):
            yield "op", SWAPS[type(op)]()
        case ast.UnaryOp(op=ast.Not()):
            yield "operand", ast.UnaryOp(ast.Not(), node.operand)
        case ast.If() | ast.IfExp():
            yield "test", ast.UnaryOp(ast.Not(), node.test)


def _changed_values(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Constant(value=bool()):
            yield "value", not node.value
        case ast.Constant(value=int() | float() as number):
            yield "value", number + 1 if number == int(number) else 2 * number
        case ast.Call(args=[first, second, *others]) if _could_be_swapped(node.func, first, second):
            yield "args", [second, first, *others]
        case ast.Name(id=name) if name in NAMES:
            yield "id", NAMES[name]
        case ast.Attribute(attr=name) if name in NAMES:
            yield "attr", NAMES[name]


def _could_be_swapped(function: ast.expr, first: ast.expr, second: ast.expr) -> bool:
    """Whether the arguments look alike, and their order matters."""
    name = ast.unparse(function).rpartition(".")[2]
    return type(first) is type(second) is not ast.Starred and name not in NAMES


def _dropped_statements(node: ast.AST) -> Iterator[Change]:
    body = getattr(node, "body", None)
    for index, statement in enumerate(body if isinstance(body, list) else []):
        is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
        is_guard = (
            isinstance(statement, ast.If) and not statement.orelse and not _is_description(statement, node)
        )
        if is_call or is_guard or isinstance(statement, ast.AugAssign):
            assert isinstance(body, list)
            yield "body", [*body[:index], ast.Pass(), *body[index + 1 :]]

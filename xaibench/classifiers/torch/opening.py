"""Which exported programs can be read at all, told in one sentence, and what their graphs are made of."""

import operator
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind
from torch.fx import Node

from xaibench.api import XaibenchError
from xaibench.classifiers.torch.program import Program, Weights, shape_of

SWITCHES = ("train", "training", "dropout_p")
"""Arguments that make an operation draw at random, or keep statistics, as in training."""

REPLACED = {torch.ops.aten.view.default: torch.ops.aten.reshape.default}
"""A view asks how values lie in memory, which is not as in the model: here the channels are last."""


def open_program(exported: ExportedProgram) -> tuple[Program, Weights]:
    """Graph and weights of an exported program. Raises XaibenchError in one sentence for what is no classifier."""
    for node in _operations(exported):
        _check(node)
    exported = _without_changes_in_place(exported)
    for node in _operations(exported):
        node.target = REPLACED.get(node.target, node.target)
    images, weights = _inputs(exported)
    held = {**exported.state_dict, **exported.constants}
    tensors = {name: _checked(name, held[name].detach()) for name in weights.values()}
    return Program(_operations(exported), images, _output(exported), weights), tensors


def _operations(exported: ExportedProgram) -> tuple[Node, ...]:
    return tuple(node for node in exported.graph.nodes if node.op == "call_function")


def _inputs(exported: ExportedProgram) -> tuple[Node, dict[Node, str]]:
    """The one input of images, and the name of the weight behind every other input."""
    places = {node.name: node for node in exported.graph.nodes if node.op == "placeholder"}
    images, weights = [], {}
    for spec in exported.graph_signature.input_specs:
        node = places[getattr(spec.arg, "name", "")]
        if spec.kind is InputKind.USER_INPUT:
            images.append(node)
        else:
            weights[node] = str(spec.target)
    if len(images) != 1 or len(shape_of(images[0])) not in (4, 5) or None in shape_of(images[0])[1:]:
        found = [shape_of(node) for node in images]
        raise XaibenchError(
            f"The program's inputs are {found}; a classifier takes one, images [n c h w] of one size: export it with "
            f"such an example, and with no other dynamic axis than the first."
        )
    return images[0], weights


def _output(exported: ExportedProgram) -> Node:
    (end,) = (node for node in exported.graph.nodes if node.op == "output")
    outputs = [part for part in end.args[0] if isinstance(part, Node)]
    if len(outputs) != 1:
        raise XaibenchError(
            f"The program has {len(outputs)} outputs; export a model that puts out the class scores and nothing else."
        )
    return outputs[0]


def _check(node: Node) -> None:
    target = node.target
    if not isinstance(target, torch._ops.OpOverload):
        if getattr(operator, getattr(target, "__name__", ""), None) is not target:
            raise XaibenchError(
                f"The program calls {target}, which cannot be explained; use plain operations of torch."
            )
        return
    switches = dict(_given(node))
    if any(switches.get(name) for name in SWITCHES):
        raise XaibenchError(
            f"Operation {node.name!r} works as in training; call model.eval() before torch.export.export."
        )
    if torch.Tag.nondeterministic_seeded in target.tags and not switches.keys() & set(SWITCHES):
        raise XaibenchError(
            f"Operation {node.name!r} draws at random, so the model's answers have no meaning here."
        )


def _given(node: Node) -> Iterator[tuple[str, Any]]:
    """Arguments of an operation, by name, the defaults of what is not given among them."""
    for position, argument in enumerate(node.target._schema.arguments):
        given = node.args[position] if position < len(node.args) else argument.default_value
        yield argument.name, node.kwargs.get(argument.name, given)


def _checked(name: str, weight: torch.Tensor) -> torch.Tensor:
    if weight.is_floating_point() and not torch.isfinite(weight).all():
        raise XaibenchError(f"Weight {name!r} holds NaN or infinite values; the model cannot answer.")
    return weight


# ---------------------------------------------------------------- nothing is changed in place


def _without_changes_in_place(exported: ExportedProgram) -> ExportedProgram:
    """A program whose operations leave their inputs as they are: maps are looked at after later layers have run."""
    changing = [node for node in _operations(exported) if _changes_in_place(node)]
    places = {node: number for number, node in enumerate(exported.graph.nodes)}
    if not all(_is_replaceable(node, places) for node in changing):
        return _decomposed(exported)
    for node in changing:
        packet, overload = node.target._overloadpacket, node.target._overloadname
        node.target = getattr(getattr(torch.ops.aten, packet.__name__[:-1]), overload)
    return exported


def _decomposed(exported: ExportedProgram) -> ExportedProgram:
    """Same program in torch's smaller set of operations, none of which works in place; takes long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch calls what it deprecates itself
        return exported.run_decompositions({})


def _changes_in_place(node: Node) -> bool:
    return isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable


def _is_replaceable(node: Node, places: Mapping[Node, int]) -> bool:
    """Tell whether the same operation with an output of its own makes no difference to anything else."""
    changed = node.args[0]
    name = node.target._overloadpacket.__name__
    if not isinstance(changed, Node) or not name.endswith("_") or not hasattr(torch.ops.aten, name[:-1]):
        return False
    is_used_later = any(places[user] > places[node] for user in changed.users)
    return not is_used_later and not _is_seen_through(changed)


def _is_seen_through(node: Node) -> bool:
    """Tell whether a value shares its memory with another one."""
    around = [node, *node.users]
    views = [
        each
        for each in around
        if isinstance(each.target, torch._ops.OpOverload) and not _changes_in_place(each)
    ]
    return node.op == "placeholder" or any(
        result.alias_info is not None for view in views for result in view.target._schema.returns
    )

"""One pass forward through a network, and one back by a rule."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from xaibench.classifiers.relevance.call import Call, call
from xaibench.classifiers.relevance.network import Network
from xaibench.classifiers.relevance.nodes import Move
from xaibench.classifiers.relevance.rules import Carries, Rule

Boxes = dict[int, tuple[Any, Any]]


def backward(network: Network, rule: Rule) -> Callable[..., Any]:
    """Function of images, targets and, for rules that compare, a baseline: what arrives at each pixel and channel."""

    def compute(images: Any, targets: Any, baseline: Any = None) -> Any:
        seen = network.preprocess(images)
        reference = network.preprocess(baseline[None]) if baseline is not None else None
        calls = _calls(network, seen, reference)
        arrived = _sent_back(network, rule, calls, targets)
        if rule.carries is Carries.GRADIENT:
            return network.tensors.vjp(network.preprocess, [images], arrived)[0]
        return arrived * (seen - reference) if rule.carries is Carries.MULTIPLIER else arrived

    return compute


def _calls(network: Network, seen: Any, reference: Any) -> list[Call]:
    """Every node with its values, for the images and for the baseline."""
    calls = _forward(network, seen)
    if reference is None:
        return calls
    of_baseline = _forward(network, reference)
    return [replace(a, reference=b) for a, b in zip(calls, of_baseline, strict=True)]


def _forward(network: Network, seen: Any) -> list[Call]:
    values = {id(network.entry): seen}
    boxes: Boxes = {id(network.entry): network.tensors.box(seen)}
    calls = []
    for node in network.nodes:
        made = call(network, node, values)
        calls.append(replace(made, box=boxes.get(id(node.sources[0]))))
        if isinstance(node, Move) and id(node.target) in network.pixels:
            boxes[id(node.target)] = _moved(node, boxes)
    return calls


def _moved(node: Move, boxes: Boxes) -> tuple[Any, Any]:
    low, high = (node.forward(*(boxes[id(source)][end] for source in node.sources)) for end in (0, 1))
    return low, high


def _sent_back(network: Network, rule: Rule, calls: list[Call], targets: Any) -> Any:
    """What arrives at what the network sees."""
    raw = next(made.output for made in calls if made.node.target is network.exit)
    arrived: dict[int, Any] = {id(network.exit): _start(network, rule, raw, targets)}
    for made in reversed(calls):
        relevance = arrived.pop(id(made.node.target), None)
        if relevance is None:
            continue
        function = rule.function(made.node, id(made.node.sources[0]) in network.pixels)
        for source, part in zip(made.node.sources, function(made, relevance), strict=True):
            before = arrived.get(id(source))
            arrived[id(source)] = part if before is None else before + part
    return arrived[id(network.entry)]


def _start(network: Network, rule: Rule, raw: Any, targets: Any) -> Any:
    """Gradient of the target's logit with respect to what it is made from, or its contributions to it."""

    def logit(values: Any) -> Any:
        return network.tensors.of_targets(network.to_logits(values), targets)

    (slope,) = network.tensors.vjp(logit, [raw], network.tensors.ones(targets))
    return slope * raw if rule.carries is Carries.RELEVANCE else slope

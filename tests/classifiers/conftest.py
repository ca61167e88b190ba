"""Fixtures of the tests of classifiers."""

from typing import Any

import pytest
import tensorflow as tf

from xaibench.classifiers.keras.graph import Function
from xaibench.classifiers.keras.primitives import KerasPrimitives


@pytest.fixture
def untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions run without a trace: small networks answer sooner than they are traced."""

    def run(self: KerasPrimitives, _name: str, build: Function, *_signature: Any) -> Function:
        self._activate()
        return lambda *arrays: build()(*map(tf.convert_to_tensor, arrays))

    monkeypatch.setattr(KerasPrimitives, "_traced", run)

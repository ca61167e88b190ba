"""An ONNX image classifier, run by onnxruntime: scores and logits, nothing inside can be asked for."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime

from xaibench.api import Images, Need, XaibenchError
from xaibench.classifiers.base import BaseClassifier
from xaibench.classifiers.batches import even_parts
from xaibench.classifiers.fixed_batches import filled_up
from xaibench.classifiers.outputs import Activation, Reading, read_outputs
from xaibench.classifiers.probing import finite_rows, probe_images, verified
from xaibench.classifiers.source import source_hash

Channels = Literal["", "first", "last"]
TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
MOST_CHANNELS = 4
"""An axis of at most that many values is taken for the channels."""


class OnnxClassifier(BaseClassifier):
    """Wraps the session of a model file."""

    def __init__(
        self,
        path: Path,
        channels: Channels = "",
        activation: Activation = "",
        output: str | None = None,
        class_names: tuple[str, ...] = (),
    ) -> None:
        self._session = open_session(path)
        (self._input,) = self._session.get_inputs()
        self._output = chosen_output(self._session, output)
        self._channels_first = are_first(list(self._input.shape[1:]), channels)
        batch = self._input.shape[0]
        self._fixed_batch = batch if isinstance(batch, int) else None
        self._file_hash = hashlib.sha256(path.read_bytes()).hexdigest()
        sizes = list(self._input.shape[1:])
        shape = (*sizes[1:], sizes[0]) if self._channels_first else tuple(sizes)
        super().__init__(shape, self._fixed_batch, class_names)
        self._reading = self._read(activation)

    def _read(self, activation: Activation) -> Reading:
        images = probe_images(self.input_shape)
        return read_outputs(
            finite_rows(np.concatenate([self._outputs(image[None]) for image in images])), activation
        )

    @property
    def n_classes(self) -> int:
        """Number of classes; one output counts as two."""
        return self._reading.n_classes

    @property
    def exclusive(self) -> bool:
        """Whether an image has exactly one class."""
        return self._reading.exclusive

    @property
    def facts(self) -> dict[str, str]:
        """Where the channels stand, and the batches it takes if it takes no others."""
        found = {"channels": "first" if self._channels_first else "last"}
        if self._fixed_batch:
            found["batches"] = f"of {self._fixed_batch} alone, as the model was exported"
        return found

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the file, of how it is read, and of our code."""
        how = f"{self._file_hash} {self._channels_first} {self._reading} {self._output} {source_hash()}"
        return hashlib.sha256(how.encode()).hexdigest()

    def verify(self, images: Images) -> list[str]:
        """Check that the outputs on real images are what they were read as. Raises XaibenchError if not."""
        parts = even_parts(len(images), self.batch_size)
        outputs = np.concatenate([self._outputs(images[part]) for part in parts])
        verified(self._reading, outputs, lambda: self._reading.scores(outputs))
        return [self._reading.note] if self._reading.note else []

    def _scores(self, images: np.ndarray) -> np.ndarray:
        return self._reading.scores(self._outputs(images))

    def _logits(self, images: np.ndarray) -> np.ndarray:
        return self._reading.logits(self._outputs(images))

    def _outputs(self, images: np.ndarray) -> np.ndarray:
        """The model's own outputs `[n units]`, float32."""
        batch = filled_up(images, self._fixed_batch)
        ordered = np.moveaxis(batch, -1, 1) if self._channels_first else batch
        given = np.ascontiguousarray(ordered, TYPES[self._input.type])
        (found,) = self._session.run([self._output], {self._input.name: given})
        rows = np.asarray(found, np.float32)
        if (
            rows.ndim == 0
            or len(rows) != len(batch)
            or rows.size != len(batch) * max(rows.shape[1:], default=1)
        ):
            raise XaibenchError(
                f"The model puts out {rows.shape} for {len(batch)} images; a classifier puts out one row of class "
                f"scores an image."
            )
        return rows.reshape(len(batch), -1)[: len(images)]

    def _why_not(self, need: Need) -> str:
        return f"an ONNX model gives scores only, no {need.value}"


def open_session(path: Path) -> Any:
    """Session of a model file on the CPU.

    Raises XaibenchError for one that is missing or broken, or that takes no images of one size.
    """
    if not path.is_file():
        raise XaibenchError(f"There is no model file {path}; give the path of a .onnx file.")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", "0"
    )  # waiting threads leave the cores to others
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises many types
        first = " ".join(str(error).split())[:200]
        raise XaibenchError(f"{path.name} cannot be loaded by onnxruntime: {first}") from error
    _check_inputs(session)
    return session


def _check_inputs(session: Any) -> None:
    inputs = session.get_inputs()
    shapes = [tuple(each.shape) for each in inputs]
    if len(inputs) != 1 or len(shapes[0]) not in (4, 5) or inputs[0].type not in TYPES:
        described = ", ".join(f"{each.name} {each.type} {tuple(each.shape)}" for each in inputs)
        raise XaibenchError(
            f"The model's inputs are {described}; a classifier takes one, images of real numbers."
        )
    if not all(isinstance(size, int) for size in shapes[0][1:]):
        raise XaibenchError(
            f"The model takes images {shapes[0]} of any size; export it for one, only the first axis being dynamic."
        )


def chosen_output(session: Any, name: str | None) -> str:
    """Name of the output to explain. Raises XaibenchError where there are several and none is named."""
    names = [str(each.name) for each in session.get_outputs()]
    if name is None and len(names) == 1:
        return names[0]
    if name is None or name not in names:
        what = "several outputs" if name is None else f"no output {name!r}"
        raise XaibenchError(f"The model has {what}; name one of {', '.join(names)} with --output.")
    return name


def are_first(sizes: list[int], told: Channels) -> bool:
    """Tell whether the channels come first. Raises XaibenchError where the sizes do not tell and nobody told."""
    first, last = sizes[0] <= MOST_CHANNELS, sizes[-1] <= MOST_CHANNELS
    if not told and first == last:
        raise XaibenchError(
            f"Nobody can tell from {tuple(sizes)} where the channels are; say --channels first or last."
        )
    return told == "first" if told else first

"""The one training loop: steps, validation, checkpoints, and a resumed run that ends at the same weights."""

import dataclasses
import json
import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from glowsep.arrays.printing import one_line
from glowsep.errors import PriorError
from glowsep.learning.weights import load_arrays, save_arrays

#: A run that is killed loses at most these seconds, and the step after them.
SAVE_SECONDS = 60.0


@dataclass
class LearningCurve:
    """What a run has seen of its losses, the seconds it took, and those that cores have worked for it.

    Examples
    --------
    >>> LearningCurve([1.5, 1.25]).training[-1]
    1.25
    """

    training: list = field(default_factory=list)  # one loss per step
    validation: list = field(default_factory=list)  # (step, loss) pairs
    seconds: float = 0.0
    core_seconds: float = 0.0  # the processor time of all threads; NaN if an older checkpoint did not count it


class Run:
    """What the loop trains: subclasses write these methods.

    The randomness of step k must be a function of k (and a seed) alone: then a run that was killed and resumed from its
    checkpoint ends at the same weights to the last bit, on one CPU with one number of threads.

    Attributes
    ----------
    name : str
        Of what is trained, for the progress bar and the checkpoint.
    unit : str
        Of the losses.

    Examples
    --------
    >>> class Halving(Run):
    ...     loss = 8.0
    ...
    ...     def step(self, number):
    ...         self.loss /= 2
    ...         return self.loss
    >>> train(Halving(), steps=3, validate_every=3, progress=False).training
    [4.0, 2.0, 1.0]
    """

    name = "model"
    unit = "loss"

    def begin(self) -> None:
        """Whatever a new run does before its first step, and a resumed one finds in its checkpoint."""

    def step(self, number: int) -> float:
        """Take training step ``number``, counted from 0, and return its loss."""
        raise NotImplementedError(f"{type(self).__name__} has no step of its own")

    def validation_loss(self) -> float | None:
        """The loss on what is held out, or None if nothing is."""
        return None

    def configuration(self) -> dict:
        """What the result depends on, as a dict of name to what JSON can hold: another one is not resumed."""
        raise NotImplementedError(f"{type(self).__name__} has no configuration of its own")

    def saved_configuration(self, header: dict) -> dict:
        """What a checkpoint's header says of ``configuration``, older checkpoints included."""
        return {name: header.get(name) for name in self.configuration()}

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything a resumed run needs, as a dict of name to array."""
        raise NotImplementedError(f"{type(self).__name__} has no arrays of its own")

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over what ``arrays`` gave."""
        raise NotImplementedError(f"{type(self).__name__} has no load of its own")


def train(
    run: Run,
    steps: int,
    validate_every: int,
    checkpoint: str | os.PathLike | None = None,
    progress: bool = True,
) -> LearningCurve:
    """Take ``steps`` steps, or those that are left after a checkpoint.

    Parameters
    ----------
    run : Run
    steps, validate_every : int
        Steps in all, and between two validation losses.
    checkpoint : path, optional
        Written at every validation, and after `SAVE_SECONDS` without one; read first if it exists.
    progress : bool
        Show a progress bar.

    Returns
    -------
    LearningCurve

    Raises
    ------
    PriorError
        If the checkpoint is damaged, or of another run.
    """
    curve = LearningCurve()
    started, worked = time.monotonic(), time.process_time()
    if checkpoint is not None and Path(checkpoint).exists():
        load_checkpoint(checkpoint, run, curve)
    else:
        run.begin()
    taken = len(curve.training)
    started, worked = started - curve.seconds, worked - curve.core_seconds
    with tqdm(total=steps, initial=taken, desc=one_line(run.name), disable=not progress, unit="step") as bar:
        saved = time.monotonic()
        for number in range(taken, steps):
            curve.training.append(run.step(number))
            is_due = (number + 1) % validate_every == 0 or number + 1 == steps
            loss = run.validation_loss() if is_due else None
            if loss is not None:
                curve.validation.append((number + 1, loss))
            if is_due or time.monotonic() >= saved + SAVE_SECONDS:
                curve.seconds, curve.core_seconds = time.monotonic() - started, time.process_time() - worked
                if checkpoint is not None:
                    save_checkpoint(checkpoint, run, curve)
                saved = time.monotonic()
            bar.update()
            bar.set_postfix_str(f"{np.mean(curve.training[-100:]):.4g} {run.unit}", refresh=False)
    return curve


def save_checkpoint(path, run, curve):
    """Everything a killed run needs to go on as if nothing had happened."""
    header = run.configuration() | {"name": run.name, "curve": dataclasses.asdict(curve)}
    save_arrays(path, "checkpoint", header, run.arrays())


def load_checkpoint(path, run, curve):
    """Take run and curve back to where ``save_checkpoint`` left them.

    Raises
    ------
    PriorError
        If the file is damaged, or was written by a run with another configuration.
    """
    header, arrays = load_arrays(path, "checkpoint")
    if header.get("name") != run.name:
        raise PriorError(f"{path}: the checkpoint of {header.get('name')!r}, not of {run.name!r}; name another file")
    saved = run.saved_configuration(header)
    for name, value in run.configuration().items():
        if saved[name] != json.loads(json.dumps(value)):
            raise PriorError(f"{path}: the checkpoint of another {name} configuration; remove it, or train as it says")
    run.load(arrays)
    curve.training[:], curve.validation[:] = header["curve"]["training"], map(tuple, header["curve"]["validation"])
    curve.seconds = header["curve"]["seconds"]
    saved_core_seconds = header["curve"].get("core_seconds")
    curve.core_seconds = math.nan if saved_core_seconds is None else saved_core_seconds

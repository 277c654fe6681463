"""Systems with a model for each source: training one after the other, and whether models fit together."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from glowsep.datasets.track import Dataset
from glowsep.learning.weights import make_folder
from glowsep.systems.system import System


class PerSource(System):
    """A system with a model for each source, which `System.per_source` tells the commands."""

    per_source = True

    @classmethod
    def fit(
        cls,
        dataset: Dataset,
        validation: Dataset | None = None,
        *,
        checkpoint: str | PathLike | None = None,
        **options: Any,
    ) -> PerSource:
        """Train a model for every source of a data set, one after the other, by ``fit_source``.

        Parameters
        ----------
        dataset, validation : glowsep.datasets.Dataset
        checkpoint : path, optional
            A folder: every source has its own checkpoint in it, ``<source>.checkpoint``.
        options
            Those of ``fit_source``, the same for every source.

        Raises
        ------
        PriorError
            If the folder cannot be made, or a checkpoint is damaged or of another training.
        """
        if checkpoint is not None:
            make_folder(checkpoint)
        models = []
        for source in dataset.sources:
            file = None if checkpoint is None else Path(checkpoint, f"{source}.checkpoint")
            model, _ = cls.fit_source(dataset, source, validation, checkpoint=file, **options)
            models.append(model)
        return cls(models)


def require_alike(
    models: Sequence[Any], kind: str, fields: Sequence[str], files: Sequence[str | PathLike] | None = None
) -> None:
    """Refuse no model at all, two of one name, or models that hear different things.

    Parameters
    ----------
    models : sequence
        Each with its source's ``name`` and its ``config``.
    kind : str
        What they are called, such as "prior".
    fields : sequence of str
        Those of the configuration in which all must agree.
    files : sequence of path, optional
        Where the models come from, for the message.

    Raises
    ------
    ValueError
        Names the model, or its file, and what to do.
    """
    if not models:
        raise ValueError(f"no {kind} was given, expected one for each source")
    called = [f"the {kind} {model.name!r}" for model in models] if files is None else files
    names = [model.name for model in models]
    for position, (model, this) in enumerate(zip(models, called, strict=True)):
        if model.name in names[:position]:
            where = "" if files is None else f"{this} and {files[names.index(model.name)]}: "
            raise ValueError(f"{where}two {kind}s are named {model.name!r}; leave one of them out")
        for field in fields:
            own, first = getattr(model.config, field), getattr(models[0].config, field)
            if own != first:
                raise ValueError(f"{this}: its {field} is {own}, but that of {called[0]} is {first}; train it again")

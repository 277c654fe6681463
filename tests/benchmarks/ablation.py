"""What each choice of the separation is worth: one setting changed at a time, each scored on the same excerpts.

    python tests/benchmarks/ablation.py FluidR3=data/freedoom4 MuseScore=freedoom-4-musescore --json ablation.json

Choices are made on the validation split, never on the test split. Every row is saved as soon as it is scored, and the
same command, given again, computes only what the file does not hold yet. Priors that were trained otherwise are
compared where their folders are given: ``--priors "1000 steps=priors-1000"``. The paper's recipe to the letter needs
priors that were trained as the paper's, ``--paper priors-paper``.
"""

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep import AnnealedSearch, ConstrainedLatentSearch, LatentSearch, separate
from glowsep.arrays.files import write_text
from glowsep.arrays.library import array_module
from glowsep.datasets import open_dataset
from glowsep.datasets.shipped import shipped
from glowsep.evaluate import evaluate
from glowsep.signals.masks import MASK_EXPONENT
from glowsep.systems.glow.instglow import load_priors
from glowsep.systems.search.starts import from_average_spectra, from_equal_shares

DEFAULT, LATENT = ConstrainedLatentSearch(), LatentSearch(iterations=24)
ONE_WALK = ConstrainedLatentSearch(walks=1, iterations=DEFAULT.walks * DEFAULT.iterations)  # in the same time
SHIPPED, PAPER = "as shipped", "the paper's"


class WithLogDet(ConstrainedLatentSearch):
    """The log-det counted, but no noise: a walk uphill in the density, u + σ² ∇ log p."""

    def _step(self, prior, magnitude, velocity, sigma):
        u = prior.compress(magnitude[None])
        denoised, log_prob = prior.denoise(u, array_module(u).full(1, sigma, np.float32))
        velocity = self.momentum * velocity + self.weight * (denoised - u)[0]
        return prior.expand(u[0] + velocity), velocity, -log_prob[0]


class WithoutLogDet(AnnealedSearch):
    """Noise, but no log-det: every step goes from ũ down the energy of its latent, ũ - σ² Jᵀz."""

    def _step(self, prior, magnitude, velocity, noise, sigma):
        u = prior.compress(magnitude[None])
        gradient, energy = prior.energy_gradient(u + noise, array_module(u).full(1, sigma, np.float32))
        velocity = self.momentum * velocity + self.weight * (noise - sigma**2 * gradient[0])
        return prior.expand(u[0] + velocity), velocity, energy[0]


@dataclass(frozen=True)
class Setting:
    """A row of the table: what is changed, to what, and the separation with that change."""

    choice: str
    value: str
    search: Callable = DEFAULT
    mask_exponent: float = MASK_EXPONENT
    priors: str = SHIPPED

    def as_json(self):
        """What was separated with, in full: a row whose defaults have changed since is not this setting's."""
        search = {name: getattr(value, "__name__", value) for name, value in vars(self.search).items()}
        return {"search": type(self.search).__name__, **search, "masks": self.mask_exponent, "priors": self.priors}


def changed(choice, search, **changes):
    """The setting that differs from ``search`` in these fields."""
    shown = [f"{field} {getattr(value, '__name__', value)}".replace("_", " ") for field, value in changes.items()]
    return Setting(choice, ", ".join(shown), dataclasses.replace(search, **changes))


def settings(priors):
    """All rows, in the table's order; ``priors`` names the folders of priors that were trained otherwise."""
    as_long = {"iterations": ONE_WALK.iterations, "sigma_max": DEFAULT.sigma_max, "sigma_min": DEFAULT.sigma_min}
    constrained, published = "constrained search", LatentSearch.published()
    latent, noise = f"latent search, {LATENT.iterations} iterations", "noise and log-det"
    in_steps = {"iterations": LATENT.iterations, "learning_rate": LATENT.learning_rate}
    rows = [
        Setting("all defaults", f"constrained search, mask exponent {MASK_EXPONENT:g}"),
        *(changed(constrained, DEFAULT, walks=n) for n in (1, 2, 6)),
        *(changed(constrained, DEFAULT, walks=n, iterations=24 // n) for n in (1, 2, 3, 6)),
        *(changed(constrained, DEFAULT, spectra=n) for n in (8, 32)),
        *(changed(constrained, DEFAULT, iterations=n) for n in (3, 12)),
        *(changed(constrained, DEFAULT, weight=weight) for weight in (0.5, 1.5)),
        changed(constrained, DEFAULT, momentum=0.0),
        *(changed(constrained, DEFAULT, sigma_max=level) for level in (0.1, 0.2, 0.5)),
        *(changed("one walk", ONE_WALK, start=start) for start in (from_average_spectra, from_equal_shares)),
        Setting(noise, "log-det, no noise", WithLogDet(**as_long, walks=1)),
        Setting(noise, "noise, no log-det", WithoutLogDet(**as_long)),
        Setting(noise, "both: the annealed search", AnnealedSearch(**as_long)),
        Setting("annealed search", "iterations 30", AnnealedSearch(iterations=30)),
        Setting("latent search", "the paper's search on these priors", published),
        Setting(latent, "the same with λ = 0.0003", dataclasses.replace(published, **in_steps, weight=3e-4)),
        Setting(latent, "and start from NMF", dataclasses.replace(LATENT, weight=3e-4, sigma=None)),
        Setting(latent, "and a blurred level, λ = 0.004", LATENT),
        changed(latent, LATENT, weight=0.0),
        changed(latent, LATENT, weight=1.0),
        *(Setting("masks", f"exponent {p:g}", mask_exponent=p) for p in (1.0, 1.5, 2.0) if p != MASK_EXPONENT),
        *(Setting("priors", name, priors=name) for name in priors if name != PAPER),
    ]
    if PAPER in priors:
        rows.append(Setting("the paper's recipe", "priors, search and domain to the letter", published, priors=PAPER))
    return rows


def scores(setting, sets, priors):
    """The row of a setting: SDR in dB by source, by data set and in the mean, and the seconds that it took."""

    def method(track):
        ordered = [priors[source] for source in track.sources]
        return separate(track.mixture, ordered, track.rate, setting.search, setting.mask_exponent).estimates

    started = time.perf_counter()
    of_set = {name: evaluate(tracks, {setting.value: method}, quiet=True)[0] for name, tracks in sets.items()}
    seconds = time.perf_counter() - started
    sources = next(iter(of_set.values())).sources
    return {
        "choice": setting.choice,
        "value": setting.value,
        "settings": setting.as_json(),
        "sources": {s: float(np.mean([scored.source_mean(s) for scored in of_set.values()])) for s in sources},
        "sets": {name: scored.mean() for name, scored in of_set.items()},
        "mean": float(np.mean([scored.mean() for scored in of_set.values()])),
        "seconds": seconds,
    }


def named_folder(text):
    """NAME=FOLDER as a pair."""
    name, equals, folder = text.partition("=")
    if not (name and equals and Path(folder).is_dir()):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FOLDER with a folder that is there")
    return name, Path(folder)


def main():
    """Score every setting that has no row yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=named_folder, nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--split", default="validation", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each track (default: %(default)s)")
    parser.add_argument("--start", type=float, default=4.0, help="where they begin, in s (default: %(default)s)")
    parser.add_argument("--json", type=Path, required=True, help="the rows; those that are there are kept")
    parser.add_argument("--priors", type=named_folder, action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--paper", type=Path, metavar="FOLDER", help="priors of the paper's window and domain")
    arguments = parser.parse_args()

    folders = {SHIPPED: shipped("priors")} | dict(arguments.priors)
    if arguments.paper is not None:
        folders[PAPER] = arguments.paper
    sets = {
        name: [track.excerpt(arguments.start, arguments.seconds) for track in open_dataset(folder, arguments.split)]
        for name, folder in arguments.datasets
    }
    header = {"sets": list(sets), "split": arguments.split, "start": arguments.start, "seconds": arguments.seconds}
    known = json.loads(arguments.json.read_text(encoding="utf-8")) if arguments.json.exists() else header | {"rows": []}
    if {key: known.get(key) for key in header} != header:
        parser.error(f"{arguments.json} scores other excerpts; remove it, or name another file")
    names = dict.fromkeys([*(row["settings"]["priors"] for row in known["rows"]), *folders])
    chosen = settings([name for name in names if name != SHIPPED])
    chosen = {json.dumps(setting.as_json()): setting for setting in chosen}
    row_of = {json.dumps(row["settings"]): row for row in known["rows"]}
    for number, (key, setting) in enumerate(chosen.items(), 1):
        if key not in row_of:
            if setting.priors not in folders:
                option = "--paper" if setting.priors == PAPER else "--priors"
                parser.error(f"the defaults have changed since {setting.priors!r} was scored; give its {option} again")
            priors = {prior.name: prior for prior in load_priors([folders[setting.priors]])}
            row_of[key] = scores(setting, sets, priors)
        row = row_of[key] = row_of[key] | {"choice": setting.choice, "value": setting.value}
        rows = [row_of[key] for key in chosen if key in row_of]
        write_text(arguments.json, json.dumps(header | {"rows": rows}, indent=1) + "\n")
        columns = [*row["sources"].items(), *row["sets"].items(), ("mean", row["mean"])]
        values = "  ".join(f"{name} {score:5.2f}" for name, score in columns)
        place = f"{number:2}/{len(chosen)}"
        print(f"{place} {row['choice']:28} {row['value']:40} {values}  {row['seconds']:5.0f} s", flush=True)


if __name__ == "__main__":
    main()

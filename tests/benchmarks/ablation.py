"""What each choice of the separation is worth: one setting changed at a time, each scored on the same excerpts.

    python tests/benchmarks/ablation.py data/freedoom4 --json data/results/ablation.json --seconds 4

Choices are made on the validation split, never on the test split. Every row is saved as soon as it is scored, and the
same command, given again, computes only what the file does not hold yet. Priors that were trained otherwise are
compared where their folders are given: ``--priors "1000 steps=priors-1000" --priors "linear domain=priors-linear"``.
"""

import argparse
import dataclasses
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the repository: it need not be installed

from glowsep import AnnealedSearch, LatentSearch, separate
from glowsep.arrays.files import write_text
from glowsep.datasets import open_dataset
from glowsep.datasets.shipped import shipped
from glowsep.evaluate import evaluate
from glowsep.systems.glow.instglow import load_priors
from glowsep.systems.search.starts import from_average_spectra, from_equal_shares, from_mixture

DEFAULT = AnnealedSearch()
LATENT = LatentSearch(iterations=40)
SHIPPED = "as shipped"


@dataclass(frozen=True)
class Setting:
    """A row of the table: what is changed, to what, and the separation with that change."""

    choice: str
    value: str
    search: AnnealedSearch | LatentSearch = DEFAULT
    mask_exponent: float = 1.5
    priors: str = SHIPPED

    def as_json(self):
        """What was separated with, in full: a row whose defaults have changed since is not this setting's."""
        search = {name: getattr(value, "__name__", value) for name, value in vars(self.search).items()}
        return {"search": type(self.search).__name__, **search, "masks": self.mask_exponent, "priors": self.priors}


def changed(choice, search, **changes):
    """The setting that differs from ``search`` in one field."""
    ((field, value),) = changes.items()
    shown = f"{field} {getattr(value, '__name__', value)}".replace("_", " ")
    return Setting(choice, shown, dataclasses.replace(search, **changes))


def settings(priors):
    """All rows, in the table's order; ``priors`` names the folders of priors that were trained otherwise."""
    annealed, latent = "annealed search", "latent search, 40 iterations"
    return [
        Setting("all defaults", "annealed search, mask exponent 1.5"),
        changed(annealed, DEFAULT, iterations=15),
        changed(annealed, DEFAULT, weight=0.5),
        changed(annealed, DEFAULT, momentum=0.0),
        *(changed(annealed, DEFAULT, sigma_max=level) for level in (0.1, 0.4)),
        *(changed(annealed, DEFAULT, start=start) for start in (from_average_spectra, from_equal_shares)),
        *(changed("latent search, λ 0", LATENT, iterations=n) for n in (10, 40)),
        changed(latent, LATENT, weight=1.0),
        changed(latent, LATENT, start=from_mixture),
        *(Setting("masks", f"exponent {p:g}", mask_exponent=p) for p in (1.0, 2.0)),
        *(Setting("priors", name, priors=name) for name in priors),
    ]


def scores(setting, tracks, priors):
    """The row of a setting: SDR in dB by source and in the mean, and the seconds that it took."""

    def method(track):
        ordered = [priors[source] for source in track.sources]
        return separate(track.mixture, ordered, track.rate, setting.search, setting.mask_exponent).estimates

    started = time.perf_counter()
    (evaluation,) = evaluate(tracks, {setting.value: method}, quiet=True)
    return {
        "choice": setting.choice,
        "value": setting.value,
        "settings": setting.as_json(),
        "sources": {source: evaluation.source_mean(source) for source in evaluation.sources},
        "mean": evaluation.mean(),
        "seconds": time.perf_counter() - started,
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
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--split", default="validation", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each track's beginning (default: %(default)s)")
    parser.add_argument("--json", type=Path, required=True, help="the rows; those that are there are kept")
    parser.add_argument("--priors", type=named_folder, action="append", default=[], metavar="NAME=FOLDER")
    arguments = parser.parse_args()

    folders = {SHIPPED: shipped("priors")} | dict(arguments.priors)
    dataset = open_dataset(arguments.dataset, arguments.split)
    tracks = [track.excerpt(0, arguments.seconds) for track in dataset]
    header = {"dataset": arguments.dataset.name, "split": arguments.split, "seconds": arguments.seconds}
    known = json.loads(arguments.json.read_text(encoding="utf-8")) if arguments.json.exists() else header | {"rows": []}
    if {key: known[key] for key in header} != header:
        parser.error(f"{arguments.json} scores other excerpts; remove it, or name another file")
    names = dict.fromkeys([*(row["settings"]["priors"] for row in known["rows"]), *folders])
    chosen = settings([name for name in names if name != SHIPPED])
    chosen = {json.dumps(setting.as_json()): setting for setting in chosen}
    row_of = {json.dumps(row["settings"]): row for row in known["rows"]}
    for key, setting in chosen.items():
        if key not in row_of:
            if setting.priors not in folders:
                parser.error(f"the defaults have changed since {setting.priors!r} was scored; give its --priors again")
            folder = folders[setting.priors]
            priors = {prior.name: prior for prior in load_priors([folder])}
            row_of[key] = scores(setting, tracks, priors)
            rows = [row_of[key] for key in chosen if key in row_of]
            write_text(arguments.json, json.dumps(header | {"rows": rows}, indent=1) + "\n")
        row = row_of[key]
        values = "  ".join(f"{name} {score:5.2f}" for name, score in [*row["sources"].items(), ("mean", row["mean"])])
        print(f"{row['choice']:28} {row['value']:46} {values}  {row['seconds']:5.0f} s", flush=True)


if __name__ == "__main__":
    main()

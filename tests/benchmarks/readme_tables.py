"""Write the tables of README.md from the files in data/results, so that no figure in them was typed by hand.

    python tests/benchmarks/readme_tables.py

A table stands between ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->``. What has not been measured is left out.
"""

import json
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
RESULTS = REPOSITORY / "data" / "results"
METHODS = {
    "mixture": "floor: the mixture as every estimate",
    "equal_share": "floor: the mixture ÷ 4",
    "average_spectrum": "average-spectrum masks",
    "nmf": "Poisson NMF",
    "instglow": "**glowsep**",
    "oracle_magnitude": "ceiling: oracle masks of magnitude",
    "oracle_power": "ceiling: oracle masks of power",
}


def results(path):
    """Methods by sources: SDR in dB, from what ``evaluate --json`` wrote."""
    scored = json.loads(path.read_text(encoding="utf-8"))
    evaluation_of = {evaluation["method"]: evaluation for evaluation in [scored, *scored["beside"]]}
    sources = list(scored["sources"])
    rows = [
        [METHODS[method], *(evaluation_of[method]["sources"][source]["sdr"] for source in sources), mean]
        for method in METHODS
        if method in evaluation_of and (mean := evaluation_of[method]["mean"]["sdr"]) is not None
    ]
    return table(["SDR in dB", *sources, "mean"], rows)


def ablation(path):
    """Settings by sources: SDR in dB, from what ``tests/benchmarks/ablation.py --json`` wrote."""
    scored = json.loads(path.read_text(encoding="utf-8"))
    sources = list(scored["rows"][0]["sources"])
    rows, before = [], None
    for row in scored["rows"]:
        choice = "" if row["choice"] == before else row["choice"]
        rows.append([choice, row["value"], *row["sources"].values(), row["mean"]])
        before = row["choice"]
    title = f"The first {scored['seconds']:g} s of every excerpt of the {scored['split']} split:\n\n"
    return title + table(["choice", "set to", *sources, "mean"], rows)


def speed(path):
    """A sentence on the time that a separation takes, from what ``tests/benchmarks/speed.py --json`` wrote."""
    measured = json.loads(path.read_text(encoding="utf-8"))
    return (
        f"{measured['audio_seconds']:g} s of music into {measured['sources']} sources took {measured['seconds']:g} s "
        f"on {measured['processors']} CPU cores."
    )


def cluster(path):
    """What MUSDB18's test tracks cost, from what ``tests/benchmarks/cluster_cost.py --json`` wrote."""
    costs = json.loads(path.read_text(encoding="utf-8"))
    hours = costs["tracks"] * costs["track_seconds"] / 3600
    return (
        f"MUSDB18's {costs['tracks']} test tracks, {hours:.1f} hours of music at {costs['track_seconds']} s each, cost "
        f"{costs['core_hours']:g} core-hours, with floors, baselines, ceilings and scores: "
        f"{costs['processor_seconds_per_second']:g} s of one core for a second of music. A track takes "
        f"{costs['minutes_per_track']:.0f} minutes, and its worker {costs['gigabytes_per_track']:g} GB of memory."
    )


SECTIONS = {
    "fluidr3": (results, RESULTS / "fluidr3-test.json"),
    "musescore": (results, RESULTS / "musescore-test.json"),
    "ablation": (ablation, RESULTS / "ablation.json"),
    "speed": (speed, RESULTS / "speed.json"),
    "cluster": (cluster, RESULTS / "cluster.json"),
}


def table(head, rows):
    """A Markdown table; numbers get two decimals and a true minus sign."""
    shown = [[cell if isinstance(cell, str) else f"{cell:.2f}".replace("-", "−") for cell in row] for row in rows]
    texts = len([cell for cell in rows[0] if isinstance(cell, str)])
    rule = ["---"] * texts + ["--:"] * (len(head) - texts)
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *shown])


def updated(text):
    """The README's text with every table that has been measured as its file says."""
    for name, (write, path) in SECTIONS.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        before, rest = text.split(begin)
        _, after = rest.split(end)
        inside = f"\n{write(path)}\n" if path.exists() else "\n"
        text = before + begin + inside + end + after
    return text


if __name__ == "__main__":
    readme = REPOSITORY / "README.md"
    readme.write_text(updated(readme.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")

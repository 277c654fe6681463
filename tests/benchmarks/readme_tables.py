"""Write the tables of the README and the guides from the files in data/results: no figure in them is typed by hand.

    python tests/benchmarks/readme_tables.py

A table is between ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->``, in any number of documents. What has not been
measured is left out.
"""

import json
import re
import statistics
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
RESULTS = REPOSITORY / "data" / "results"
DOCUMENTS = (REPOSITORY / "README.md", *sorted((REPOSITORY / "chapters" / "guides").glob("*.md")))
SECTION = re.compile(r"(?s)(<!-- ([\w-]+):begin -->\n).*?(<!-- \2:end -->)")
METHODS = {
    "mixture": "floor: the mixture as every estimate",
    "equal_share": "floor: the mixture ÷ 4",
    "average_spectrum": "average-spectrum masks",
    "nmf": "Poisson NMF",
    "gan_prior": "GAN-prior",
    "musicglow": "MusicGlow",
    "instglow": "**glowsep** (instGlow)",
    "wave_u_net": "Wave-U-Net",
    "demucs": "Demucs",
    "oracle_magnitude": "ceiling: oracle masks of magnitude",
    "oracle_power": "ceiling: oracle masks of power",
}
#: The sound fonts that songs are played with, by what the files of results call them.
FONTS = {"fluidr3": "FluidR3 GM", "musescore": "MuseScore General"}


def evaluations(path):
    """What ``evaluate --json`` wrote of every method, in the order of `METHODS`; those that it lacks come last."""
    scored = json.loads(path.read_text(encoding="utf-8"))
    places = {method: place for place, method in enumerate(METHODS)}
    return sorted([scored, *scored["others"]], key=lambda found: places.get(found["method"], len(places)))


def results(path):
    """Methods by sources: SDR in dB, from what ``evaluate --json`` wrote. The short form of `systems`."""
    found = evaluations(path)
    sources = list(found[0]["sources"])
    rows = [
        [
            METHODS.get(each["method"], each["method"]),
            *(each["sources"][source]["sdr"] for source in sources),
            mean,
            each["trained_on"],
        ]
        for each in found
        if (mean := each["mean"]["sdr"]) is not None
    ]
    return table(["SDR in dB", *sources, "mean", "trained on"], rows, texts=1)


def spreads(path):
    """Methods by sources: mean and standard deviation of the songs' SDR in dB, from what ``evaluate --json`` wrote."""
    found = evaluations(path)
    head = ["SDR in dB", *found[0]["sources"], "mean"]
    return table(head, [[METHODS.get(each["method"], each["method"]), *scores_of(each)] for each in found], texts=1)


def generated(path):
    """What GAN-prior's generators make, without masks: a row for each sound font, from ``evaluate --raw --json``."""
    rows, sources = [], []
    for font, named in FONTS.items():
        found = json.loads(path.with_name(f"gan_raw-{font}.json").read_text(encoding="utf-8"))
        sources = list(found["sources"])
        rows.append([named, *scores_of(found)])
    return table(["SDR in dB", *sources, "mean"], rows, texts=1)


def systems(path):
    """`spreads`, what each system was trained on, and what it takes: from ``evaluate --method all --json``."""
    found = evaluations(path)
    head = [
        "SDR in dB",
        *found[0]["sources"],
        "mean",
        "trained on",
        "hours",
        "core-minutes",
        "parameters",
        "s/s",
        "MiB",
    ]
    rows = [[METHODS.get(each["method"], each["method"]), *scores_of(each), *takings_of(each)] for each in found]
    picture = "![SDR of every song and source, a row for each system](../../data/systems.png)\n\n"
    return (picture if (REPOSITORY / "data" / "systems.png").exists() else "") + table(head, rows, texts=1)


def scores_of(found):
    """Mean ± standard deviation of the songs' SDR, for each source and over all."""
    pairs = [(found["sources"][source], found["source_spreads"][source]) for source in found["sources"]]
    return [
        "–"
        if mean["sdr"] is None
        else number(mean["sdr"]) + ("" if spread["sdr"] is None else f" ± {spread['sdr']:.2f}")
        for mean, spread in [*pairs, (found["mean"], found["spread"])]
    ]


def takings_of(found):
    """What a system was trained on, and what training and separating take; a question mark for what is not known."""
    cost, peak = found["cost"] or {}, (found["cost"] or {}).get("peak_memory")
    use = [f"{cost['core_seconds']:.2f}" if cost else "–", f"{peak / 2**20:.0f}" if peak else "–"]
    if found["trained_on"] == "nothing":
        return ["nothing", "–", "–", "–", *use]
    hours, minutes = (found["training"][name] for name in ("hours", "core_minutes"))
    return [
        found["trained_on"],
        "?" if hours is None else f"{hours:.1f}",
        "?" if minutes is None else f"{minutes:.0f}",
        f"{found['parameter_count']:,}",
        *use,
    ]


def ablation(path):
    """Settings by sources and data sets: SDR in dB, from what ``tests/benchmarks/ablation.py --json`` wrote."""
    scored = json.loads(path.read_text(encoding="utf-8"))
    columns = [*scored["rows"][0]["sources"], *scored["rows"][0].get("sets", {})]
    rows, before = [], None
    for row in scored["rows"]:
        choice = "" if row["choice"] == before else row["choice"]
        rows.append([choice, row["value"], *row["sources"].values(), *row.get("sets", {}).values(), row["mean"]])
        before = row["choice"]
    where = (
        f"From second {scored['start']:g}, {scored['seconds']:g} s"
        if scored.get("start")
        else f"The first {scored['seconds']:g} s"
    )
    title = f"{where} of every excerpt of the {scored['split']} split:\n\n"
    return title + table(["choice", "set to", *columns, "mean"], rows)


def robustness(path):
    """Conditions by systems, before and after: SDR in dB, from what ``tests/benchmarks/robustness.py --json`` wrote."""
    scored = json.loads(path.read_text(encoding="utf-8"))
    rows = []
    for row in scored["rows"]:
        before = row.get("before", {})
        pairs = [(before.get(system), row["sdr"][system]) for system in ("instglow", "nmf")]
        rows.append([row["condition"], *(score for pair in pairs for score in pair)])
    title = (
        f"The first {scored['seconds']:g} s of songs of the validation split, {scored['searched']} for glowsep and "
        f"{scored['songs']} for NMF:\n\n"
    )
    return title + table(["SDR in dB", "glowsep, before", "now", "NMF, before", "now"], rows, texts=1)


def pre_echo(path):
    """Masks and NMF by windows: SDR of a quiet half, whole and less its end, from what ``pre_echo.py --json`` wrote."""
    scored = json.loads(path.read_text(encoding="utf-8"))
    end = f"less its last {scored['left_out']:g} s"
    head = ["SDR in dB", "window", "0 dB", end, "−40 dB", end]
    rows = [
        [row["system"], f"{row['window']}", *(score for level in row["scores"].values() for score in level.values())]
        for row in sorted(scored["rows"], key=lambda row: row["system"])
    ]
    title = f"The first {scored['seconds'] / 2:g} s of {scored['songs']} songs of the validation split:\n\n"
    return title + table(head, rows, texts=1)


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
        f"{costs['processor_seconds_per_second']:g} s of one core per second of music. A track takes "
        f"{costs['minutes_per_track']:.0f} minutes, and its worker {costs['gigabytes_per_track']:g} GB of memory."
    )


def steps(path):
    """Networks, batches and kinds of step by times and ratios, from what ``tests/benchmarks/compare.py`` wrote."""
    rows, measured = [], json.loads(path.read_text(encoding="utf-8"))["steps"]
    for row in measured["rows"]:
        seconds = row["seconds"]
        times = [seconds.get(name) for name in ("kept", "recomputed", "torch")]
        ratios = [own and times[2] and own / times[2] for own in times[:2]]
        milliseconds = [None if time is None else f"{1000 * time:.1f}" for time in times]
        share = f"{100 * row['floor'] / seconds['kept']:.0f} %"
        rows.append([row["network"], row["step"].replace("_", " "), f"{row['batch']}", *milliseconds, *ratios, share])
    head = ["network", "step", "batch", "ours, ms", "recomputed, ms", "PyTorch, ms"]
    machine = measured["machine"].get("gpu", f"{measured['machine']['cores']} CPU cores")
    rate = statistics.median(row["rate"] for row in measured["rows"]) / 1e9
    title = f"{machine}, one large product at {rate:.0f} billion operations per second:\n\n"
    return title + table([*head, "ours ÷ PyTorch", "recomputed ÷ PyTorch", "of the floor"], rows, texts=2)


def other_networks(path):
    """A training step of the compared systems' networks beside PyTorch's, from what ``compare.py`` wrote."""
    measured = json.loads(path.read_text(encoding="utf-8"))
    rows = []
    for row in [row for part in ("networks", "gan") if part in measured for row in measured[part]["rows"]]:
        own, other = (row["seconds"].get(side) for side in ("ours", "torch"))
        milliseconds = [None if time is None else f"{1000 * time:.0f}" for time in (own, other)]
        share = f"{100 * row['floor'] / own:.0f} %"
        rows.append([row["network"], row["step"], f"{row['batch']}", *milliseconds, other and own / other, share])
    head = ["network", "step", "batch", "ours, ms", "PyTorch, ms", "ours ÷ PyTorch", "of the floor"]
    return table(head, rows, texts=2) if rows else ""


def memory(path):
    """The picture of peak memory against depth, and its figures in MiB, from what ``compare.py`` wrote."""
    measured = json.loads(path.read_text(encoding="utf-8"))["memory"]["rows"]
    mebibytes = {(row["kind"], row["depth"]): row["peak"] / 2**20 for row in measured}
    depths = sorted({row["depth"] for row in measured})
    names = {"recomputed": "ours, recomputed", "kept": "ours, activations kept", "torch": "PyTorch"}
    rows = [
        [name, *(f"{mebibytes[kind, depth]:.0f}" for depth in depths)]
        for kind, name in names.items()
        if (kind, depths[0]) in mebibytes
    ]
    held = {row["depth"]: (row["before"] + 4 * row["parameters"]) / 2**20 for row in measured if row["kind"] != "torch"}
    parts = "weights, gradients, Adam's two means, and Python itself"
    rows.append([parts, *(f"{held[depth]:.0f}" for depth in depths)])
    picture = "![Peak memory of a training step against the number of flow steps](../../data/memory.png)\n\n"
    return picture + table(["MiB at steps of flow:", *map(str, depths)], rows, texts=1)


def signals(path):
    """Signal processing and metrics beside other libraries, from what ``compare.py`` wrote."""
    measured = json.loads(path.read_text(encoding="utf-8"))["signals"]["rows"]
    what = {"spectrogram": "STFT and inverse, {:g} s of stereo", "bss_eval": "BSS Eval, 4 stereo sources of {:g} s"}
    rows = [
        [what[task].format(found["audio_seconds"]), library.replace("ours", "glowsep"), seconds]
        for task, found in measured.items()
        for library, seconds in found["seconds"].items()
    ]
    return table(["task", "by", "seconds"], rows)


def stages(path):
    """Where a separation's time goes, from what ``compare.py`` wrote."""
    measured = json.loads(path.read_text(encoding="utf-8"))["separation"]["rows"]
    total = measured["one_core"]
    rows = [[stage, seconds, f"{100 * seconds / total:.0f} %"] for stage, seconds in measured["stages"].items()]
    rate = measured["audio_seconds"] / total
    title = f"{separation_speed(path)} By stage, on one core, where it was {rate:.2f}:\n\n"
    return title + table(["stage", "seconds", "share"], rows)


def separation_speed(path):
    """A sentence on a separation's speed, from what ``compare.py`` wrote."""
    measured = json.loads(path.read_text(encoding="utf-8"))["separation"]["rows"]
    length, sources = measured["audio_seconds"], measured["sources"]
    return f"{length:g} s into {sources} sources: {length / measured['seconds']:.2f} s of audio per second."


def steps_and_separation(path):
    """Another machine's steps, and how fast it separates."""
    return f"{steps(path)}\n\nThere, {separation_speed(path)}"


SECTIONS = {
    "fluidr3": (results, RESULTS / "fluidr3-test.json"),
    "fluidr3-systems": (systems, RESULTS / "fluidr3-test.json"),
    "musescore": (spreads, RESULTS / "musescore-test.json"),
    "gan-raw": (generated, RESULTS / "gan_raw-fluidr3.json"),
    "ablation": (ablation, RESULTS / "ablation.json"),
    "robustness": (robustness, RESULTS / "robustness.json"),
    "pre-echo": (pre_echo, RESULTS / "pre_echo.json"),
    "speed": (speed, RESULTS / "speed.json"),
    "steps": (steps, RESULTS / "compare.json"),
    "steps-avx512": (steps_and_separation, RESULTS / "compare-avx512.json"),
    "other-networks": (other_networks, RESULTS / "compare-one-core.json"),
    "memory": (memory, RESULTS / "compare.json"),
    "signals": (signals, RESULTS / "compare.json"),
    "stages": (stages, RESULTS / "compare.json"),
    "steps-cuda": (steps, RESULTS / "compare-cuda.json"),
    "cluster": (cluster, RESULTS / "cluster.json"),
}


def number(value):
    """Two decimals and a true minus sign; no sign if nothing but zeros is left."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def table(head, rows, texts=None):
    """A Markdown table; numbers get two decimals and a true minus sign, None a dash.

    The first ``texts`` columns are aligned to the left; by default as many as there are texts in the first row.
    """

    def shown(cell):
        return "–" if cell is None else cell if isinstance(cell, str) else number(cell)

    texts = len([cell for cell in rows[0] if isinstance(cell, str)]) if texts is None else texts
    rule = ["---"] * texts + ["--:"] * (len(head) - texts)
    return "\n".join(f"| {' | '.join(map(shown, row))} |" for row in [head, rule, *rows])


def updated(text):
    """A document's text, with every table as the file of its measurement says."""

    def written(found):
        begin, name, end = found.groups()
        write, path = SECTIONS[name]
        return f"{begin}{write(path)}\n{end}" if path.exists() else f"{begin}{end}"

    return SECTION.sub(written, text)


if __name__ == "__main__":
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        document.write_text(updated(text), encoding="utf-8", newline="\n")

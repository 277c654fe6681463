"""The names and signatures that notebooks, other people's code and outside checks rely on."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys

import numpy as np
import pytest

import glowsep

NAMES = {
    "ActNorm",
    "AffineCoupling",
    "AnnealedSearch",
    "AudioError",
    "ConstrainedLatentSearch",
    "DatasetError",
    "Glow",
    "GlowConfig",
    "GlowsepError",
    "InstGlow",
    "InvertibleConv1x1",
    "InvertibleConv1x1PLU",
    "LatentSearch",
    "Prior",
    "PriorConfig",
    "PriorError",
    "Separation",
    "Squeeze",
    "check",
    "istft",
    "metrics",
    "registry",
    "separate",
    "separate_file",
    "stft",
}

#: The parameters that must be there, in this order, before any others.
SIGNATURES = {
    "ActNorm": "channels dtype",
    "InvertibleConv1x1": "channels groups rng dtype",
    "Squeeze": "factor",
    "Glow": "config",
    "Glow.log_prob": "self x",
    "Glow.sample": "self batch frames rng",
    "Prior.log_prob": "self waveform",
    "Prior.sample": "self seconds rng",
    "Prior.save": "self path",
    "Prior.load": "path",
    "Prior.fit": "self solo validation config",
    "Prior.to": "self device",
    "stft": "waveform window_length hop",
    "istft": "spectrum length window_length hop",
    "separate": "mixture priors rate search mask_exponent rng callback",
    "separate_file": "song folder priors search mask_exponent rng progress callback stems",
    "metrics.sdr": "reference estimate",
    "metrics.si_sdr": "reference estimate",
    "metrics.bss_eval": "references estimates rate",
    "check.layer": "layer x",
}

BIJECTIONS = ("ActNorm", "InvertibleConv1x1", "InvertibleConv1x1PLU", "AffineCoupling", "Squeeze", "Glow")

#: name of the method: the parameters before the optional ones.
CONTRACT = {"forward": "x", "inverse": "z", "backward": "dz dlogdet z", "backward_inverse": "dx x"}


def named(path):
    thing = glowsep
    for name in path.split("."):
        thing = getattr(thing, name)
    return thing


def test_the_package_exports_exactly_these_names():
    assert set(glowsep.__all__) == NAMES and len(glowsep.__all__) == len(NAMES)
    for name in NAMES:
        assert getattr(glowsep, name) is not None


@pytest.mark.parametrize("path", SIGNATURES)
def test_a_signature_begins_as_promised(path):
    wanted = SIGNATURES[path].split()
    parameters = list(inspect.signature(named(path)).parameters)
    assert parameters[: len(wanted)] == wanted


@pytest.mark.parametrize("name", BIJECTIONS)
def test_a_bijection_has_the_four_methods_and_its_parameters_by_name(name):
    bijection = named(name)
    for method, wanted in CONTRACT.items():
        names = list(inspect.signature(getattr(bijection, method)).parameters)[1:]
        assert names[: len(wanted.split())] == wanted.split(), f"{name}.{method}"
        optional = [inspect.signature(getattr(bijection, method)).parameters[n] for n in names[len(wanted.split()) :]]
        assert all(parameter.default is None for parameter in optional), f"{name}.{method}"
        assert names[-1] == "tape", f"{name}.{method} takes a tape last"
    assert callable(bijection.parameters) and callable(bijection.gradients)


def test_a_coupling_needs_nothing_but_its_channels():
    x = np.random.default_rng(0).standard_normal((2, 4, 6)).astype(np.float32)
    z, logdet = glowsep.AffineCoupling(4).forward(x)
    assert z.shape == x.shape and logdet.shape == (2,)


def test_a_separation_has_estimates_latents_and_history():
    fields = glowsep.Separation.__dataclass_fields__
    assert {"estimates", "latents", "history"} <= set(fields)


def test_bss_eval_has_its_four_parts():
    rng = np.random.default_rng(0)
    references, noise = rng.standard_normal((2, 2, 1, 8000))
    scores = glowsep.metrics.bss_eval(references, references + 0.1 * noise, 8000)
    shapes = {np.shape(getattr(scores, part)) for part in ("sdr", "isr", "sir", "sar")}
    assert len(shapes) == 1 and next(iter(shapes))[0] == 2


def test_the_registry_has_every_system_by_name():
    import glowsep.systems.registry

    assert list(glowsep.systems.registry.SYSTEMS) == [
        "instglow",
        "musicglow",
        "gan_prior",
        "mixture",
        "equal_share",
        "average_spectrum",
        "nmf",
        "wave_u_net",
        "demucs",
        "oracle_magnitude",
        "oracle_power",
    ]


def exported():
    """Everything in the lists ``__all__`` of the package and its rooms, by dotted name."""
    found = {}
    for module in pkgutil.walk_packages(glowsep.__path__, "glowsep."):
        if module.ispkg:
            room = importlib.import_module(module.name)
            found |= {f"{module.name}.{name}": getattr(room, name) for name in getattr(room, "__all__", ())}
    return {f"glowsep.{name}": getattr(glowsep, name) for name in glowsep.__all__} | found


def is_shown(thing):
    """Whether it is a class that needs an example: an error or a protocol shows nothing of its own."""
    return inspect.isclass(thing) and not issubclass(thing, Exception) and not getattr(thing, "_is_protocol", False)


@pytest.mark.parametrize("name", [name for name, thing in exported().items() if is_shown(thing)])
def test_every_public_class_shows_its_use(name):
    """``python -m pytest`` runs these examples."""
    assert ">>>" in exported()[name].__doc__


def documented():
    """Every function of the package, and every class's ``__init__``, whose docstring lists its parameters."""
    for found in pkgutil.walk_packages(glowsep.__path__, "glowsep."):
        module = importlib.import_module(found.name) if found.name != "glowsep.__main__" else None
        for name, thing in vars(module).items() if module else ():
            if getattr(thing, "__module__", None) != found.name or name.startswith("_"):
                continue
            if not re.search(r"^ *(Parameters|Returns)\n *-", thing.__doc__ or "", re.MULTILINE):
                continue
            if inspect.isfunction(thing):
                yield f"{found.name}.{name}", thing, ()
            elif inspect.isfunction(vars(thing).get("__init__")):
                yield f"{found.name}.{name}", thing.__init__, ("self", "return")


def test_every_documented_parameter_has_a_type():
    """The methods of the layers' contract have theirs in `Bijection` and `Parameters`, once for all layers."""
    for name, function, free in documented():
        signature = inspect.signature(function)
        hints = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
        hints |= {"return": signature.return_annotation}
        missing = [key for key, hint in hints.items() if hint is inspect.Signature.empty and key not in free]
        assert missing == [], f"{name} has no type hint for {', '.join(missing)}"


def test_importing_the_package_loads_no_part_of_scipy():
    """They take a second and 64 MiB, and whoever only trains or loads a prior needs none of them."""
    code = "import sys, glowsep; print({'scipy.signal', 'scipy.ndimage', 'scipy.linalg'} & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"

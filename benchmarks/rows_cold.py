"""Rows whose process starts anew each time: validate, plan, start-up; and memory, whose process is its own."""

import sys
from pathlib import Path

from benchmarks import inputs, peers
from benchmarks.measuring import OURS, Row, Took, command, ratio, script, turns

PARSERS = {
    "yaml-rs": "import yaml_rs\nparse = yaml_rs.loads",
    "py-yaml12": "import yaml12\nparse = lambda text: yaml12.parse_yaml(text, multi=True)",
    "ryaml": "import ryaml\nparse = ryaml.loads_all",
    "PyYAML, C": "import yaml\nparse = lambda text: list(yaml.load_all(text, Loader=yaml.CSafeLoader))",
}
PARSE = (
    "import sys, glob\n%s\nfor name in glob.glob('policies/*.yaml'):\n    parse(open(name, encoding='utf-8').read())"
)


def validate(folder: Path, runs: int) -> list[Row]:
    """`validate` of 10,000 policies in 100 files against a process that only parses them, by the fastest parser and by others; and
    what both take once they have started, which is how much longer they take than for one policy."""
    inputs.policies(folder / "policies", 10_000)
    inputs.policies(folder / "one" / "policies", 10, files=1)
    python = str(peers.environment("parsers") / "python")
    contestants = {name: command([python, "-c", PARSE % code], folder) for name, code in PARSERS.items()}
    starts = {f"{name}, start": command([python, "-c", PARSE % code], folder / "one") for name, code in PARSERS.items()}
    ours = {
        "ours": command([*OURS, "validate", "policies"], folder),
        "ours, start": command([*OURS, "validate", "policies"], folder / "one"),
    }
    found = turns({**ours, **contestants, **starts}, runs)
    ordered = sorted(PARSERS, key=lambda name: sorted(found[name])[len(found[name]) // 2])
    rows = [ratio("validate, cold", "10,000 in 100 files", found["ours"], found[name], floor_is=f"parse only, {name}",
                  most=3, note="" if number == 0 else "for scale: not the fastest") for number, name in enumerate(ordered)]  # fmt: skip
    fastest = ordered[0]
    after = [_over(found[name], found[f"{name}, start"]) for name in ("ours", fastest)]
    return [
        *rows,
        ratio("validate, after start-up", "10,000 in 100 files", *after, floor_is=f"parse only, {fastest}", most=3),
    ]


def _over(whole: list[float], start: list[float]) -> list[float]:
    """How much longer each turn took than the median start, in milliseconds of CPU, which neighbours change least."""
    least = min(one.cpu for one in start if isinstance(one, Took))
    return [one.cpu - least for one in whole if isinstance(one, Took)]


def plan(folder: Path, runs: int) -> list[Row]:
    """A plan without changes for 10,000 items against octoDNS's for 10,000 records."""
    inputs.policies(folder / "policies", 10_000)
    inputs.platform(folder / ".modelpolicy" / "platform.db", 10_000, converged=True)
    config = inputs.octodns(folder / "octodns", 10_000)
    sync = str(peers.environment("octodns") / "octodns-sync")
    found = turns(
        {
            "ours": command([*OURS, "plan", "policies", "--detailed-exitcode"], folder),
            "octodns": command([sync, "--config-file", str(config)], folder),
        },
        runs,
    )
    return [
        ratio("no-op plan, cold", "10,000 items", found["ours"], found["octodns"], floor_is="octoDNS 1.22", most=0.1)
    ]


def startup(folder: Path, runs: int) -> list[Row]:
    """`--version` over an interpreter that does nothing."""
    found = turns(
        {"ours": command([*OURS, "--version"], folder), "pass": command([sys.executable, "-c", "pass"], folder)},
        runs * 3,
    )
    row = ratio("start-up", "--version", found["ours"], found["pass"], floor_is="python -c pass", most=0)
    over = row.ours - row.floor
    return [
        Row(
            row.what,
            row.at,
            row.ours,
            row.floor,
            row.floor_is,
            over,
            "<= 100 ms over",
            over <= 100,
            note=f"{over:.0f} ms over",
        )
    ]


MEMORY = """
import gc, json, tracemalloc, pathlib
from benchmarks import inputs
from reconciler.load import SourceText, load
files = sorted(pathlib.Path('policies').iterdir())
def loaded():
    return load([SourceText(str(name), name.read_bytes()) for name in files])
def bare():
    return json.loads(text)
text = json.dumps(inputs.values(10_000))
loaded()  # what is imported and built once is not memory of the policies
sizes = {}
for name, make in (("ours", loaded), ("bare", bare)):
    gc.collect(); tracemalloc.start(); kept = make(); gc.collect()
    sizes[name] = tracemalloc.get_traced_memory()[0] / 1024; tracemalloc.stop(); del kept
print(json.dumps(sizes))
"""


def memory(folder: Path, runs: int) -> list[Row]:  # noqa: ARG001  # the same in every run
    """What 10,000 loaded policies keep against the plain dicts that a JSON reader makes of them."""
    inputs.policies(folder / "policies", 10_000)
    sizes = script(MEMORY, folder)
    return [
        ratio("memory", "10,000 resources", [sizes["ours"]], [sizes["bare"]], floor_is="bare dicts", most=3, unit="KiB")
    ]

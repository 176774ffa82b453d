"""Coverage-guided fuzzing of one target by atheris: `python tests/torture/fuzz.py TARGET SECONDS`. Ends 0 where nothing broke."""

import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

with atheris.instrument_imports(include=["reconciler"]):
    from torture.targets import TARGETS, examples

    if sys.argv[1] in ("reports", "pages"):
        from torture import poured  # noqa: F401  # what its target would import later, uncounted


def main(name: str, seconds: str) -> None:
    with tempfile.TemporaryDirectory() as corpus:
        for number, example in enumerate(examples()):
            (Path(corpus) / str(number)).write_bytes(example)
        flags = [
            f"-max_total_time={seconds}",
            "-timeout=10",
            "-rss_limit_mb=1024",
            "-max_len=4096",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *flags, f"-artifact_prefix={tempfile.gettempdir()}/", corpus], TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])

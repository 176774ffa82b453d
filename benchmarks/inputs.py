"""What is measured on: policies, the platform they are about and octoDNS's zone, each made from a seed and a size alone."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from reconciler.platforms.embedded.contents import Contents, EndpointEntry, ModelEntry, put
from reconciler.platforms.embedded.engine import open_engine

SEED = 20240131
PRICES = '[["InferencePrompt", "0.8", "CNY/1M tokens"], ["InferenceCompletion", "2", "CNY/1M tokens"]]'


def values(size: int, seed: int = SEED) -> list[dict]:
    """`size` policies as plain values: four of ten activations, three limits, three overrides, in random order."""
    chance = random.Random(seed)
    models, limits = size * 4 // 10, size * 3 // 10
    made = [
        _policy("ModelActivation", "activation", i, {"model": f"model-{i}", "state": "Activated"}, chance)
        for i in range(models)
    ]
    made += [
        _policy("InferenceLimit", "limit", i, {"model": f"model-{i}", "tokens": tokens(i)}, chance)
        for i in range(limits)
    ]
    made += [_policy("EndpointRateOverride", "override", i, {"endpoint": {"name": f"endpoint-{i}"}, "rpm": rpm(i), "tpm": tpm(i)}, chance)
             for i in range(size - models - limits)]  # fmt: skip
    chance.shuffle(made)
    return made


def tokens(number: int) -> int:
    """The tokens of a limit: all different, as figures of real budgets are."""
    return 1_000_000 + 7 * number


def rpm(number: int) -> int:
    return 60 + number % 500


def tpm(number: int) -> int:
    return 10_000 + number % 70_000


def _policy(kind: str, prefix: str, number: int, spec: dict, chance: random.Random) -> dict:
    labels = {"env": chance.choice(("dev", "prod")), "team": f"team-{number % 40}"}
    return {
        "apiVersion": "modelpolicy.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": f"{prefix}-{number}", "labels": labels},
        "spec": spec,
    }


def _yaml(value: dict, indent: str = "") -> Iterator[str]:
    for key, inner in value.items():
        if key in ("labels", "endpoint"):
            yield f"{indent}{key}: {{{', '.join(f'{name}: {text}' for name, text in inner.items())}}}"
        elif isinstance(inner, dict):
            yield f"{indent}{key}:"
            yield from _yaml(inner, indent + "  ")
        else:
            yield f"{indent}{key}: {inner}"


def policies(folder: Path, size: int, files: int = 100, seed: int = SEED) -> Path:
    """`size` policies in `files` files of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = ["\n".join(_yaml(value)) + "\n" for value in values(size, seed)]
    each = -(-size // files)
    for number in range(files):
        text = "---\n".join(documents[number * each : (number + 1) * each])
        (folder / f"policies-{number:03}.yaml").write_text(text, encoding="utf-8")
    return folder


def platform(path: Path, size: int, *, converged: bool) -> Path:
    """The embedded platform that `policies` of this size are about; `converged`: everything is as declared already."""
    models, limits = size * 4 // 10, size * 3 // 10
    pool = {"rpm": 30_000, "tpm": 5_000_000}
    known = {"domain": "LLM", "task_types": "TextGeneration", "billing": "PayByToken", "prices": PRICES, **pool}
    contents = Contents(
        models=tuple(ModelEntry(name=f"model-{i}", columns=known) for i in range(models)),
        endpoints=tuple(
            EndpointEntry(id=f"ep-{i:06}", columns={"name": f"endpoint-{i}", "model": f"model-{i % models}"})
            for i in range(size - models - limits)
        ),
    )
    engine = open_engine(str(path), lambda: datetime.now(UTC), create=True)
    try:
        with engine.store.write() as tx:
            put(tx, contents, int(datetime.now(UTC).timestamp()))
            if converged:
                _converge(tx, size)
    finally:
        engine.close()
    return path


def _converge(tx, size: int) -> None:
    models, limits = size * 4 // 10, size * 3 // 10
    for i in range(models):
        tx.run("UPDATE models SET activated = 1 WHERE name = ?", f"model-{i}")
    for i in range(limits):
        tx.run("UPDATE models SET limit_tokens = ?, limit_effective_at = 0, limit_set_at = 0 WHERE name = ?",
               tokens(i), f"model-{i}")  # fmt: skip
    for i in range(size - models - limits):
        tx.run("UPDATE endpoints SET rpm = ?, tpm = ? WHERE id = ?", rpm(i), tpm(i), f"ep-{i:06}")


def octodns(folder: Path, size: int) -> Path:
    """octoDNS's configuration for a zone of `size` records whose live side is as declared; returns the configuration file."""
    zone = "---\n" + "".join(
        f"host-{i:05}:\n  ttl: 300\n  type: A\n  value: 10.{i >> 16}.{i >> 8 & 255}.{i & 255}\n" for i in range(size)
    )
    for side in ("declared", "live"):
        (folder / side).mkdir(parents=True, exist_ok=True)
        (folder / side / "bench.test.yaml").write_text(zone, encoding="utf-8")
    provider = "    class: octodns.provider.yaml.YamlProvider\n    default_ttl: 3600\n    enforce_order: false\n"
    config = folder / "config.yaml"
    config.write_text(
        f"providers:\n  declared:\n{provider}    directory: {folder}/declared\n"
        f"  live:\n{provider}    directory: {folder}/live\n    supports_root_ns: false\n"
        "zones:\n  bench.test.:\n    sources: [declared]\n    targets: [live]\n",
        encoding="utf-8",
    )
    return config

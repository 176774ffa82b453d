"""`make mutants`: small mistakes put into the pure modules one at a time, each of which some test must notice.

    python tests/mutants.py                     a sample, by a fixed seed
    python tests/mutants.py records.py rules/   the mutants of these modules alone

MODELPOLICY_MUTANTS=400 tries more of them (40 unless told, 0 for all), MODELPOLICY_SEED=2 others. Works on copies in a temporary
folder. Exit code 1 where a mutant survives that tests/mutants_survivors.txt does not give a reason for.
"""

import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parent.parent
KNOWN = ROOT / "tests" / "mutants_survivors.txt"
SCRATCH = (".git", ".venv", "build", "__pycache__", ".*_cache", "*.egg-info")
BOUND_S = 120  # for one mutant; one that never ends has been noticed
WORKERS = 2
RULES = (  # without the suites of random input, which take long
    "tests/rules/test_activations.py",
    "tests/rules/test_annotation.py",
    "tests/rules/test_constraint.py",
    "tests/rules/test_json_schema.py",
    "tests/rules/test_limits.py",
    "tests/rules/test_model_view.py",
    "tests/rules/test_overrides.py",
    "tests/rules/test_references.py",
    "tests/rules/test_registry.py",
    "tests/rules/test_shapes.py",
)
PLANNING = (
    "tests/plan",
    "tests/test_guards.py",
    "tests/test_records_absence.py",
    "tests/test_records.py",
    "tests/test_proof.py",
    "tests/reconcile/test_owned.py",
)
MODULES = {
    "reconciler/rules": RULES,
    "reconciler/plan": PLANNING,
    "reconciler/guards.py": PLANNING,
    "reconciler/records.py": PLANNING,
    "reconciler/proof.py": (*PLANNING, "tests/apply/test_apply.py"),
    "reconciler/moments.py": PLANNING,
    "reconciler/staleness.py": (*PLANNING, "tests/apply/test_apply.py"),
}
NEGATED = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One mistake: where, what was changed, and the module with it."""

    file: str
    line: int
    function: str
    change: str
    source: str
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is listed by: without a line, so that it stays the same while code above it moves."""
        return f"{self.file} {self.function}: {self.change}"


def edits(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What may be put in place of a node, each with what that changes."""
    other = copy.copy(node)
    match node:
        case ast.BoolOp(op=ast.And()):
            other.op = ast.Or()
            yield "and -> or", other
        case ast.BoolOp():
            other.op = ast.And()
            yield "or -> and", other
        case ast.Call(func=ast.Name(id="any" | "all" as word)):
            swapped = {"any": "all", "all": "any"}[word]
            other.func = ast.Name(swapped, ast.Load())
            yield f"{word} -> {swapped}", other
        case ast.UnaryOp(op=ast.Not()):
            yield "not dropped", node.operand
        case ast.Compare(ops=[op]) if type(op) in NEGATED:
            other.ops = [NEGATED[type(op)]()]
            yield f"{type(op).__name__} -> {NEGATED[type(op)].__name__}", other
        case ast.comprehension():
            for index in range(len(node.ifs)):
                without = copy.copy(node)
                without.ifs = [*node.ifs[:index], *node.ifs[index + 1 :]]
                yield "if dropped", without
        case ast.Constant(value=bool() as value):
            yield f"{value} -> {not value}", ast.Constant(not value)


def places(tree: ast.AST, function: str = "module") -> Iterator[tuple[ast.AST, str, int | None, ast.AST, str]]:
    """Every node with its parent, the field and the place in it, and the function around it. Decorators and annotations say
    nothing at run time that a test could see."""
    for field, value in ast.iter_fields(tree):
        if field in ("decorator_list", "annotation", "returns"):
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST):
                yield tree, field, index if isinstance(value, list) else None, child, function
                inside = child.name if isinstance(child, ast.FunctionDef | ast.ClassDef) else function
                yield from places(child, inside)


def mutants_of(file: str, tests: tuple[str, ...]) -> Iterator[Mutant]:
    """Every mutant of one module, in the order of its text."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    for parent, field, index, node, function in list(places(tree)):
        for what, other in edits(node):
            _put(parent, field, index, other)
            source = ast.unparse(ast.fix_missing_locations(tree))
            _put(parent, field, index, node)
            line = getattr(node, "lineno", None) or getattr(getattr(node, "target", None), "lineno", 0)
            change = f"{what} in `{_shown(node)}`"
            yield Mutant(file, line, function, change, source, tests)


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) < 90 else f"{text[:87]}..."


def mutants(only: list[str]) -> list[Mutant]:
    """All of them, or those of the modules whose path contains one of these words."""
    files = [
        (path.relative_to(ROOT).as_posix(), tests)
        for where, tests in MODULES.items()
        for path in (sorted((ROOT / where).rglob("*.py")) if (ROOT / where).is_dir() else [ROOT / where])
    ]
    wanted = [(file, tests) for file, tests in files if not only or any(word in file for word in only)]
    return [mutant for file, tests in wanted for mutant in mutants_of(file, tests)]


def passes(tree: Path, tests: tuple[str, ...]) -> bool:
    """Whether the tests pass on a copy of the project, on what the copy says and not on what is installed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONHASHSEED": "0"}
    try:
        run = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=BOUND_S)
    except subprocess.TimeoutExpired:
        return False
    if run.returncode not in (0, 1, 2):  # 2: it could not even be imported
        raise SystemExit(f"pytest ended with {run.returncode}:\n{run.stdout.decode()[-2000:]}{run.stderr.decode()}")
    return run.returncode == 0


def survives(mutant: Mutant, trees: "SimpleQueue[Path]") -> bool:
    """Whether no test notices the mutant, tried in a copy that nobody else uses meanwhile."""
    tree = trees.get()
    path = tree / mutant.file
    before = path.read_text(encoding="utf-8")
    try:
        _write(path, mutant.source)
        return passes(tree, mutant.tests)
    finally:
        _write(path, before)
        trees.put(tree)


def _write(path: Path, text: str) -> None:
    """A module that is written twice in one second is otherwise taken from the bytecode of the first."""
    path.write_text(text, encoding="utf-8")
    Path(cache_from_source(str(path))).unlink(missing_ok=True)


def known() -> dict[str, str]:
    """The listed survivors, each with its reason."""
    lines = KNOWN.read_text(encoding="utf-8").splitlines() if KNOWN.exists() else []
    told = [line.partition(" # ") for line in lines if line.strip() and not line.startswith("#")]
    bare = [name for name, _, reason in told if not reason.strip()]
    if bare:
        raise SystemExit(f"{KNOWN.name}: no reason is given for {bare[0]!r}; write it behind ' # '")
    return {name.strip(): reason.strip() for name, _, reason in told}


def main(only: list[str]) -> int:
    """Tries the sample, prints what survived, and says whether all of that is listed."""
    every, listed = mutants(only), known()
    count, seed = int(os.environ.get("MODELPOLICY_MUTANTS", "40")), int(os.environ.get("MODELPOLICY_SEED", "1"))
    sample = random.Random(seed).sample(every, count) if 0 < count < len(every) else every
    if not sample:
        raise SystemExit(f"no mutant: no module is called {' or '.join(only)}")
    with tempfile.TemporaryDirectory() as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(WORKERS):
            tree = Path(folder) / f"copy-{number}"
            shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*SCRATCH), symlinks=True)
            trees.put(tree)
        for tests in sorted({mutant.tests for mutant in sample}):
            if not passes(tree, tests):
                raise SystemExit(f"the tests fail without any mutant: {' '.join(tests)}")
        with ThreadPoolExecutor(WORKERS) as pool:
            alive = []
            for mutant, survived in zip(sample, pool.map(lambda each: survives(each, trees), sample), strict=True):
                if survived:
                    alive.append(mutant)
                    mark = "known" if mutant.name in listed else "NEW  "
                    print(f"{mark}  {mutant.file}:{mutant.line}  {mutant.function}: {mutant.change}", flush=True)
    new = [mutant for mutant in alive if mutant.name not in listed]
    tried = f"{len(sample)} of {len(every)} mutants tried (seed {seed})"
    print(f"{tried}: {len(sample) - len(alive)} noticed, {len(alive)} survived, {len(new)} of these not listed")
    gone = sorted(listed.keys() - {mutant.name for mutant in every}) if not only else []
    for name in gone:
        print(f"listed, but there is no such mutant any more: {name}")
    return 1 if new or gone else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

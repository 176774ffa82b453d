"""What is generated is fresh: `make docs` would change nothing."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_generated_files_are_what_the_code_says_and_no_old_one_is_left() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    written = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in (*ROOT.glob("crds/*"), *ROOT.glob("docs/reference/*"), *ROOT.glob("deploy/kustomize/admission/*"))
    }
    assert written == dict(generate.files()), "run `make docs`, or python docs/generate.py"

"""The whole story in one run: serve, plan, apply, a chat client until the limit stops it, and two shifted hours later again.

python examples/ark/demo.py [DIRECTORY]      needs modelpolicy[ark,serve]; works in a new directory, on a free port
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMAND = (sys.executable, "-m", "reconciler.cli")
TWO_HOURS = {"MODELPOLICY_CLOCK_OFFSET": "7260"}


def main(work: Path) -> None:
    for file in HERE.glob("*.yaml"):
        shutil.copy(file, work)
    run(work, {}, "platform", "seed", "seed.yaml", "--db", "platform.db")
    with served(work, {}, "127.0.0.1:0") as url:
        edit(work / "account.yaml", "http://127.0.0.1:8900", url)
        run(work, {}, "plan", "account.yaml", "policies.yaml")
        run(work, {}, "apply", "account.yaml", "policies.yaml", "--yes")
        chat_until_refused(work, url)
    with served(work, TWO_HOURS, url.removeprefix("http://")):
        print("\n== two hours later, the limit is set again ==")
        edit(work / "policies.yaml", '"first"', '"second"')
        run(work, TWO_HOURS, "apply", "account.yaml", "policies.yaml", "--yes")
        print(chat(work, url, "hello again"))


def run(work: Path, environment: dict[str, str], *arguments: str) -> None:
    print(f"\n$ modelpolicy {' '.join(arguments)}", flush=True)
    subprocess.run([*COMMAND, *arguments], cwd=work, env={**os.environ, **environment}, check=True)


@contextmanager
def served(work: Path, environment: dict[str, str], listen: str) -> Iterator[str]:
    """The platform in a process of its own; its URL."""
    arguments = ("--listen", listen, "--db", "platform.db", "--keys", "keys.json", "--actions", "account.yaml")
    print(f"\n$ modelpolicy platform serve {' '.join(arguments)} &", flush=True)
    with subprocess.Popen(
        [*COMMAND, "platform", "serve", *arguments], cwd=work, env={**os.environ, **environment},
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield url_of(process)
        finally:
            process.terminate()


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"serving .* on (http://\S+)", line)
        if found:
            return found[1]
    raise SystemExit("the server did not start")


def edit(file: Path, before: str, after: str) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


def chat_until_refused(work: Path, url: str) -> None:
    for number in range(1, 20):
        answer = chat(work, url, f"message {number}")
        print(answer)
        if answer.startswith("refused"):
            return
    raise SystemExit("the limit never stopped the chat")


def chat(work: Path, url: str, text: str) -> str:
    """One message by a plain client of Ark's data plane: what came back, in a line."""
    key = json.loads((work / "keys.json").read_text(encoding="utf-8"))["api_key"]
    body = {"model": "doubao-seed-1-6", "messages": [{"role": "user", "content": text}]}
    request = urllib.request.Request(
        f"{url}/api/v3/chat/completions",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy
    try:
        with direct.open(request) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return f"refused: HTTP {refusal.code} {json.load(refusal)['error']['code']}"
    return f"served: {answer['choices'][0]['message']['content']} ({answer['usage']['total_tokens']} tokens)"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()))

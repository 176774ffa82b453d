"""The served platform in a process of its own: `python -m benchmarks.twin DATABASE`. Answers on its standard output, a line of JSON each:

first         {"url", "access_key", "secret_key"}
late SECONDS  every answer comes so much later from now on; {}
calls         {action: how often it was asked since this was last said}
"""

import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Final

from reconciler.kinds.platform_account import PlatformAccountSpec
from reconciler.platforms.embedded.engine import open_engine
from reconciler.platforms.embedded.faults import Fault, FaultKind
from reconciler.platforms.embedded.keys import make
from reconciler.platforms.embedded.server import Served, in_background

# Names made up for this benchmark, as an account of Ark would configure its own.
ACTIONS: Final = {
    "setLimit": {"action": "BenchSetLimit", "request": {"Limits": [{"Name": "{model}", "Most": "{tokens}"}]}},
    "removeLimit": {"action": "BenchRemoveLimit", "request": {"Names": ["{model}"]}},
    "readLimit": {
        "action": "BenchListLimits",
        "request": {"Names": "{models}"},
        "response": {"items": "Limits", "model": "Name", "tokens": "Most", "effectiveAt": "From"},
    },
}


def main() -> None:
    """Serve until standard input ends."""
    engine = open_engine(sys.argv[1], lambda: datetime.now(UTC))
    actions = PlatformAccountSpec.model_validate({"platform": "ark", "ark": {"actions": ACTIONS}}).ark.actions
    served = Served(engine=engine, keys=make(), actions=actions)
    calls: Counter[str] = Counter()
    take = served.faults.take

    def counted(action: str):
        calls[action] += 1
        return take(action)

    served.faults.take = counted  # type: ignore[method-assign]
    with in_background(served) as url:
        _say({"url": url, "access_key": served.keys.access_key, "secret_key": served.keys.secret_key})
        for order in sys.stdin:
            word, *more = order.split()
            if word == "cpu":
                _say({"ms": time.process_time() * 1000})
                continue
            if word == "late":
                served.faults.clear()
                served.faults.order(Fault(FaultKind.LATENCY, times=10**9, seconds=float(more[0])))
            _say(dict(calls) if word == "calls" else {})
            calls.clear()


def _say(value: dict) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()

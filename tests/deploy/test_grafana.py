"""The shipped dashboard shows metrics that exist, in a shape that Grafana takes."""

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy.exposed import labels_by_metric, unknown

DASHBOARD: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "deploy" / "grafana" / "dashboard.json").read_text(encoding="utf-8")
)
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
SHOWN = [panel for panel in PANELS if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    for panel in SHOWN:
        for target in panel["targets"]:
            yield target["expr"]


def test_every_query_is_of_a_metric_that_exists() -> None:
    assert [wrong for expression in expressions() for wrong in unknown(expression)] == []


def test_every_metric_is_shown() -> None:
    shown = set(re.findall(r"\bmodelpolicy_\w+", " ".join(expressions())))
    aside = {name for name in labels_by_metric() if name.endswith(("_created", "_sum", "_count"))}
    assert set(labels_by_metric()) - aside - shown == set()


def test_legends_name_labels_that_survive_the_query() -> None:
    for panel in SHOWN:
        for target in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                grouped = re.findall(r"by \(([^)]*)\)", target["expr"])
                known = frozenset(re.split(r",\s*", grouped[-1])) if grouped else labels_by_metric()[
                    re.findall(r"\bmodelpolicy_\w+", target["expr"])[0]] | {"instance", "job"}  # fmt: skip
                assert label in known, f"{panel['title']}: {label}"


def test_panels_have_their_own_ids_and_places() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for one, other in itertools.combinations([panel["gridPos"] for panel in PANELS], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in PANELS)


def test_it_works_on_any_prometheus_and_explains_each_panel() -> None:
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert {variable["name"] for variable in DASHBOARD["templating"]["list"]} == {"datasource", "account"}
    for panel in SHOWN:
        assert panel["datasource"] == source
        assert all(target["datasource"] == source for target in panel["targets"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert panel["title"]
        assert panel["description"].endswith(".")
    assert "id" not in DASHBOARD  # an import gives it one
    assert isinstance(DASHBOARD["schemaVersion"], int)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: package prometheus)")
def test_every_query_is_valid(tmp_path: Path) -> None:
    plain = [each.replace("$__rate_interval", "5m").replace("$account", ".*") for each in expressions()]
    rules = [{"record": f"query:{number}", "expr": expression} for number, expression in enumerate(plain)]
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", "--no-lint-fatal", str(tmp_path / "queries.yaml")],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

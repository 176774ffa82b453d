"""The cluster that tests run on: the suite's own small API server, and a real one where KUBEBUILDER_ASSETS names it."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kube.real import ADMIN, RealServer
from kube.small.http import SmallServer

from reconciler.schema import crds
from reconciler.sources.kube import client
from reconciler.sources.kube.client import Client

DEPLOY = Path(__file__).parents[2] / "deploy"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@dataclass
class Cluster:
    """A running API server with our CRDs, and an administrator's client. `small` is None on the real one."""

    server: SmallServer | RealServer
    admin: Client

    @property
    def small(self) -> SmallServer | None:
        return self.server if isinstance(self.server, SmallServer) else None

    def client(self, token: str = ADMIN) -> Client:
        if isinstance(self.server, SmallServer):
            return client.at(self.server.url)
        return client.at(self.server.url, token=token, ca_file=str(self.server.ca_file))

    def apply(self, manifest: dict[str, Any], namespace: str = "default") -> dict[str, Any]:
        """What `kubectl apply` does with a manifest."""
        return self.admin.apply(where(manifest, namespace), manifest, manager="kubectl")

    def space(self, *names: str) -> None:
        """Namespaces by these names; a real server keeps them from an earlier test."""
        for name in names:
            with suppress(client.KubeError):
                self.admin.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})

    def get(self, kind: str, name: str, namespace: str = "default") -> dict[str, Any]:
        return self.admin.request("GET", where({"kind": kind, "metadata": {"name": name}}, namespace))

    def delete(self, kind: str, name: str, namespace: str = "default") -> None:
        self.admin.request("DELETE", where({"kind": kind, "metadata": {"name": name}}, namespace))


def where(manifest: dict[str, Any], namespace: str = "default", name: str | None = None) -> str:
    """The path of a manifest's object."""
    from reconciler.kinds import registry

    own = manifest["metadata"].get("namespace", namespace)
    return client.path_of(registry()[manifest["kind"]], own, manifest["metadata"]["name"] if name is None else name)


def install(admin: Client) -> None:
    """Our CRDs, established."""
    for text in crds().values():
        definition = yaml.safe_load(text)
        path = client.path("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", None)
        admin.apply(f"{path}/{definition['metadata']['name']}", definition)


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if not assets:
        pytest.skip(
            "KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd, so the small server alone is used"
        )
    server = RealServer(Path(assets), tmp_path_factory.mktemp("kube"))
    try:
        server.start()
        admin = client.at(server.url, token=ADMIN, ca_file=str(server.ca_file))
        install(admin)
        wait_established(admin)
        admin.close()
        yield server
    finally:
        server.close()


def wait_established(admin: Client) -> None:
    """Until every kind is served."""
    import time

    from reconciler.kinds import registry

    for kind in registry().values():
        for _ in range(100):
            try:
                admin.list(client.path_of(kind, None), {})
                break
            except client.KubeError:
                time.sleep(0.05)


@pytest.fixture(params=["small", "real"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster without resources of ours in it."""
    if request.param == "small":
        server = SmallServer()
        admin = client.at(server.url)
        install(admin)
        yield Cluster(server, admin)
        admin.close()
        server.close()
        return
    real = request.getfixturevalue("real_server")
    admin = client.at(real.url, token=ADMIN, ca_file=str(real.ca_file))
    yield Cluster(real, admin)
    cleared(admin)
    admin.close()


def cleared(admin: Client) -> None:
    """Every resource of ours and every event goes, whatever holds it."""
    from reconciler.kinds import registry

    for kind in registry().values():
        for found in admin.list(client.path_of(kind, None), {}).items:
            path = client.path_of(kind, found["metadata"]["namespace"], found["metadata"]["name"])
            if found["metadata"].get("finalizers"):
                admin.merge(path, {"metadata": {"finalizers": None}})
            try:
                admin.request("DELETE", path)
            except client.KubeError as error:
                if not error.missing:
                    raise
    for api, plural in (("/apis/coordination.k8s.io/v1", "leases"), ("/api/v1", "events")):
        admin.request("DELETE", client.path(api, plural, "default"))


@pytest.fixture
def granted(cluster: Cluster) -> Iterator[Callable[[str], None]]:
    """Grants the user of the OPERATOR token what a shipped file grants the operator, in the namespace default."""
    if not isinstance(cluster.server, RealServer):
        pytest.skip("the small server lets everybody do everything")
    made: list[str] = []

    def grant(file: str) -> None:
        for thing in yaml.safe_load_all((DEPLOY / file).read_text()):
            space = None if thing["kind"].startswith("Cluster") else "default"
            if "subjects" in thing:
                thing["subjects"] = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "operator"}]
            place = client.path(RBAC, thing["kind"].lower() + "s", space, thing["metadata"]["name"])
            cluster.admin.apply(place, thing)
            made.append(place)

    yield grant
    for place in made:
        cluster.admin.request("DELETE", place)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Any]:
    from kube.running import Platform

    made = Platform(tmp_path)
    yield made
    made.engine.close()


@pytest.fixture
def start(cluster: Cluster) -> Iterator[Any]:
    from kube.running import Operator

    started: list[Operator] = []

    def begin(name: str = "one", **how: Any) -> Any:
        started.append(Operator(cluster, name, **how).start())
        return started[-1]

    yield begin
    for operator in started:
        operator.stop()


@pytest.fixture
def kubeconfig(cluster: Cluster, tmp_path: Path) -> Path:
    """A file by which commands find the cluster."""
    server: dict[str, Any] = {"server": cluster.server.url}
    if isinstance(cluster.server, RealServer):
        server["certificate-authority"] = str(cluster.server.ca_file)
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": server}], "users": [{"name": "me", "user": {"token": ADMIN}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
    }  # fmt: skip
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file

"""A real kube-apiserver with its etcd, from the folder that KUBEBUILDER_ASSETS names (envtest's convention)."""

import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ADMIN, OPERATOR, NOBODY = "admin-token", "operator-token", "nobody-token"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RealServer:
    """The two processes, in a folder of their own. `restart` keeps what is stored."""

    assets: Path
    home: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        self.etcd_port, peer_port, self.port = _free_port(), _free_port(), _free_port()
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        subprocess.run(["openssl", "genrsa", "-out", "sa.key", "2048"], cwd=self.home, check=True, capture_output=True)
        tokens = ((ADMIN, "admin", "system:masters"), (OPERATOR, "operator", ""), (NOBODY, "nobody", ""))
        lines = [f'{token},{user},{user},"{group}"\n' for token, user, group in tokens]
        (self.home / "tokens.csv").write_text("".join(lines))
        self._run(
            "etcd", "--data-dir", "etcd", "--listen-client-urls", self.etcd_url, "--advertise-client-urls", self.etcd_url,
            "--listen-peer-urls", f"http://127.0.0.1:{peer_port}", "--unsafe-no-fsync",
        )  # fmt: skip
        self.start_api()

    @property
    def etcd_url(self) -> str:
        return f"http://127.0.0.1:{self.etcd_port}"

    @property
    def ca_file(self) -> Path:
        """The server's own certificate, which names who signed it."""
        return self.home / "certificates" / "apiserver.crt"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start_api(self) -> None:
        self._run(
            "kube-apiserver", "--etcd-servers", self.etcd_url, "--secure-port", str(self.port),
            "--bind-address", "127.0.0.1", "--cert-dir", "certificates", "--token-auth-file", "tokens.csv",
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", "sa.key",
            "--service-account-signing-key-file", "sa.key", "--authorization-mode", "RBAC",
            "--service-cluster-ip-range", "10.0.0.0/24", "--disable-admission-plugins", "ServiceAccount",
        )  # fmt: skip
        self._wait()

    def _run(self, name: str, *arguments: str) -> None:
        log = (self.home / f"{name}.log").open("ab")
        with log:
            self.processes.append(
                subprocess.Popen([self.assets / name, *arguments], cwd=self.home, stdout=log, stderr=log)
            )

    def _wait(self) -> None:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        request = urllib.request.Request(f"{self.url}/readyz", headers={"Authorization": f"Bearer {ADMIN}"})
        for _ in range(200):
            try:
                with urllib.request.urlopen(request, context=trusting, timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise AssertionError((self.home / "kube-apiserver.log").read_text()[-2000:])

    def restart(self, down_s: float = 0.0) -> None:
        """The API server is gone for a while, and back at the same address."""
        self._end(self.processes.pop())
        time.sleep(down_s)
        self.start_api()

    def close(self) -> None:
        while self.processes:
            self._end(self.processes.pop())

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()

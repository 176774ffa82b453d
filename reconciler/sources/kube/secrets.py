"""Access keys from Secrets, each read by its name only, and whether one changed since. Keeps no key; shows none."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.errors import Permanent, Transient
from reconciler.reasons import Reason
from reconciler.sources.kube.client import Client, KubeError, path

KEYS = ("accessKey", "secretKey")


@dataclass(slots=True)
class Secrets:
    """The Secrets that accounts name. `versions` is what was last seen of each, by namespace and name."""

    client: Client
    versions: dict[tuple[str, str], str] = field(default_factory=dict)

    def read(self, namespace: str, name: str) -> Mapping[str, str]:
        """Its accessKey, secretKey and, where there is one, sessionToken. Raises `PlatformError`: the account cannot be used."""
        try:
            found = self.client.request("GET", path("/api/v1", "secrets", namespace, name))
        except KubeError as error:
            self.versions.pop((namespace, name), None)
            if error.missing:
                message = f"Secret {namespace}/{name} does not exist; create it with the keys accessKey and secretKey"
                raise Permanent(message, reason=Reason.TARGET_NOT_FOUND) from error
            if error.code == 403:
                message = f"the operator may not read Secret {namespace}/{name}; name it in the operator's Role"
                raise Permanent(message, reason=Reason.PERMISSION_DENIED) from error
            raise Transient(f"Secret {namespace}/{name} could not be read: {error}") from error
        self.versions[namespace, name] = found["metadata"]["resourceVersion"]
        data = found.get("data") or {}
        missing = [key for key in KEYS if not data.get(key)]
        if missing:
            message = f"Secret {namespace}/{name} has no {' and no '.join(missing)}"
            raise Permanent(message, reason=Reason.CREDENTIALS_INVALID)
        try:
            return {key: base64.b64decode(data[key]).decode().strip() for key in (*KEYS, "sessionToken") if key in data}
        except (binascii.Error, UnicodeDecodeError) as error:
            message = f"Secret {namespace}/{name} holds a key that is no text"
            raise Permanent(message, reason=Reason.CREDENTIALS_INVALID) from error

    def version(self, namespace: str, name: str) -> str:
        """Which version of the Secret there is now; "" for none, and the last one seen where the server does not say."""
        try:
            found = self.client.request("GET", path("/api/v1", "secrets", namespace, name))
        except KubeError as error:
            return "" if error.missing or error.code == 403 else self.versions.get((namespace, name), "")
        return str(found["metadata"]["resourceVersion"])

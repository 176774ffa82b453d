"""A key in a policy file is a finding, and no output repeats it."""

import pytest

from reconciler.load import SourceText, frame, load

CANARY = "CANARYsecret0123456789"
ACCOUNT = """apiVersion: modelpolicy.dev/v1alpha1
kind: PlatformAccount
metadata: {name: default}
spec:
  platform: ark
  ark:
    credentials:
      %s
"""


@pytest.mark.parametrize(
    "line",
    [
        f"accessKey: {CANARY}",
        f'secretKey: "{CANARY}"',
        f"secret_access_key: {CANARY}",
        f"sessionToken: {CANARY}",
        f"SK: {CANARY}",
        f"secretKey: |\n        {CANARY}",
        f"file: AKLT{CANARY}",
        f"nested: {{apiKey: {CANARY}}}",
        f"file: http://user:{CANARY}@127.0.0.1/",
        f'file: "https://user%3A{CANARY}%40host.example/x"',
        f"file: postgresql://:{CANARY}@db/x",
    ],
)
def test_what_looks_like_a_key_is_an_error_that_never_repeats_it(line: str) -> None:
    content = (ACCOUNT % line).encode()
    loaded = load([SourceText("account.yaml", content)])
    found = [finding for finding in loaded.findings if finding.rule == "credential-in-policy"]
    assert len(found) == 1
    assert not loaded.declared.by_kind.get("PlatformAccount")
    for finding in loaded.findings:
        assert CANARY not in f"{finding}"
        for context in range(3):
            assert CANARY not in frame(content, finding.location, context)


def test_a_secret_by_name_and_a_file_by_path_are_fine() -> None:
    for line in ("secretName: ark-ak-sk", "file: /run/secrets/ark.json"):
        content = (ACCOUNT % line).encode()
        loaded = load([SourceText("account.yaml", content)])
        assert not loaded.findings
        assert line.split(": ")[1] in frame(content, loaded.declared.resources[0].at("spec", "ark", "credentials"), 2)


@pytest.mark.parametrize(
    "url",
    [
        "http://h", "https://ark.cn-beijing.volcengineapi.com/", "http://127.0.0.1:8900", "http://[::1]:8900/",
        "https://ark.ap-southeast-1.byteplusapi.com",
    ],
)  # fmt: skip
def test_an_endpoint_is_a_host(url: str) -> None:
    assert not load([SourceText("a.yaml", (ACCOUNT % "file: x").replace("credentials:", f'endpoint: "{url}"\n    credentials:').encode())]).findings  # fmt: skip


@pytest.mark.parametrize(
    "url", ["http://a%40b", "http://a b", "http://a?b", "http://a#b", "http://user@h", "http://[h]", "http:///x"]
)
def test_nothing_that_a_client_reads_as_more_than_a_host_is_an_endpoint(url: str) -> None:
    text = (ACCOUNT % "file: x").replace("credentials:", f'endpoint: "{url}"\n    credentials:')
    assert [each.rule for each in load([SourceText("a.yaml", text.encode())]).findings] == ["invalid-value"]

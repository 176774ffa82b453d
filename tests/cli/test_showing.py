"""Who may look at the console: the token's file, as a person makes it and as a cluster mounts it."""

import os
from pathlib import Path

import click
import pytest

from reconciler.cli import showing

TOKEN = "0123456789abcdef-token"


def test_a_token_is_made_for_its_owner_only_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert showing.gate("0.0.0.0", str(file)) is not None
    made = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    showing.gate("0.0.0.0", str(file))
    assert file.read_text() == made


def test_a_token_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o640)
    with pytest.raises(click.UsageError, match=r"may be read by others \(mode 0640\)"):
        showing.gate("0.0.0.0", str(file))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
@pytest.mark.parametrize(("mode", "taken"), [(0o440, True), (0o460, False), (0o444, False)])
def test_a_secret_that_a_cluster_mounts_may_be_read_by_our_group_and_no_more(
    tmp_path: Path, mode: int, taken: bool
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(mode)
    os.chown(file, 12345, os.getegid())
    if taken:
        assert showing.gate("0.0.0.0", str(file)) is not None
    else:
        with pytest.raises(click.UsageError, match="may be read by others"):
            showing.gate("0.0.0.0", str(file))


def test_without_a_token_only_loopback_is_served() -> None:
    assert showing.gate("127.0.0.1", None) is not None
    assert showing.gate("0.0.0.0", None) is None

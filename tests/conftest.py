"""What all tests share: properties are judged by their examples, never by how busy the machine is, and no verb that only reads
ever writes to a platform, whichever test calls it.
"""

from collections.abc import Iterator
from typing import Any, Final

import click
import pytest
from hypothesis import settings

from reconciler.cli.root import Root
from reconciler.platforms.ark.platform import ArkPlatform
from reconciler.platforms.embedded.platform import EmbeddedPlatform
from reconciler.state import Write

settings.register_profile("project", deadline=None)
settings.load_profile("project")

WRITING: Final = {"apply", "watch", "operator"}  # of the verbs, these alone write to a platform


class Overseer:
    """Notes each write to a platform that happens while a verb runs which only reads."""

    def __init__(self) -> None:
        self.verb: str | None = None
        self.caught: list[tuple[str, Write]] = []

    def watch(self, patch: pytest.MonkeyPatch, platform: type[Any]) -> None:
        write = platform.write

        def seen(itself: Any, what: Write) -> None:
            if self.verb is not None and self.verb not in WRITING:
                self.caught.append((self.verb, what))
            write(itself, what)

        patch.setattr(platform, "write", seen)

    def listen(self, patch: pytest.MonkeyPatch) -> None:
        resolve, invoke = Root.resolve_command, Root.invoke

        def resolved(root: Root, context: click.Context, words: list[str]) -> Any:
            found = resolve(root, context, words)
            self.verb = found[0]
            return found

        def invoked(root: Root, context: click.Context) -> Any:
            try:
                return invoke(root, context)
            finally:
                self.verb = None

        patch.setattr(Root, "resolve_command", resolved)
        patch.setattr(Root, "invoke", invoked)


@pytest.fixture(scope="session")
def overseer() -> Iterator[Overseer]:
    with pytest.MonkeyPatch.context() as patch:
        made = Overseer()
        made.listen(patch)
        made.watch(patch, EmbeddedPlatform)
        made.watch(patch, ArkPlatform)
        yield made


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_kept_in_the_users_own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _verbs_that_read_never_write(overseer: Overseer) -> Iterator[None]:
    yield
    caught, overseer.caught = overseer.caught, []
    assert not caught, f"a verb that only reads wrote to the platform: {caught}"

"""Where findings stand for tools that know the repository and not the working directory: paths from its root.

Pure: which path a file has is looked up beforehand. A finding of something that no file declares has an anchor instead, for
tools that take no finding without a place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.finding import Finding, Location


@dataclass(frozen=True, slots=True)
class Place:
    """A place for a tool: `path` from the repository's root where it is `inside`, else absolute or a name such as <stdin>.

    `own` False: the finding has no place of its own, and stands where its account is declared.
    """

    path: str
    line: int
    column: int
    inside: bool
    own: bool

    def __str__(self) -> str:
        return str(Location(self.path, self.line, self.column))


_ROOT: Final = Location(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """`paths` are the files by the names that findings use, each as a path from the repository's root, None where it is in
    another place; `absolute` are those. `anchors` are the places of findings that have none, `otherwise` is that of the rest.

    A path may hold what is no UTF-8 as surrogates.
    """

    paths: Mapping[str, str | None] = field(default_factory=dict)
    absolute: Mapping[str, str] = field(default_factory=dict)
    anchors: Mapping[Finding, Location] = field(default_factory=dict)
    otherwise: Location = _ROOT

    def of(self, finding: Finding) -> Place:
        """The finding's place."""
        own = finding.location
        where = own or self.anchors.get(finding) or self.otherwise
        path = self.paths.get(where.file, where.file)
        return Place(
            (self.absolute.get(where.file, where.file) if path is None else path) or ".",
            max(where.line, 1),
            max(where.column, 1),
            inside=path is not None and not path.startswith("/") and ".." not in path.split("/"),
            own=own is not None,
        )

    def path(self, file: str) -> str:
        """A file that is shown: as a path from the root, else as the user named it."""
        return self.paths.get(file) or file

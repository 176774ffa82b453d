"""The endpoints of an account of Ark: a list that leaves out their capacity, and one call each for those where it decides.

Endpoints belong to a project (D17): one of another project is not there.
"""

from typing import Any, Final

from reconciler.errors import Permanent, Transient
from reconciler.platforms.ark import mapping
from reconciler.platforms.ark.client import Client
from reconciler.platforms.ark.paging import Page
from reconciler.reasons import Reason
from reconciler.state import Endpoint

Json = dict[str, Any]
_OTHERS: Final = frozenset(("NotFound.ProjectName", "ResourceNotFound.Plan"))  # what is not found is no endpoint (A5)


class Endpoints:
    """The endpoints of one project. Safe to call from several threads at once."""

    def __init__(self, client: Client, project: str) -> None:
        self._client = client
        self._project = project
        # GetEndpoint replies by endpoint id, with the UpdateTime they belong to.
        self._details: dict[str, tuple[str, Json]] = {}

    def every(self, limited: frozenset[str]) -> tuple[dict[str, Endpoint], str]:
        """Every endpoint, and why there may be more; with its details where its model is one of `limited`."""
        # By creation, oldest first: what is made during the sweep comes last and shifts no page.
        request = {"ProjectName": self._project, "SortBy": "CreateTime", "SortOrder": "Asc"}
        listed = self._client.listed(Page("ListEndpoints", "Id", request))
        endpoints = {id_: self._seen(item, limited) for id_, item in listed.items.items()}
        self._details = {id_: kept for id_, kept in self._details.items() if id_ in endpoints}
        return endpoints, listed.flaw

    def one(self, id_: str) -> Endpoint | None:
        """The endpoint, asked anew; None where the project has none of that id."""
        details = self._asked(id_)
        return None if details is None else mapping.endpoint(details, details)

    def _seen(self, item: Json, limited: frozenset[str]) -> Endpoint:
        listed = mapping.endpoint(item, None)
        updated, details = self._details.get(listed.id, ("", None))
        if updated != str(item.get("UpdateTime")):
            details = None
        if details is None and listed.model in limited:
            details = self._asked(listed.id)
        return listed if details is None else mapping.endpoint(item, details)

    def _asked(self, id_: str) -> Json | None:
        """The GetEndpoint reply; None where the project has no such endpoint."""
        try:
            result = self._client.read("GetEndpoint", {"Id": id_})
        except Permanent as refusal:
            if refusal.reason is Reason.TARGET_NOT_FOUND and refusal.code not in _OTHERS:
                return None
            raise
        nested = result.get("Endpoint")  # as an older page of the documentation has it
        details = nested if isinstance(nested, dict) else result
        if details.get("Id") != id_:
            raise Transient(f"GetEndpoint: the reply to {id_} is of no endpoint, or of another one")
        if details.get("ProjectName") not in (None, "", self._project):
            return None
        self._details[id_] = (str(details.get("UpdateTime")), details)
        return details

"""The endpoints of an account of Ark: a list that leaves out their capacity, and one call each for those where it decides.

Endpoints belong to a project (D17): one of another project is not there.
"""

from typing import Any, Final

from reconciler.errors import Conflict, Permanent, Transient
from reconciler.platforms.ark import mapping
from reconciler.platforms.ark.client import Client
from reconciler.platforms.ark.details import Details
from reconciler.platforms.ark.paging import Listed, Page
from reconciler.platforms.ark.parallel import Parallel
from reconciler.reasons import Reason
from reconciler.state import Endpoint

Json = dict[str, Any]
_OTHERS: Final = frozenset(("NotFound.ProjectName", "ResourceNotFound.Plan"))  # what is not found is no endpoint (A5)


class Endpoints:
    """The endpoints of one project. Safe to call from several threads at once."""

    def __init__(self, client: Client, project: str, details: Details) -> None:
        self._client = client
        self._project = project
        self._details = details

    def listed(self, beside: Parallel) -> Listed:
        """The list, and whether it is whole."""
        # By creation, oldest first: what is made during the sweep comes last and shifts no page.
        request = {"ProjectName": self._project, "SortBy": "CreateTime", "SortOrder": "Asc"}
        return self._client.listed(Page("ListEndpoints", "Id", request), beside)

    def every(self, listed: Listed, limited: frozenset[str], beside: Parallel) -> dict[str, Endpoint]:
        """The endpoints of the list, with their details where those are kept or their model is one of `limited`."""
        plain = {id_: mapping.endpoint(item, None) for id_, item in listed.items.items()}
        details = {id_: self._details.of(id_, str(item.get("UpdateTime"))) for id_, item in listed.items.items()}
        wanted = [id_ for id_, each in plain.items() if details[id_] is None and each.model in limited]
        details.update(zip(wanted, beside.each(self._asked, wanted), strict=True))
        self._details.save(listed.items.keys())
        return {
            id_: each if (known := details[id_]) is None else mapping.endpoint(listed.items[id_], known)
            for id_, each in plain.items()
        }

    def one(self, id_: str) -> Endpoint | None:
        """The endpoint, asked anew; None where the project has none of that id."""
        details = self._asked(id_)
        return None if details is None else mapping.endpoint(details, details)

    def check_capacity(self, model: str, beside: Parallel) -> None:
        """Raise Conflict where an endpoint of the model has capacity that excludes a limit (S26), by asking each anew: what is
        kept is not believed by a change that sets a limit."""
        items = self.listed(beside).items
        mine = [id_ for id_, item in sorted(items.items()) if mapping.endpoint(item, None).model == model]
        for details in beside.each(self._asked, mine):
            each = None if details is None else mapping.endpoint(details, details)
            if each is not None and (isinstance(each.scale_tier, str) or isinstance(each.model_units, str)):
                raise Conflict(
                    f"set-limit {model}: endpoint {each.name} ({each.id}) has a TPM guarantee package or model units, which "
                    "exclude an inference limit",
                    reason=Reason.PLATFORM_REFUSED,
                )

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
        self._details.keep(id_, details)
        return details

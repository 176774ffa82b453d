"""What a killed run began on an item that is not seen stays open until that proves something."""

from dataclasses import replace

from reconciler import records
from reconciler.state import Listing, Pending
from tests.builders import NOW, history, model, override, record, snapshot


def test_an_intent_on_an_item_that_a_short_list_does_not_name_stays_open() -> None:
    hoped = record(override(), applied={"rpm": 5})
    begun = Pending(run="r1", sequence=1, at=NOW, hoped=hoped, before={"rpm": None, "tpm": None})
    past = replace(history(), pending=(begun,))
    short = replace(snapshot(model()), not_whole={Listing.ENDPOINTS: "ListEndpoints: it names 0 of 1"})
    assert records.recovered(past, short) == ()
    assert records.with_found(past, ()).pending == (begun,)
    (found,) = records.recovered(past, replace(short, not_whole={}))
    assert not found.happened
    assert records.with_found(past, (found,)).pending == ()

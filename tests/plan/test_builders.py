"""The shared builders make what their names say."""

from builders import account, activation, declared, endpoint, limit, model, override, snapshot, target

from reconciler.kinds import registry


def test_a_built_resource_maps_onto_the_built_item() -> None:
    seen = snapshot(model(limit=5), endpoint(override=(1, 2)))
    for resource in (activation(), limit(), override(), account()):
        kind = registry()[resource.kind]
        assert kind.target(resource, seen) == target(resource)
    assert registry()["EndpointRateOverride"].live(seen, target(override())) == {"rpm": 1, "tpm": 2}


def test_a_built_set_belongs_to_the_account_it_names() -> None:
    everything = declared(activation(), activation("other", account="second"))
    assert [resource.name for resource in everything.for_account("second").resources] == ["other"]

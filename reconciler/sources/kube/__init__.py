"""Declarations as Kubernetes custom resources: listed, watched, judged by the files' own checks, and told how they stand.

    client.py      the only import of kubernetes: requests, errors, reading lists and watches
    reflector.py   one kind kept in memory: list in pages, watch, list again
    objects.py     an object of the cluster -> Resource, Held or Finding
    cluster.py     what is known of the cluster and what is written back: statuses, finalizers
    events.py      what people see in `kubectl describe`
    election.py    who leads: one Lease, judged by a monotonic clock

An object of the API server is a plain mapping here, never changed in place.
"""

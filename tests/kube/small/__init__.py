"""A small Kubernetes API server for the suite: as much of the real one as the operator can tell apart, over HTTP.

    store.py     objects, versions, the history that watches are served from
    schema.py    custom resources by their CRD: pruned, defaulted, validated, CEL
    applying.py  server-side apply: who owns which field
    verbs.py     create, read, update, patch, delete and what they refuse
    http.py      paths, lists in pages, watches, faults

The same test bodies run on a real kube-apiserver wherever KUBEBUILDER_ASSETS names one; what differs is a bug here.
"""

"""Arguments become calls, calls become an exit code; the only place that prints.

    root.py      the command itself: a static table of verbs, each imported when it is called
    <verb>.py    one module a verb: `command`, a click command that returns an `Exit`
    common.py    the options that verbs share; light, for every verb imports it
    opening.py   opens what verbs work on: declarations, accounts, platforms, ledger, clock
    terminal.py  stdout is the artefact only, everything else goes to stderr
    streams.py   the standard streams as a run finds them: closed, full, unread, of another encoding
    exits.py     the exit codes, and which of several is returned
    endings.py   however a verb ends: one clear line, one exit code, one JSON document under `-o json`

Adding a verb is one module and one line in `root.VERBS`. A verb decides nothing about policies: it asks `reconcile`.
"""

from reconciler.cli.root import main

__all__ = ["main"]

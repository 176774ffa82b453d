"""modelpolicy: model access policy as code. This page is the map; it imports nothing.

Words: a *resource* is declared; an *item* is true on the platform; an *observation* is what a sweep saw of an item's field
(a value, absent, or *unobservable*); a *finding* is one thing wrong or notable; a *change* is one intended write; a *plan* is
the ordered list of changes with the guards' verdicts; an *outcome* is what a change became; a *report* is what one pass found,
planned and did; an *account* is where; *held* is what could not be loaded, whose live items stay untouched; the *ledger* is
the durable record; a *baseline* is what an item was before we first wrote it.

Verbs at the root, nouns in rooms, imports only go down:

    cli/             arguments -> calls -> exit code; one module a verb; the only place that prints
    listening.py     the loop's own page: metrics, /livez, /readyz, the console
    controller/      the loop: wake, pass, publish, back off; on files and in a cluster
    console/         the read-only page over policy
    attesting.py     a person's word for what the platform has no action for
    releasing.py     an item handed over: kept on the platform, no longer managed
    reconcile.py     one pass: load -> check -> observe -> plan -> guard -> apply -> report
    holding.py pen.py    what waits behind what was refused; how a run writes its journal
    apply.py         carries out a plan level by level; never decides
    ledger/          lock, journal, ownership, baseline
    metrics.py notify.py tracing.py   who else hears of a pass
    sources/         WHERE IT IS DECLARED   files, a cluster
    platforms/       WHERE IT IS TRUE       the Platform protocol; embedded/, ark/
    serving/ wal.py      a bounded server in a thread; an SQLite file for many writers
    threads.py           threads that end with the process, whatever they wait for
    posting.py           one post within one deadline
    ledger_address.py    what may name a ledger
    writer/          HOW A FILE IS WRITTEN  whole, through no link, over nobody's edit
    ------------------------------------------------ below: no I/O, no clock, no environment, no logging
    report/          WHAT IS SAID           as_text, as_json, ...
    status/          findings + outcomes + previous conditions + now -> conditions
    check.py         what the rules say of declarations without a platform
    guards.py        judge a whole plan before its first write
    adopt.py proof.py records.py    what is live as declarations; what was read back; what is remembered
    load/ plan/ schema/
    rules/           WHAT IS ALLOWED        one rule a file; json_schema/ runs the constraints' schemas
    kinds/           WHAT MAY BE DECLARED   one kind a file
    isolation.py     what fails in judging one resource becomes that resource's finding
    state.py finding.py characters.py errors.py reasons.py durations.py

The pictures are enforced by the import contracts in pyproject.toml.
"""

__version__ = "0.1.0"

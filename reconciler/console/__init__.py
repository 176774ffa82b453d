"""The read-only page: what the policy wants beside what is true, why they differ, and what happens next.

    Report ──> desk.py ──> account.py ──> listing.py ──> pages.py ──> application.py
    of a pass  the latest  one account,   searched,      HTML, in     routes, headers
               a account   as values      sorted, paged  a language   and the gate

    plot.py      use over time as the geometry of a drawing     messages.py   every word of the page, in both languages
    saying.py    numbers, times and values in a language        gate.py       who may look

Reads reports, as every other output does, and writes nowhere: it takes GET only. Changes go through files and review.
`templates/` and `assets/` are part of the package; the page asks nobody else for anything.
"""

"""JSON Schema for constraints: run within bounds, told in the words of YAML, and judged itself for what it says in vain.

    keywords.py    what 2020-12 has, and a walk over the schemas within a schema
    bounded.py     a schema made ready, or why it cannot be used     evaluation.py  a value judged, within a budget
    messages.py    errors as sentences                               patterns.py    patterns, by RE2
    remarks.py     unknown keywords, and those without effect        reach.py       what the shape of a document shows in vain
    documents.py   the shapes of what a schema is run over           unevaluated.py what a schema has judged already

No rule lives here.
"""

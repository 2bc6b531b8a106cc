"""Do-not-call lists that the service keeps: taken in whole or not at all, so that no number is missing for a moment.

taking      a file as it streams in: staged beside the list that holds, then put in its place
├── reading     from bytes to numbers: text, CSV or NDJSON
└── keeping     the lists in the database

The guard asks them before every ring. Numbers are kept as the ledger's marks: they can't be read back.
"""

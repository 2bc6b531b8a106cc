"""Files of calls: taken in whole or not at all, looked at before anything rings, started, steered, and told row by row.

reading    bytes to rows with their numbers, and what is wrong with the file
wording    a row's fields to a call, and what is wrong with them
intake     rows into the database as a draft, until the file is whole
preview    what would be dialled when, and what not
steering   start, pause, resume, drain, cancel
results    every row and what became of it, as CSV

A batch has a key of its own: the same file under the same key is the same batch. Its dialling is `dialing.batched`.
"""

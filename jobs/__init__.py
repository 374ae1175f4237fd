"""Rows that want attention, and the workers that give it.

PostgreSQL is the truth: a ``Work`` row says that something (kind, subject id) wants attention from
a moment on. ``jobs.wake`` writes it in the transaction of the change; the ticker sees it and rings
through Redis; a worker claims the row (lease and strictly increasing fence), calls the handler that
``jobs.registry`` knows for the kind, and writes when to look again. Redis holds nothing that
matters: it may be emptied at any moment, and whoever writes to it can only make workers look at
rows that do or do not want attention.
"""

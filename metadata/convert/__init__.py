"""A commit's files rewritten to metadata format, as Salesforce's own converter does it.

``commit.convert`` is the entry. ``selection`` picks and reads files, ``places`` says of each what
it is, ``assembly`` puts the package's files together, the rest does what single types need.
"""

"""Northwind, the demo company, as plain Python: no Django, no database, no network.

`repositories.build` makes the teams' Git repositories, `seed.write` the simulator's orgs.
"""

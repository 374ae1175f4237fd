"""The demo company: its teams, people, repositories and orgs, and the commands that found it.

Only a demo installation (`GATEHOUSE_MODE=demo`) may use this package; the product imports nothing
of it.
"""

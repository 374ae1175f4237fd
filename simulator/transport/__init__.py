"""Sockets, certificates, faults and the journal of requests."""

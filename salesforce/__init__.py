"""Client of the Salesforce platform, on simple-salesforce; knows nothing of Django.

``auth`` signs in, ``client.Org`` speaks to one org, ``types`` is what comes out. Every fault
leaves this package as ``core.errors.ExternalFault`` or, when the outcome of a call with an effect
is not known, as ``core.errors.FaultUnknown``.
"""

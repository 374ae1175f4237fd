"""The Metadata API over SOAP."""

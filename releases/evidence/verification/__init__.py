"""What is put into a pack as ``verify.py``: it runs alone, outside of the product."""

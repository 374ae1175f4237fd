"""What an org holds: types, components, files and how they are taken apart and put together."""

"""What build workers do: fetch repositories, package commits, compose releases."""

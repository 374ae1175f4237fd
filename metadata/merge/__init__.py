"""Three-way merge of metadata XML, keyed per metadata type and element path."""

"""Pages of this app: a selector or a form, one service, a page or a redirect."""

"""Commands for whoever develops a service: `serve --reload` and `shell`."""

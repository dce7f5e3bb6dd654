"""A module that cannot be imported."""

raise ImportError("the model is missing")

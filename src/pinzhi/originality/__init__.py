"""Originality: what was published before a post, and how much of the post it already said."""

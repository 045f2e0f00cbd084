"""Tools of the project's developers; no part of the product."""

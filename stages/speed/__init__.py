"""Frames per second, measured."""

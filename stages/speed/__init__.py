"""Measurement of detection speed in images per second."""

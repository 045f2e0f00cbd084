"""Graphs of cached stages on Ray: keys, store, scheduler, records. Nothing here knows of images or detectors."""

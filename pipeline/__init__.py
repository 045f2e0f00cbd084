"""Graphs of cached stages on Ray: keys, store, scheduler, records. Nothing here depends on images or detectors."""

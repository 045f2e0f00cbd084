"""Shared by several commands: options, printing, placement of stages."""

"""Layouts of weights files, one file for each supported program."""

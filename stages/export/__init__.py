"""Export: detectors as files of other runtimes, and the check that these detect the same."""

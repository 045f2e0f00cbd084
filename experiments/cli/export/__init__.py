"""`ssdpipe export`: detectors as files of other runtimes."""

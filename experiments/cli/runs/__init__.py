"""Commands on runs, also those of other hosts: show them, print their logs, stop them, compare them."""

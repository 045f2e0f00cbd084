"""The page of an experiment, from what is known of it: no store, no clock, no network here."""

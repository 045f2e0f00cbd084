"""What several commands share: options, printing, where stages run."""

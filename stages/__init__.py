"""What a step does: read data sets, shard, train, detect, evaluate, tabulate, report."""

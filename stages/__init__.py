"""The stages of the experiments: read data sets, shard, train, detect, evaluate, tabulate, report."""

"""The paper as mathematics: arrays in, arrays out. Plain torch, without Ray or MLflow."""

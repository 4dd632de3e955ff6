"""The command line: composing, sweeps, and one place for errors. The only room that knows Hydra."""

"""Trained networks judged: figures, probes, baselines, answers."""

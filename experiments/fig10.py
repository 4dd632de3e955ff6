"""Fig. 10: how fast tickets fit a picture, a noisy one, shuffled pixels and noise; the tickets of Fig. 7.

python experiments/fig10.py
"""

from study import Found, Study, of, paths, start

TARGETS = "image.content=picture,noisy,shuffled,noise"


def fit(study: Study, found: list[Found]) -> None:
    """The dense network and each pruner's last ticket on every target, without degradation."""
    networks = ["null", *(of(pruner) for pruner in dict.fromkeys(run["pruner"] for run in found))]
    undegraded = ("task.sigma=0", "pruner=none", f"ticket.path={','.join(networks)}", TARGETS)
    study.sweep(*undegraded, *paths(found, Found.ticket))


if __name__ == "__main__":
    start("fig10", fit)

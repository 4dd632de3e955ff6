"""Fig. 10: how fast tickets fit a picture, a noisy one, shuffled pixels and noise; the tickets of Fig. 7.

python experiments/fig10.py
"""

from study import Found, Study, start

UNDEGRADED = ("task.sigma=0", "pruner=none", "image.content=picture,noisy,shuffled,noise")


def fit(study: Study, found: list[Found]) -> None:
    """The dense network and each pruner's last ticket on every target, without degradation."""
    study.sweep(*UNDEGRADED)
    study.sweep(*UNDEGRADED, each=[run.hand_on("ticket.path", run.ticket()) for run in found])


if __name__ == "__main__":
    start("fig10", fit)

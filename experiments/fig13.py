"""Fig. 13: final loss and score over the rounds of three tasks, which show when to stop.

python experiments/fig13.py
"""

from study import start

if __name__ == "__main__":
    start("fig13")

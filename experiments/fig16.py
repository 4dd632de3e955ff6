"""Fig. 16: tickets of SGLD-DIP over sparsity.

python experiments/fig16.py
"""

from study import start

if __name__ == "__main__":
    start("fig16")

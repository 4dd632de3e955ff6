"""Fig. 3: tickets by IMP against SNIP and random masks over sparsity; and Fig. 2, the pictures that they restored.

python experiments/fig3.py
"""

from study import start

if __name__ == "__main__":
    start("fig3", draws=("fig3", "fig2"))

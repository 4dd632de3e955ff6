"""Fig. 18: Fourier magnitudes of what masks by IMP, SNIP and lot restore; the runs of Fig. 7.

python experiments/fig18.py
"""

from study import start

if __name__ == "__main__":
    start("fig18")

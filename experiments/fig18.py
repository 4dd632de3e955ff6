"""Fig. 18: Fourier magnitudes of pictures restored with masks by IMP, SNIP's and random ones; the runs of Fig. 7.

python experiments/fig18.py
"""

from study import start

if __name__ == "__main__":
    start("fig18")

"""Fig. 19: differences of the Fourier magnitudes of Fig. 18; the runs of Fig. 7.

python experiments/fig19.py
"""

from study import start

if __name__ == "__main__":
    start("fig19")

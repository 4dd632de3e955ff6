"""Fig. 7: sparsity layer by layer of masks by IMP, SNIP and lot.

python experiments/fig7.py
"""

from study import start

if __name__ == "__main__":
    start("fig7")

"""Fig. 7: sparsity of each layer in masks by IMP, in SNIP's and in random ones.

python experiments/fig7.py
"""

from study import start

if __name__ == "__main__":
    start("fig7")

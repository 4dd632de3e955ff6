"""Table 5: dense network and ticket at sparsity 0.738 over sets of pictures.

python experiments/table5.py
"""

from study import start

if __name__ == "__main__":
    start("table5")

"""Table 4: IMP against SynFlow at exact sparsities.

python experiments/table4.py
"""

from study import start

if __name__ == "__main__":
    start("table4")

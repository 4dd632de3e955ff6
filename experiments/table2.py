"""Table 2: parameters of deep decoder and tickets, and what they restore.

python experiments/table2.py
"""

from study import start

if __name__ == "__main__":
    start("table2")

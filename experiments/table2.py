"""Table 2: parameters of the deep decoder and of tickets, and the quality of what they restore.

python experiments/table2.py
"""

from study import start

if __name__ == "__main__":
    start("table2")

"""Table 3: dense network and most sparse matching ticket on one picture.

python experiments/table3.py
"""

from study import start

if __name__ == "__main__":
    start("table3")

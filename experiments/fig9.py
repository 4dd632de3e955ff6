"""Fig. 9: rewinding to the weights after 0, 5, 10 and 20% of the steps.

python experiments/fig9.py
"""

from study import start

if __name__ == "__main__":
    start("fig9")

"""Fig. 11: PSNR and SSIM over the steps of a fit, for masks by IMP, SNIP's and random ones.

python experiments/fig11.py
"""

from study import start

if __name__ == "__main__":
    start("fig11")

"""A long job with a progress bar, written as bars are: over itself, with carriage returns."""

import time

STEPS = 1200
WIDTH = 30

for step in range(1, STEPS + 1):
    filled = WIDTH * step // STEPS
    bar = "#" * filled + "." * (WIDTH - filled)
    print(f"\rstep {step:4d}/{STEPS} |{bar}| loss {2.5 * 0.998**step:.4f}", end="", flush=True)
    if step % 100 == 0:
        print(f"\ncheckpoint after step {step}", flush=True)
    time.sleep(0.5)
print("\ndone", flush=True)

"""First import of every worker process: one thread each, and nothing on the terminal that belongs to the run."""

import os

for library in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    # Workers share the cores; and sums do not depend on how many there are.
    os.environ[library] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
nowhere = os.open(os.devnull, os.O_RDWR)
for stream in (0, 1, 2):
    os.dup2(nowhere, stream)

"""Train several runs, one after the other, as one of two processes that Lightning takes for those of a cluster.

    LOCAL_RANK=0 python tests/made/train_each.py RUNS.json
    LOCAL_RANK=1 python tests/made/train_each.py RUNS.json

The file holds a list of pairs: a free port, and the arguments of `zoo train`. A start of two processes takes longer
than these runs, and is paid once.
"""

import json
import os
import sys
from pathlib import Path

import torch

from zoo.training.run import train

if __name__ == "__main__":
    torch.set_num_threads(1)
    for port, arguments in json.loads(Path(sys.argv[1]).read_text()):
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        train(arguments)
    sys.stdout.flush()
    os._exit(0)  # gloo's threads may abort a process whose Python shuts down beside them

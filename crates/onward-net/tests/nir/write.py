"""Writes the NIR files of this folder with the reference implementation (pip install nir==1.0.8, h5py).

They hold what its writer makes of a graph: texts of variable length, compressed arrays, the layouts of old and new HDF5.
"""

import h5py
import nir
import numpy as np

random = np.random.default_rng(1)


def graph():
    """Conv2d -> IF -> SumPool2d -> Flatten -> Affine -> recurrent CubaLIF in a graph of its own -> Linear -> LI."""
    n = 6
    recurrent = nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([n])),
            "lif": nir.CubaLIF(
                tau_syn=np.full(n, 5e-4),
                tau_mem=np.linspace(1e-3, 2e-3, n),
                r=np.ones(n),
                v_leak=np.zeros(n),
                v_threshold=np.full(n, 0.01),
            ),
            "w_rec": nir.Linear(random.normal(size=(n, n)).astype(np.float32)),
            "output": nir.Output(np.array([n])),
        },
        edges=[("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )
    return nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([2, 8, 8])),
            "conv": nir.Conv2d(
                input_shape=(8, 8),
                weight=random.normal(size=(3, 2, 3, 3)).astype(np.float32),
                stride=1,
                padding="same",
                dilation=1,
                groups=1,
                bias=np.zeros(3, dtype=np.float32),
            ),
            "if": nir.IF(r=np.ones((3, 8, 8)), v_threshold=np.ones((3, 8, 8))),
            "pool": nir.SumPool2d(kernel_size=np.array([2, 2]), stride=np.array([2, 2]), padding=np.array([0, 0])),
            "flat": nir.Flatten(np.array([3, 4, 4]), start_dim=0),
            "fc": nir.Affine(
                weight=random.normal(size=(n, 48)).astype(np.float32), bias=np.zeros(n, dtype=np.float32)
            ),
            "hidden": recurrent,
            "out": nir.Linear(random.normal(size=(4, n)).astype(np.float32)),
            "li": nir.LI(tau=np.full(4, 1e-3), r=np.ones(4), v_leak=np.zeros(4)),
            "output": nir.Output(np.array([4])),
        },
        edges=[
            ("input", "conv"),
            ("conv", "if"),
            ("if", "pool"),
            ("pool", "flat"),
            ("flat", "fc"),
            ("fc", "hidden"),
            ("hidden", "out"),
            ("out", "li"),
            ("li", "output"),
        ],
        metadata={"made_by": "write.py", "values": np.arange(3)},
    )


def copy(source, target):
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            copy(item, target.create_group(name))
        else:
            target.create_dataset(name, data=item[()], dtype=item.dtype)


written = graph()
nir.write("gzip.nir", written)
nir.write("lzf.nir", written, compression="lzf")
nir.write("plain.nir", written, compression=None)
# The same with groups and headers of newer HDF5.
with h5py.File("plain.nir") as source, h5py.File("newer.nir", "w", libver=("v110", "v110")) as target:
    copy(source, target)

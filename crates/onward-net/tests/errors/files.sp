network files {
    input x = rate(4)
    layer a = dense(3) from x { weights = fixed { values = file(weights) } }
    layer b = dense(3) from x { weights = fixed { values = file("w.npz", 3) } }
    layer c = dense(3) from x { weights = fixed { values = file() } }
    layer d = dense(3) from x { weights = fixed { values = "w.npy" } }
    layer e = dense(3) from x { weights = fixed { values = fil("w.npy") } }
}

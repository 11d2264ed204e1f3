network sparse {
    input x = rate(4)
    layer a = sparse(3) from x
    layer b = sparse(3) from x { connections = ((0, 0, 1.0), (4, 1, 1.0)) }
    layer c = sparse(3) from x { connections = ((0, 3, 1.0), (0, 1, 1.0)) }
    layer d = sparse(3) from x { connections = ((0, 1, 1.0), (0, 1, 2.0)) }
    layer e = sparse(3) from x { connections = ((0, 1), (0, 2)) }
    layer f = sparse(3) from x { connections = 3 }
    layer g = sparse(3) from x { connections = ((0, 0.5, 1),), weights = fixed { values = 1 } }
}
